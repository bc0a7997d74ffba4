"""Translation by people: a sheet out (CSV, or XLIFF), and read back row by row through the same checks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.files import write_text
from polypinch.translate.tries import Key, Try
from polypinch.translate.wanted import Wanted
from polypinch.translate.xliff import SheetLine, write_xliff, xliff_lines, xml_text

COLUMNS = tuple(field.name for field in fields(SheetLine))
BY_HAND = "by hand"
LANGUAGE = "{language}"
_XLIFF = (".xlf", ".xliff")


def sheets(pattern: Path, wanted: Sequence[Wanted]) -> dict[Path, list[Wanted]]:
    """Return which rows stand in which sheet: in one of each language where ``{language}`` is in its name."""
    shared: dict[Path, list[Wanted]] = {}
    for row in wanted:
        shared.setdefault(Path(str(pattern).replace(LANGUAGE, row.language)), []).append(row)
    return shared


def write_sheet(wanted: Sequence[Wanted], source: str, path: Path) -> None:
    """Write a sheet: a line for each turn, with its source and an empty place for its translation.

    Args:
        wanted: what to translate.
        source: the language that it is in.
        path: ``.xlf`` or ``.xliff`` for XLIFF 1.2, otherwise CSV.

    Raises:
        PinchError: it cannot be written, or XLIFF needs a package that is not installed.
    """
    lines = [
        SheetLine(row.item_id, row.language, str(turn), message["role"], message["content"])
        for row in wanted
        for turn, message in enumerate(row.messages, 1)
    ]
    if path.suffix in _XLIFF:
        write_xliff(lines, source, path)
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # its end of line, CRLF, has it quote either sign where a field holds one
    writer.writerow(COLUMNS)
    writer.writerows(map(astuple, lines))
    write_text(path, "\ufeff" + text.getvalue())  # the mark lets spreadsheets read it as UTF-8


def read_sheet(path: Path, wanted: Sequence[Wanted]) -> dict[Key, Try]:
    """Read a sheet back: each row whose turns are all translated; others are not yet there.

    Args:
        path: a sheet of :func:`write_sheet`, its targets filled in, its lines in any order.
        wanted: the rows it was written of.

    Raises:
        PinchError: it is no such sheet, or a line's source is not what the row now says.
    """
    sources = {
        (row.item_id, row.language, str(turn)): message["content"]
        for row in wanted
        for turn, message in enumerate(row.messages, 1)
    }
    targets: dict[tuple[str, str, str], str] = {}
    for where, line in xliff_lines(path) if path.suffix in _XLIFF else _csv_lines(path):
        key = (line.item_id, line.language, line.turn)
        if key not in sources:
            raise PinchError(
                f"{path}: {where}: item {key[0]!r} in {key[1]!r}, turn {key[2]}, is not wanted",
                fix="read it with the plan or pool that it was written for",
            )
        if xml_text(line.source).split() != xml_text(sources[key]).split():
            raise PinchError(
                f"{path}: {where}: its source is not what item {key[0]!r} says now",
                fix="write the sheet again, or put the source back",
            )
        if line.target.strip():
            targets[key] = line.target.strip()
    tries: dict[Key, Try] = {}
    for row in wanted:
        places = range(1, len(row.messages) + 1)
        turns = [targets.get((row.item_id, row.language, str(place))) for place in places]
        if all(turns):
            texts = tuple(turn for turn in turns if turn is not None)
            tries[row.item_id, row.language] = Try(row.item_id, row.language, texts, translator=BY_HAND)
    return tries


def _csv_lines(path: Path) -> Iterator[tuple[str, SheetLine]]:
    try:
        lines = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PinchError(
            f"{path}: not readable as a sheet: {error}", fix="save it as CSV in UTF-8"
        ) from error
    for number, line in enumerate(lines, 2):
        if not set(COLUMNS) <= set(line):
            raise PinchError(f"{path}: it needs the columns {', '.join(COLUMNS)}")
        yield f"line {number}", SheetLine(*(line[column] or "" for column in COLUMNS))
