"""Sheets in XLIFF 1.2, which translators' tools open, through translate-toolkit (an extra)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from polypinch.errors import PinchError
from polypinch.files import write_bytes

# What XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets), and the carriage return, which it reads as
# an end of line.
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_XLIFF = "urn:oasis:names:tc:xliff:document:1.2"
_IN_ID = " /:,;()@+"
_OPEN = ("new", "needs-")
_JOINT = "\x04"  # the toolkit's, between a file's name and a unit's id


@dataclass(frozen=True)
class SheetLine:
    """One turn of a row on a sheet.

    Attributes:
        item_id: its item.
        language: into which.
        turn: its place in the conversation, from 1, as text: a sheet may hold anything.
        role: who speaks.
        source: what is said.
        target: its translation; empty where it is still to be made.
    """

    item_id: str
    language: str
    turn: str
    role: str
    source: str
    target: str = ""


def xml_text(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return _NOT_XML.sub(" ", text)


def write_xliff(lines: Sequence[SheetLine], source: str, path: Path) -> None:
    """Write a ``<file>`` for each language, with a unit for each turn.

    Args:
        lines: of any languages.
        source: the language that they are in.
        path: to write to.

    Raises:
        PinchError: translate-toolkit is not installed, or the file cannot be written.
    """
    files = "".join(
        f'<file original="{tag}" source-language="{source}" target-language="{tag}" datatype="plaintext">'
        "<body></body></file>"
        for tag in dict.fromkeys(line.language for line in lines)
    )
    toolkit, etree = _toolkit()
    store = toolkit.xlifffile.parsestring(f'<xliff version="1.2" xmlns="{_XLIFF}">{files}</xliff>'.encode())
    for line in lines:
        store.switchfile(line.language)
        unit = store.UnitClass(xml_text(line.source))
        store.addunit(unit)
        unit.setid(f"{quote(line.item_id, safe=_IN_ID)}/{line.turn}")
        unit.addnote(f"item {xml_text(line.item_id)}, turn {line.turn}, {line.role}", origin="developer")
    etree.cleanup_namespaces(store.document)
    write_bytes(path, bytes(store))


def xliff_lines(path: Path) -> Iterator[tuple[str, SheetLine]]:
    """Yield each unit of a file that :func:`write_xliff` wrote, and where it is.

    A unit that a tool marks as new, or as needing work, is as one that is still to be made.

    Raises:
        PinchError: translate-toolkit is not installed, or the file is not XLIFF 1.2.
    """
    toolkit, _ = _toolkit()
    try:
        store = toolkit.xlifffile.parsestring(path.read_bytes())
        lines = [_line(unit) for unit in store.units]
    except Exception as error:  # on a stranger's XML the toolkit raises of many kinds
        raise PinchError(
            f"{path}: not readable as XLIFF 1.2: {error or type(error).__name__}",
            fix="let the tool save it as XLIFF 1.2, or use a sheet in CSV",
        ) from error
    yield from lines


def _line(unit: Any) -> tuple[str, SheetLine]:
    language, _, name = unit.getid().rpartition(_JOINT)
    item_id, _, turn = name.rpartition("/")
    target = unit.target_dom
    is_open = target is None or (target.get("state") or "").startswith(_OPEN)
    return f"unit {name!r}", SheetLine(
        item_id=unquote(item_id),
        language=language,
        turn=turn,
        role="",
        source=unit.source or "",
        target="" if is_open else unit.target or "",
    )


def _toolkit() -> tuple[Any, Any]:
    try:
        from lxml import etree  # noqa: PLC0415  (an extra, as is the next)
        from translate.storage import xliff  # noqa: PLC0415
    except ImportError as error:
        raise PinchError(
            "XLIFF needs translate-toolkit, which is not installed",
            fix='pip install "polypinch[xliff]", or name a sheet that ends in .csv',
        ) from error
    return xliff, etree
