"""Reading rows from files and the Hub, a chunk at a time, with the row's number for whoever must mend it."""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from polypinch.errors import PinchError

CHUNK_ROWS = 16_384
HUB = "hub:"
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")

_BETWEEN = frozenset(" \t\r\n,")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file.

    Attributes:
        rows: each with its number: a line of JSON Lines or CSV, otherwise the position; from 1.
        done: how much of the file has been read, 0 to 1.
    """

    rows: list[tuple[int, Row]]
    done: float


def read_rows(where: str, revision: str | None = None, hub_split: str = "train") -> Iterator[Chunk]:
    """Read JSON Lines, JSON, CSV, TSV or Parquet (text also gzipped), or a Hub data set.

    Args:
        where: a path, or ``hub:OWNER/NAME``, ``hub:OWNER/NAME:CONFIG``, either with ``@REVISION``.
        revision: of the Hub data set, where ``where`` names none.
        hub_split: which of its splits.

    Raises:
        PinchError: naming the file and row; see the readers.
    """
    if where.startswith(HUB):
        return _read_hub(where.removeprefix(HUB), revision, hub_split)
    path = Path(where)
    if not path.is_file():
        raise PinchError(f"{path}: no such file", fix="give a file, or hub:OWNER/NAME")
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix == ".parquet":
        return _read_parquet(path)
    if suffix in (".csv", ".tsv"):
        delimiter = "\t" if suffix == ".tsv" else ","
        return _read_text(path, lambda file: _csv_rows(path, _lines(path, file), delimiter))
    if suffix in (".jsonl", ".ndjson"):
        return _read_text(path, lambda file: _json_lines(path, _lines(path, file)))
    if suffix == ".json":
        return _read_text(path, lambda file: _json_rows(path, file))
    raise PinchError(
        f"{path}: unknown kind of file {suffix or '(no suffix)'!r}", fix=f"known: {', '.join(SUFFIXES)}"
    )


Lines = Iterator[tuple[int, str]]
PIECE_BYTES = 1 << 16


def _read_text(path: Path, parse: Callable[[IO[bytes]], Iterator[tuple[int, Row]]]) -> Iterator[Chunk]:
    size = path.stat().st_size
    try:
        with path.open("rb") as raw:
            file = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
            rows = parse(file)
            while chunk := list(islice(rows, CHUNK_ROWS)):
                yield Chunk(chunk, raw.tell() / max(size, 1))
    except PermissionError as error:
        raise PinchError(f"{path}: no permission to read it") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise PinchError(f"{path}: not a whole gzip file ({error})", fix="fetch it again") from error


def _lines(path: Path, file: IO[bytes], limit: int = -1) -> Lines:
    """Decode a file line by line, or in pieces of a line of ``limit`` bytes; each with its line's number."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    offset, number = 0, 1
    for line in chain(iter(lambda: file.readline(limit), b""), (b"",)):
        try:
            text = decoder.decode(line, final=limit < 0 or not line or line.endswith(b"\n"))
        except UnicodeDecodeError as error:
            byte, place = error.object[error.start], offset + len(line) - len(error.object) + error.start
            raise PinchError(
                f"{path}: row {number}: byte 0x{byte:02X} at offset {place} is not UTF-8",
                fix="save the file as UTF-8, for example: iconv -f LATIN1 -t UTF-8 OLD > NEW",
            ) from error
        offset += len(line)
        if text:
            yield number, text
        number += line.endswith(b"\n")


def _object(path: Path, number: int, value: Any) -> Row:
    if not isinstance(value, dict):
        raise PinchError(f"{path}: row {number}: a JSON {type(value).__name__}, not an object")
    return value


def _json_lines(path: Path, lines: Lines) -> Iterator[tuple[int, Row]]:
    for number, line in lines:
        if line.isspace():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise PinchError(f"{path}: row {number}: not JSON: {error.msg} (column {error.colno})") from error
        except RecursionError as error:
            raise PinchError(f"{path}: row {number}: nested too deeply") from error
        yield number, _object(path, number, value)


def _json_rows(path: Path, file: IO[bytes]) -> Iterator[tuple[int, Row]]:
    """Read a JSON array of objects without holding it whole; or JSON Lines under the wrong name."""
    pieces = _lines(path, file, PIECE_BYTES)
    text = next((piece.lstrip() for _, piece in pieces if not piece.isspace()), "")
    if not text.startswith("["):
        file.seek(0)
        yield from _json_lines(path, _lines(path, file))
        return
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
            for line, piece in pieces:  # noqa: B007 (the error names the last line)
                more += piece
                if len(more) >= wanted:
                    break
            if not more:
                raise PinchError(
                    f"{path}: row {count + 1}: not JSON: {error.msg} (the file's last line is {line})",
                    fix="the file has to be one JSON array of objects; it may be cut off",
                ) from error
            text, place = text[place:] + more, 0
            continue
        count += 1
        yield count, _object(path, count, value)


def _csv_rows(path: Path, lines: Lines, delimiter: str) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(1 << 30)
    reader = csv.reader((line for _, line in lines), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise PinchError(f"{path}: row {number}: not CSV: {error}") from error
        if cells is None:
            return
        if not cells:
            continue
        if header is None:
            header = cells
            continue
        if len(cells) != len(header):
            raise PinchError(
                f"{path}: row {number}: {len(cells)} columns, the header has {len(header)}",
                fix="quote fields that hold the separator or a line break",
            )
        yield number, dict(zip(header, cells, strict=True))


def _read_parquet(path: Path) -> Iterator[Chunk]:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, PermissionError) as error:
        raise PinchError(f"{path}: not readable as Parquet: {error}") from error
    with file:
        yield from _arrow_chunks(file.iter_batches(batch_size=CHUNK_ROWS), file.metadata.num_rows)


def _arrow_chunks(batches: Iterable[pa.RecordBatch | pa.Table], total: int) -> Iterator[Chunk]:
    seen = 0
    for batch in batches:
        rows = list(enumerate(batch.to_pylist(), start=seen + 1))
        seen += len(rows)
        yield Chunk(rows, seen / max(total, 1))


def _read_hub(name: str, revision: str | None, split: str) -> Iterator[Chunk]:
    import datasets  # noqa: PLC0415 (slow to import)

    name, _, named = name.partition("@")
    name, _, config = name.partition(":")
    try:
        data = datasets.load_dataset(name, config or None, split=split, revision=named or revision)
    except Exception as error:  # datasets raises many kinds, and the network more
        raise PinchError(
            f"{HUB}{name}: {type(error).__name__}: {error}",
            fix="check the name, :CONFIG, @REVISION and --hub-split, and the network (HF_ENDPOINT, HF_TOKEN)",
        ) from error
    yield from _arrow_chunks(data.with_format("arrow").iter(batch_size=CHUNK_ROWS), len(data))
