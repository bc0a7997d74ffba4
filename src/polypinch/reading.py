"""Rows from files as people have them, a chunk at a time, each with its number for whoever must mend it."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from polypinch.conversation import RowError, encodable
from polypinch.decoding import PACKED, pieces, unpacked
from polypinch.errors import PinchError
from polypinch.tabular import Numbered, Row, csv_rows, json_rows

CHUNK_ROWS = 16_384
HUB = "hub:"
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow")
NAMED = 3
"""How many bad rows of a kind are named; all are counted."""

_ARROW = (".arrow", ".feather")
_JSON = (".jsonl", ".ndjson", ".json")
_ABOUT = frozenset({"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"})
_SPLIT = re.compile(r"(train|test|validation|valid|dev)(?![A-Za-z])", re.IGNORECASE)
_WHOLE = re.compile(r"-?\d+\.0")
_DETAIL = re.compile(r"'[^']*'|\d+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file.

    Attributes:
        rows: each with its number: a line of JSON Lines or CSV, otherwise the position; from 1.
        done: how much of all files has been read, 0 to 1.
        where: the file, for errors.
        shard: which of the files it is, from 0; ``None`` where there is only one.
    """

    rows: list[tuple[int, Row]]
    done: float
    where: str = ""
    shard: int | None = None


@dataclass
class BadRows:
    """Rows that can't be used, gathered until all have been read.

    Attributes:
        rows: (file, row, reason) of each.
    """

    rows: list[tuple[str, int, str]] = field(default_factory=list)

    def add(self, where: str, row: int, reason: str) -> None:
        """Keep a row's reason."""
        self.rows.append((where, row, reason))

    def by_reason(self) -> list[str]:
        """Return a line for each kind of reason: the first rows, and how many more there are."""
        kinds: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for where, row, reason in self.rows:
            kind = reason if reason.startswith("unknown language") else _DETAIL.sub("…", reason)
            kinds.setdefault((where, kind), []).append((row, reason))
        told = []
        for (where, _), rows in kinds.items():
            also = ", ".join(str(row) for row, _ in rows[1:NAMED])
            more = f", … ({len(rows):,} rows)" if len(rows) > NAMED else ""
            told.append(
                f"{where}: row {rows[0][0]}: {rows[0][1]}" + (f"; also row {also}{more}" if also else "")
            )
        return told


def read_rows(
    where: str, revision: str | None = None, hub_split: str = "train", bad: BadRows | None = None
) -> Iterator[Chunk]:
    """Read JSON Lines, JSON, CSV, TSV, Parquet or Arrow (text also packed), or a Hub data set.

    A folder is read as its files in order of their names, or as ``datasets`` saved it; so is a pattern
    (``data/*.jsonl.zst``).

    Args:
        where: a path or pattern, or ``hub:OWNER/NAME``, ``hub:OWNER/NAME:CONFIG``, either with ``@REVISION``.
        revision: of the Hub data set, where ``where`` names none.
        hub_split: which of the splits of a data set, from the Hub or in a folder.
        bad: takes the rows that can't be read; without it the first of them is an error.

    Raises:
        PinchError: naming the file and row; see the readers.
    """
    if where.startswith(HUB):
        return _read_hub(where.removeprefix(HUB), revision, hub_split)
    return _read_files(data_files(where, hub_split), bad)


@contextmanager
def row_errors(path: Path, row: int | None, fix: str) -> Iterator[None]:
    """Tell whatever a stranger's row makes its reader stumble over as that row's fault, and by its place.

    A row may hold any value in any place; a reader names the faults that people make, and this the others.

    Args:
        path: the file.
        row: its number, or ``None`` for the file as a whole.
        fix: what to do.

    Raises:
        PinchError: instead of an error of Python's.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        said = str(error)
        if isinstance(error, KeyError):
            said = f"{error.args[0]} is missing"
        elif not isinstance(error, RowError):
            said = f"its values are not of the kinds that it needs ({type(error).__name__}: {error})"
        where = f"{path}: " if row is None else f"{path}: row {row}: "
        raise PinchError(where + said.encode(errors="backslashreplace").decode(), fix=fix) from error


def join_key(value: Any) -> str:
    """Return a key as the text that joins rows: 1, 1.0, ``"1 "`` and ``"1.0"`` are the same.

    Raises:
        RowError: it holds half a surrogate pair.
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return encodable(text[:-2] if _WHOLE.fullmatch(text) else text, "its key")


def data_files(where: str, split: str = "train") -> list[Path]:
    """Return the files that a path, a folder or a pattern means, in order.

    Raises:
        PinchError: there is none, or a folder's files are of several kinds.
    """
    path = Path(where)
    if path.is_file():
        return [path]
    if path.is_dir():
        return _in_folder(path, split)
    if any(sign in where for sign in "*?["):
        matching = [Path(name) for name in sorted(glob.glob(where, recursive=True), key=_natural)]
        files = [file for file in matching if file.is_file()]
        if not files:
            raise PinchError(f"{where}: no file has such a name", fix="check the pattern, and quote it")
        return files
    raise PinchError(f"{path}: no such file", fix="give a file, a folder of them, or hub:OWNER/NAME")


def kind_of(path: Path) -> str:
    """Return the ending that says what a file is, without that of its packing."""
    name = path.name
    if Path(name).suffix.lower() in PACKED:
        name = Path(name).stem
    return Path(name).suffix.lower()


def _natural(name: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdigit() and part.isascii() else (0, part)
        for part in re.split(r"(\d+)", name)
    ]


def _in_folder(folder: Path, split: str) -> list[Path]:
    if (folder / "dataset_dict.json").is_file():
        splits = sorted(child.name for child in folder.iterdir() if (child / "state.json").is_file())
        chosen = split if split in splits else splits[0] if len(splits) == 1 else None
        if chosen is None:
            raise PinchError(
                f"{folder}: a saved data set without a split {split!r}",
                fix=f"name one with --hub-split: {', '.join(splits) or 'there is none'}",
            )
        folder = folder / chosen
    if (folder / "state.json").is_file():
        return _saved(folder)
    files = [
        file
        for file in sorted(folder.rglob("*"), key=lambda file: _natural(str(file.relative_to(folder))))
        if file.is_file()
        and kind_of(file) in (*SUFFIXES, *_ARROW)
        and file.name not in _ABOUT
        and not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    ]
    if not files:
        raise PinchError(f"{folder}: a folder without data", fix=f"it should hold {', '.join(SUFFIXES)}")
    kinds = sorted({kind_of(file) for file in files})
    if len(kinds) > 1:
        raise PinchError(
            f"{folder}: files of several kinds: {', '.join(kinds)}",
            fix=f"name those you mean: '{folder}/*{kinds[0]}'",
        )
    of_split = {file: match[1].lower() if (match := _SPLIT.search(file.stem)) else "" for file in files}
    if len(set(of_split.values())) == 1:
        return files
    files = [file for file in files if of_split[file] == split]
    if not files:
        there = ", ".join(sorted(filter(None, set(of_split.values()))))
        raise PinchError(f"{folder}: no files of split {split!r}", fix=f"--hub-split says which: {there}")
    return files


def _saved(folder: Path) -> list[Path]:
    """Return the files of a data set that ``save_to_disk`` wrote."""
    try:
        named = [
            entry["filename"]
            for entry in json.loads((folder / "state.json").read_text("utf-8"))["_data_files"]
        ]
        files = [folder / Path(str(name)).name for name in named]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise PinchError(f"{folder / 'state.json'}: not as datasets' save_to_disk writes it") from error
    missing = [file.name for file in files if not file.is_file()]
    if missing or not files:
        raise PinchError(f"{folder}: lacks {', '.join(missing) or 'its data'}", fix="save the data set again")
    return files


def _read_files(files: list[Path], bad: BadRows | None) -> Iterator[Chunk]:
    for path in files:
        if kind_of(path) not in (*SUFFIXES, *_ARROW):
            raise PinchError(
                f"{path}: unknown kind of file {kind_of(path) or '(no suffix)'!r}",
                fix=f"known: {', '.join(SUFFIXES)}, text also packed ({', '.join(PACKED)})",
            )
    sizes = [max(path.stat().st_size, 1) for path in files]
    before, total = 0, sum(sizes)
    for shard, (path, size) in enumerate(zip(files, sizes, strict=True)):
        for rows, done in _read_file(path, bad):
            yield Chunk(rows, (before + size * done) / total, str(path), shard if len(files) > 1 else None)
        before += size


def _read_file(path: Path, bad: BadRows | None) -> Iterator[tuple[list[tuple[int, Row]], float]]:
    kind = kind_of(path)
    if kind == ".parquet":
        yield from _read_parquet(path, bad)
        return
    if kind in _ARROW:
        yield from _read_arrow(path, bad)
        return
    size = max(path.stat().st_size, 1)
    with unpacked(path) as (file, raw):
        texts, refuse = pieces(path, file), partial(_refuse, path, bad)
        if kind in _JSON:
            rows = json_rows(path, texts, refuse)
        else:
            rows = csv_rows(path, texts, "\t" if kind == ".tsv" else "", refuse)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            yield chunk, min(raw.tell() / size, 1.0)


def _refuse(path: Path, bad: BadRows | None, number: int, reason: str, fix: str | None = None) -> None:
    if bad is None:
        raise PinchError(f"{path}: row {number}: {reason}", fix=fix)
    bad.add(str(path), number, reason)


_Rows = Iterator[tuple[list[tuple[int, Row]], float]]
_UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError, ValueError, OverflowError)


def _read_parquet(path: Path, bad: BadRows | None) -> _Rows:
    try:
        with pq.ParquetFile(path) as file:
            yield from _arrow_rows(
                path, file.iter_batches(batch_size=CHUNK_ROWS), file.metadata.num_rows, bad
            )
    except _UNREADABLE as error:
        raise PinchError(
            f"{path}: not readable as Parquet: {error}", fix="fetch or write it again"
        ) from error


def _read_arrow(path: Path, bad: BadRows | None) -> _Rows:
    """Read an Arrow file, or the stream that ``datasets`` writes under the same ending."""
    try:
        with pa.OSFile(str(path)) as source:
            if source.read(6) == b"ARROW1":
                file = pa.ipc.open_file(source)
                batches = (file.get_batch(place) for place in range(file.num_record_batches))
            else:
                source.seek(0)
                batches = iter(pa.ipc.open_stream(source))
            cut = (
                batch.slice(start, CHUNK_ROWS)
                for batch in batches
                for start in range(0, batch.num_rows, CHUNK_ROWS)
            )
            yield from _arrow_rows(path, map(_valid, cut), None, bad)
    except _UNREADABLE as error:
        raise PinchError(f"{path}: not readable as Arrow: {error}", fix="fetch or write it again") from error


def _valid(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Refuse a batch whose offsets lead out of its memory: Arrow reads files without looking at them."""
    batch.validate(full=True)
    return batch


def _arrow_rows(path: Path, batches: Iterable[Any], total: int | None, bad: BadRows | None) -> _Rows:
    seen = 0
    batches = iter(batches)
    while True:
        try:
            batch = next(batches, None)
        except _UNREADABLE as error:
            raise PinchError(
                f"{path}: row {seen + 1} or later: damaged: {error}", fix="fetch or write it again"
            ) from error
        if batch is None:
            return
        try:
            rows = list(enumerate(batch.to_pylist(), start=seen + 1))
        except _UNREADABLE:
            rows = list(_one_by_one(path, batch, seen, bad))
        seen += batch.num_rows
        yield rows, seen / total if total else 0.0


def _one_by_one(path: Path, batch: Any, seen: int, bad: BadRows | None) -> Numbered:
    for place in range(batch.num_rows):
        try:
            yield seen + place + 1, batch.slice(place, 1).to_pylist()[0]
        except _UNREADABLE as error:
            what = "a text is not UTF-8" if isinstance(error, UnicodeDecodeError) else "a value can't be read"
            _refuse(path, bad, seen + place + 1, f"{what} ({error})")


def _read_hub(name: str, revision: str | None, split: str) -> Iterator[Chunk]:
    import datasets  # noqa: PLC0415 (slow to import)

    name, _, named = name.partition("@")
    name, _, config = name.partition(":")
    where = f"{HUB}{name}"
    try:
        data = datasets.load_dataset(name, config or None, split=split, revision=named or revision)
    except Exception as error:  # datasets raises many kinds, and the network more
        raise PinchError(
            f"{where}: {type(error).__name__}: {error}",
            fix="check the name, :CONFIG, @REVISION and --hub-split, and the network (HF_ENDPOINT, HF_TOKEN)",
        ) from error
    for rows, done in _arrow_rows(
        Path(where), data.with_format("arrow").iter(batch_size=CHUNK_ROWS), len(data), None
    ):
        yield Chunk(rows, done, where)
