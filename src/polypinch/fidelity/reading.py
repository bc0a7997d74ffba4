"""Reading answers from Parquet, CSV or JSON Lines, with the row in every complaint."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.files import read_table
from polypinch.languages import language

_Rows = Iterator[tuple[int, dict[str, Any]]]


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
        path: ``.parquet``, ``.csv``, ``.tsv``, or JSON Lines (``.jsonl``, ``.ndjson``, ``.json``).
        text: the column of the answers.
        tag: the column of the language asked for.
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
    kept: list[dict[str, str | None]] = []
    for line, row in _rows(path):
        missing = [column for column in needed if column not in row]
        if missing:
            there = ", ".join(map(str, row)) or "none"
            raise PinchError(
                f"{path}, row {line}: no column {', '.join(missing)}",
                fix=f"name the columns with --text and --language; there are: {there}",
            )
        if all(_as_text(row[column]) == value for column, value in where):
            own = {"text": _as_text(row[text]), "language": _tag(path, line, row[tag])}
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


def _rows(path: Path) -> _Rows:
    """Yield (1-based line, row); Parquet has rows for lines."""
    readers = {
        ".csv": _csv,
        ".tsv": _csv,
        ".jsonl": _json_lines,
        ".ndjson": _json_lines,
        ".json": _json_lines,
    }
    if path.suffix == ".parquet":
        table = read_table(path)
        for batch_start, batch in _numbered(table):
            yield from enumerate(batch.to_pylist(), start=batch_start)
        return
    if path.suffix not in readers:
        raise PinchError(
            f"{path}: cannot read {path.suffix or 'a file without an ending'}",
            fix="use .parquet, .csv, .tsv or .jsonl",
        )
    try:
        yield from readers[path.suffix](path)
    except FileNotFoundError as error:
        raise PinchError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise PinchError(
            f"{path}: not UTF-8 ({error.reason} at byte {error.start})", fix="save it as UTF-8"
        ) from error


def _numbered(table: pa.Table) -> Iterator[tuple[int, pa.RecordBatch]]:
    start = 1
    for batch in table.to_batches(max_chunksize=4096):
        yield start, batch
        start += batch.num_rows


def _csv(path: Path) -> _Rows:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",", strict=True)
        try:
            for row in reader:
                if None in row:
                    raise PinchError(
                        f"{path}, row {reader.line_num}: more fields than the header",
                        fix="put quotes around fields that hold commas",
                    )
                inside = sum(value.count("\n") for value in row.values() if value)  # lines of quoted fields
                yield reader.line_num - inside, row
        except csv.Error as error:
            raise PinchError(
                f"{path}, row {reader.line_num + 1}: malformed CSV ({error})", fix="mend its quotes"
            ) from error


def _json_lines(path: Path) -> _Rows:
    with path.open(encoding="utf-8-sig") as file:
        for line, written in enumerate(file, start=1):
            if not written.strip():
                continue
            try:
                row = json.loads(written)
            except json.JSONDecodeError as error:
                raise PinchError(
                    f"{path}, row {line}: malformed JSON ({error})", fix="write one object a line"
                ) from error
            if not isinstance(row, dict):
                raise PinchError(f"{path}, row {line}: not a JSON object", fix="write one object a line")
            yield line, row


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _tag(path: Path, line: int, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PinchError(
            f"{path}, row {line}: no language", fix="give every row a BCP-47 tag such as en or sw"
        )
    try:
        return language(value.strip()).tag
    except PinchError as error:
        raise PinchError(f"{path}, row {line}: {error.message}", fix=error.fix) from error
