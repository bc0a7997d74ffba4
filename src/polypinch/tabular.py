"""Rows out of text: JSON Lines, JSON and CSV as programs and people write them."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from polypinch.decoding import LONGEST_LINE, lines
from polypinch.errors import PinchError

Row = dict[str, Any]
Numbered = Iterator[tuple[int, Row]]
Refuse = Callable[..., None]
"""Takes a row's number, what is wrong with it and, perhaps, the fix; raises it or keeps it."""

_SPACE = " \t\r\n\ufeff"
_TOO_LONG = "a number of too many digits to be one"
_BETWEEN = frozenset(" \t\r\n,")
_ENVELOPES = ("data", "rows", "examples", "instances", "records", "train")


def _loads(text: str) -> Any:
    """Parse JSON; whatever it can't be is a ValueError of one line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} (column {error.colno})") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except ValueError as error:
        raise ValueError(_TOO_LONG) from error


def json_rows(path: Path, texts: Iterator[tuple[int, str]], refuse: Refuse) -> Numbered:
    """Read JSON Lines, an array of objects, or an object that holds such an array, whatever the name says."""
    start = ""
    for _, piece in texts:
        start += piece
        if not start.isspace():
            break
    begins = start.lstrip(_SPACE)
    if begins.startswith("["):
        yield from _array(path, begins, texts, refuse)
        return
    whole = chain([start], (piece for _, piece in texts))
    if begins.partition("\n")[0].strip(_SPACE) == "{":
        yield from _one_object(path, "".join(whole))
        return
    envelope: tuple[int, Row] | None = None
    for number, line in lines(path, whole):
        text = line.strip(_SPACE)
        if not text:
            continue
        if envelope is not None:
            yield envelope
            envelope = None
        try:
            row = _object(_loads(text))
        except ValueError as error:
            refuse(number, str(error))
            continue
        if number == 1 and _inside(row) is not None:
            envelope = number, row
            continue
        yield number, row
    if envelope is not None:
        yield from enumerate(_inside(envelope[1]) or [], start=1)


def _inside(value: Row) -> list[Row] | None:
    """Return the rows of a file that is one object around them, as ``{"data": [...]}``."""
    lists = [value[name] for name in _ENVELOPES if isinstance(value.get(name), list) and value[name]]
    return lists[0] if len(lists) == 1 and all(isinstance(row, dict) for row in lists[0]) else None


def _one_object(path: Path, text: str) -> Numbered:
    """Read an object over several lines: the rows inside it, or itself a row."""
    try:
        value = _object(_loads(text.strip(_SPACE)))
    except ValueError as error:
        raise PinchError(f"{path}: row 1: {error}", fix="write one object a line, or an array") from error
    yield from enumerate(_inside(value) or [value], start=1)


def _array(path: Path, text: str, texts: Iterator[tuple[int, str]], refuse: Refuse) -> Numbered:
    """Read a JSON array of objects without holding it whole."""
    decoder, place, count, line = json.JSONDecoder(), 1, 0, 1
    while True:
        while text[place : place + 1] in _BETWEEN:
            place += 1
        if text[place : place + 1] == "]":
            return
        try:
            value, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            # Perhaps the object goes on: take as much again, so that a long one costs linear time.
            wanted, more = len(text) - place, ""
            for line, piece in texts:  # noqa: B007 (the error names the last line)
                more += piece
                if len(more) >= wanted:
                    break
            if not more or len(text) > LONGEST_LINE:
                raise PinchError(
                    f"{path}: row {count + 1}: not JSON: {error.msg} (the file's last line is {line})",
                    fix="the file has to be one JSON array of objects; it may be cut off",
                ) from error
            text, place = text[place:] + more, 0
            continue
        except RecursionError as error:
            raise PinchError(f"{path}: row {count + 1}: nested too deeply") from error
        except ValueError as error:
            raise PinchError(f"{path}: row {count + 1}: {_TOO_LONG}") from error
        count += 1
        try:
            yield count, _object(value)
        except ValueError as error:
            refuse(count, str(error))


def _object(value: Any) -> Row:
    if not isinstance(value, dict):
        raise ValueError(f"a JSON {type(value).__name__}, not an object")
    return value


def csv_rows(path: Path, texts: Iterator[tuple[int, str]], delimiter: str, refuse: Refuse) -> Numbered:
    """Read CSV; commas, semicolons, tabs or bars are told apart by the header."""
    numbered = lines(path, (text for _, text in texts))
    first = next((line for _, line in numbered), "")
    skipped = 0
    if said := re.fullmatch(r'"?sep=(.)"?\s*', first):
        delimiter, first, skipped = said[1], next((line for _, line in numbered), ""), 1
    delimiter = delimiter or max(",;\t|", key=re.sub('"[^"]*"', "", first).count)
    csv.field_size_limit(1 << 30)
    names = first.split(delimiter)
    spaced = len(names) > 1 and all(name.startswith(" ") for name in names[1:])
    reader = csv.reader(
        chain([first], (line for _, line in numbered)),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=spaced,
    )
    header: list[str] | None = None
    while True:
        number = reader.line_num + skipped + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise PinchError(
                f"{path}: row {number}: not CSV: {error}",
                fix="double the quotes inside a quoted field, or write the rows as JSON Lines",
            ) from error
        if cells is None:
            return
        if not cells:
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
            twice = [name for name, count in Counter(header).items() if name and count > 1]
            if twice:
                raise PinchError(f"{path}: row {number}: column {twice[0]!r} stands twice", fix="rename one")
            continue
        if len(cells) != len(header):
            refuse(
                number,
                f"{len(cells)} columns, the header has {len(header)}",
                "quote fields that hold the separator or a line break",
            )
            continue
        yield number, dict(zip(header, cells, strict=True))
