"""Making a pool of other people's data, a chunk at a time."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from polypinch.errors import PinchError
from polypinch.files import disk_errors
from polypinch.languages import language
from polypinch.pool.formats import HUB, Row, read_rows
from polypinch.pool.layouts import RowError, Turns, conversation, converter, detect_layout, with_answers
from polypinch.pool.recipes import Example, Reading, Recipe, by_row, recipe
from polypinch.pool.table import MESSAGES, ORIGINS, POOL_SCHEMA, SPLITS
from polypinch.progress import bar

LINE = "line"
_TAGGED = re.compile(r"([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class ImportOptions:
    """How rows become items; see :func:`import_pool`.

    Attributes:
        language: tag of all rows.
        language_column: or the column that holds it.
        key: column whose value joins translations; ``line``: the row's number; ``None``: nothing joins.
        split: train, heldout, or the column that says which.
        layout: one of :data:`polypinch.pool.layouts.LAYOUTS`; told from the first row unless given.
        recipe: one of :data:`polypinch.pool.recipes.RECIPES` instead.
        source: name of the data; the first file's, unless given.
        licence: an SPDX id, or ``unknown``.
        origin: native, translated or model.
        answers: FastChat answer files, ``FILE`` or ``LANG=FILE``, joined by question_id.
        revision: of Hub data sets.
        hub_split: their split.
    """

    language: str | None = None
    language_column: str | None = None
    key: str | None = None
    split: str = "train"
    layout: str | None = None
    recipe: str | None = None
    source: str | None = None
    licence: str | None = None
    origin: str | None = None
    answers: Sequence[str] = ()
    revision: str | None = None
    hub_split: str = "train"


@dataclass
class Imported:
    """What an import wrote.

    Attributes:
        path: the Parquet file.
        rows: by split and language.
        left_out: rows that the layout leaves out on purpose (follow-ups, unranked or unanswered ones).
        seconds: it took.
    """

    path: Path
    rows: dict[str, Counter[str]] = field(default_factory=dict)
    left_out: int = 0
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """How many rows were written."""
        return sum(sum(counts.values()) for counts in self.rows.values())


def import_pool(
    inputs: Sequence[str], out: Path, options: ImportOptions | None = None, *, overwrite: bool = False
) -> Imported:
    """Read files or Hub data sets into one pool, a Parquet file in :data:`~polypinch.pool.POOL_SCHEMA`.

    Texts are trimmed and put in NFC. Memory stays at a few chunks of 16,384 rows, whatever the size
    (message trees hold their root prompts and first replies).

    Args:
        inputs: paths or ``hub:`` names, each optionally as ``LANG=…``.
        out: the Parquet file, written whole or not at all.
        options: how rows become items.
        overwrite: replace ``out`` if it stands.

    Raises:
        PinchError: an option makes no sense, a row is malformed (named by file and row), two rows are
            of the same item and language, nothing was read, or ``out`` can't be written.
    """
    chosen = _resolve(options or ImportOptions(), inputs)
    if out.exists() and not overwrite:
        raise PinchError(f"{out} exists already", fix="choose another file, or pass --overwrite")
    started, result, seen = time.monotonic(), Imported(out), _Seen()
    with _writer(out) as (writer, beside):
        for name in inputs:
            tag, where = split_tag(name)
            reading = _reading(chosen, _answers(chosen.answers, tag) if chosen.answers else None)
            with bar(f"reading {Path(where).name}", 100) as shown:
                before = 0.0
                for step in reading(read_rows(where, chosen.revision, chosen.hub_split), where):
                    result.left_out += step.left_out
                    if step.examples:
                        table = _table(step.examples, where, tag, chosen, result.total)
                        seen.add(table, where, [example.row for example in step.examples])
                        writer.write_table(table)
                        _count(result, table)
                    speed = result.total / max(time.monotonic() - started, 1e-6)
                    shown.advance((step.done - before) * 100, f"{result.total:,} rows, {speed:,.0f} rows/s")
                    before = step.done
        writer.close()
        if not result.total:
            raise PinchError(f"{', '.join(inputs)}: no rows to import")
        seen.refuse_duplicates(beside)
    result.seconds = time.monotonic() - started
    return result


def split_tag(name: str) -> tuple[str | None, str]:
    """Split ``LANG=FILE`` into a tag and a path; a path alone has no tag."""
    match = _TAGGED.fullmatch(name)
    if match is None or Path(name).exists():
        return None, name
    return language(match[1]).tag, match[2]


def _resolve(options: ImportOptions, inputs: Sequence[str]) -> ImportOptions:
    """Fill in what a recipe knows, and refuse what makes no sense before reading."""
    known: Recipe | None = recipe(options.recipe) if options.recipe else None
    if known is not None and options.layout:
        raise PinchError("a recipe knows its layout", fix="pass --recipe or --layout, not both")
    if options.language and options.language_column:
        raise PinchError("--language and --language-column exclude each other", fix="pass one of them")
    if options.origin is not None and options.origin not in ORIGINS:
        raise PinchError(f"unknown origin {options.origin!r}", fix=f"one of {', '.join(ORIGINS)}")
    if options.answers and options.layout not in (None, "fastchat"):
        raise PinchError(f"--answers is for layout fastchat, not {options.layout}")
    if options.layout:
        converter(options.layout)
    first = split_tag(inputs[0])[1]
    name = re.split(r"[:@]", first.removeprefix(HUB))[0]
    return replace(
        options,
        language=language(options.language).tag if options.language else known.language if known else None,
        source=options.source or options.recipe or Path(name).name.split(".")[0],
        licence=options.licence or (known.licence if known else "unknown"),
    )


def _reading(options: ImportOptions, answers: dict[str, list[str]] | None) -> Reading:
    if options.recipe:
        return recipe(options.recipe).read
    convert = converter(options.layout) if options.layout else None
    if answers is not None:
        convert = converter("fastchat")

    def example(number: int, row: Row) -> Example | None:
        nonlocal convert
        if convert is None:
            convert = converter(detect_layout(row))
        turns = convert(row)
        key = str(row["question_id"]) if "question_id" in row else None
        if answers is not None:
            turns = with_answers(row, answers.get(key or "", []))
            if not turns:
                return None
        return Example(number, turns, key, None, None, row)

    return by_row(example)


def _answers(names: Sequence[str], tag: str | None) -> dict[str, list[str]]:
    """Read the FastChat answers for a language: the turns of each question's first choice."""
    found: dict[str, list[str]] = {}
    for name in names:
        of, where = split_tag(name)
        if of not in (tag, None):
            continue
        for chunk in read_rows(where):
            for number, row in chunk.rows:
                try:
                    found[str(row["question_id"])] = row["choices"][0]["turns"]
                except (KeyError, IndexError, TypeError) as error:
                    raise PinchError(
                        f"{where}: row {number}: not a FastChat answer (question_id, choices[0].turns)"
                    ) from error
    if not found:
        raise PinchError(f"no answers for {tag or 'them'}", fix="give --answers LANG=FILE for each language")
    return found


def _table(
    examples: list[Example], where: str, tag: str | None, options: ImportOptions, before: int
) -> pa.Table:
    """Make a chunk's table: keys, languages, splits and origins as the options say."""
    known = recipe(options.recipe) if options.recipe else None
    items, tags, splits, origins, conversations = [], [], [], [], []
    for position, example in enumerate(examples, start=before + 1):
        row = example.source_row
        try:
            split = _split(options.split, row)
            conversations.append(conversation(example.turns, prompt_alone=split == "heldout"))
            items.append(_item(example, options, position))
            tags.append(tag or _tag(example, options, row))
            splits.append(split)
            origins.append(options.origin or example.origin or (known.origin if known else "native"))
        except RowError as error:
            raise PinchError(f"{where}: row {example.row}: {error}") from error
        except PinchError as error:
            raise PinchError(f"{where}: row {example.row}: {error.message}", fix=error.fix) from error
    count = len(examples)
    columns = [
        pa.array(items, pa.string()),
        pa.array(tags, pa.string()),
        _turns(conversations),
        pa.repeat(pa.scalar(options.source), count),
        pa.repeat(pa.scalar(options.licence), count),
        pa.array(origins, pa.string()),
        pa.array(splits, pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=POOL_SCHEMA)


def _turns(conversations: list[Turns]) -> pa.ListArray:
    """Make an Arrow list of turns without a Python object for each."""
    ends = np.cumsum([0, *(len(turns) for turns in conversations)], dtype=np.int32)
    roles = pa.array([role for turns in conversations for role, _ in turns], pa.string())
    texts = pa.array([text for turns in conversations for _, text in turns], pa.string())
    struct = pa.StructArray.from_arrays([roles, texts], fields=list(MESSAGES.value_type))
    return pa.ListArray.from_arrays(pa.array(ends), struct).cast(MESSAGES)


def _split(split: str, row: Row) -> str:
    value = split if split in SPLITS else row.get(split)
    if value not in SPLITS:
        raise RowError(f"column {split!r} says {value!r}, a split is train or heldout")
    return str(value)


def _item(example: Example, options: ImportOptions, position: int) -> str:
    if options.key == LINE:
        return f"{options.source}-{example.row}"
    if options.key is not None:
        value = example.source_row.get(options.key)
        if value is None or value == "":
            raise RowError(f"no key in column {options.key!r}")
        return str(value)
    return example.key if example.key is not None else f"{options.source}-{position}"


def _tag(example: Example, options: ImportOptions, row: Row) -> str:
    if options.language_column is not None:
        said: Any = row.get(options.language_column)
        if not isinstance(said, str):
            raise RowError(f"no language in column {options.language_column!r}")
        return language(said).tag
    if options.language is not None:
        return options.language
    if example.language is None:
        raise PinchError("its language is not known", fix="pass --language, --language-column, or LANG=FILE")
    return language(example.language).tag


def _count(result: Imported, table: pa.Table) -> None:
    pairs = Counter(zip(table["split"].to_pylist(), table["language"].to_pylist(), strict=True))
    for (split, tag), count in pairs.items():
        result.rows.setdefault(split, Counter())[tag] += count


class _Seen:
    """The (item, language) of every row as a 64-bit hash: 16 bytes a row."""

    def __init__(self) -> None:
        self._hashes: list[np.ndarray[Any, Any]] = []
        self._rows: list[np.ndarray[Any, Any]] = []
        self._files: list[str] = []

    def add(self, table: pa.Table, where: str, rows: list[int]) -> None:
        pairs = zip(table["item_id"].to_pylist(), table["language"].to_pylist(), strict=True)
        self._hashes.append(np.fromiter((hash(pair) for pair in pairs), np.int64, len(rows)))
        self._rows.append(np.array(rows, dtype=np.int64))
        self._files.append(where)

    def refuse_duplicates(self, written: Path) -> None:
        hashes = np.concatenate(self._hashes)
        order = np.argsort(hashes, kind="stable")
        same = np.flatnonzero(hashes[order[1:]] == hashes[order[:-1]])
        if not len(same):
            return
        pairs = sorted((int(order[index]), int(order[index + 1])) for index in same)
        table = pq.read_table(written, columns=["item_id", "language"])
        for first, second in pairs:
            one, other = (table.slice(place, 1).to_pylist()[0] for place in (first, second))
            if one == other:
                raise PinchError(
                    f"item {one['item_id']!r} stands twice in {one['language']!r}:"
                    f" {self._place(first)} and {self._place(second)}",
                    fix="remove one of them, or name a --key that tells them apart",
                )

    def _place(self, position: int) -> str:
        for rows, name in zip(self._rows, self._files, strict=True):
            if position < len(rows):
                return f"{name} row {rows[position]}"
            position -= len(rows)
        raise IndexError(position)


@contextmanager
def _writer(out: Path) -> Iterator[tuple[pq.ParquetWriter, Path]]:
    """Open a Parquet writer beside ``out``; what it wrote becomes ``out`` only if all went well."""
    beside = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    with disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            with pq.ParquetWriter(beside, POOL_SCHEMA, compression="zstd") as writer:
                yield writer, beside
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            beside.replace(out)
        finally:
            beside.unlink(missing_ok=True)
