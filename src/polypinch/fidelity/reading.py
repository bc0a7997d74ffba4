"""Reading answers and their languages from files, with the row in every complaint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.languages import language
from polypinch.reading import read_rows


def read_answers(
    path: Path,
    text: str = "text",
    tag: str = "language",
    others: Sequence[str] = (),
    where: Sequence[tuple[str, str]] = (),
    optional: Sequence[str] = ("item_id",),
) -> pa.Table:
    """Read the answers and their languages.

    Args:
        path: whatever :func:`~polypinch.reading.read_rows` reads: a file, a folder of them or a pattern.
        text: the column of the answers.
        tag: the column of the language asked for; or, where a row has no such column, the language itself.
        others: further columns to keep, as text.
        where: (column, value): keep the rows that have this value there, compared as text.
        optional: columns to keep, as text, if all rows have them.

    Returns:
        A table of strings: text, language (a normalised tag), ``optional`` ones, ``others``.

    Raises:
        PinchError: the file can't be read, lacks a column, keeps no row, or a row's language is missing or
            unknown.
    """
    needed = list(dict.fromkeys([text, tag, *others, *(column for column, _ in where)]))
    told = _language_named(tag)
    kept: list[dict[str, str | None]] = []
    numbered = ((chunk.where, *row) for chunk in read_rows(str(path)) for row in chunk.rows)
    for file, line, given in numbered:
        row = given if told is None or tag in given else {**given, tag: told}
        missing = [column for column in needed if column not in row]
        if missing:
            there = ", ".join(map(str, row)) or "none"
            raise PinchError(
                f"{file}: row {line}: no column {', '.join(missing)}",
                fix=f"name the columns with --text and --language; there are: {there}",
            )
        if all(_as_text(row[column]) == value for column, value in where):
            own = {"text": _as_text(row[text]), "language": _tag(file, line, row[tag])}
            more = {column: _as_text(row[column]) for column in optional if row.get(column) is not None}
            kept.append({**{column: _as_text(row[column]) for column in others}, **more, **own})
    if not kept:
        wanted = " and ".join(f"{column}={value}" for column, value in where)
        raise PinchError(
            f"{path}: no rows" + (f" where {wanted}" if where else ""), fix="choose rows that exist"
        )
    names = [
        name
        for name in dict.fromkeys(["language", "text", *optional, *others])
        if all(name in r for r in kept)
    ]
    return pa.table({name: pa.array([row[name] for row in kept], pa.string()) for name in names})


def _language_named(tag: str) -> str | None:
    try:
        return language(tag).tag
    except PinchError:
        return None


def _as_text(value: Any) -> str | None:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if value is None or isinstance(value, str) else str(value)


def _tag(file: str, line: int, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PinchError(
            f"{file}: row {line}: no language", fix="give every row a BCP-47 tag such as en or sw"
        )
    try:
        return language(value.strip()).tag
    except PinchError as error:
        raise PinchError(f"{file}: row {line}: {error.message}", fix=error.fix) from error
