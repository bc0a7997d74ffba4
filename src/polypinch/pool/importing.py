"""Making a pool of other people's data, a chunk at a time."""

from __future__ import annotations

import json
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

from polypinch.conversation import RowError, Turns, conversation, encodable, is_missing
from polypinch.errors import PinchError
from polypinch.files import disk_errors, write_text
from polypinch.languages import language
from polypinch.pool.layouts import converter, detect_layout, unused, with_answers
from polypinch.pool.recipes import Example, Reading, Recipe, by_row, recipe
from polypinch.pool.table import MESSAGES, ORIGINS, POOL_SCHEMA, SPLITS
from polypinch.progress import bar
from polypinch.reading import HUB, BadRows, join_key, read_rows
from polypinch.tabular import Row

LINE = "line"
_LABELS = frozenset({"id", "item_id", "question_id", "language", "lang", "split", "source"})
_COMPARED = 100_000
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
        hub_split: their split, or that of a folder that holds several.
        skip_bad: leave out rows that can't be used, and write which and why beside the pool.
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
    skip_bad: bool = False


@dataclass
class Imported:
    """What an import wrote.

    Attributes:
        path: the Parquet file.
        rows: by split and language.
        left_out: rows that the layout leaves out on purpose (follow-ups, unranked or unanswered ones).
        bad: rows that can't be used, left out as asked.
        skipped: the file that lists them, if there are any.
        notes: what was not used of the files, and keys that do not join.
        seconds: it took.
    """

    path: Path
    rows: dict[str, Counter[str]] = field(default_factory=dict)
    left_out: int = 0
    bad: BadRows = field(default_factory=BadRows)
    skipped: Path | None = None
    notes: list[str] = field(default_factory=list)
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
        PinchError: an option makes no sense, rows can't be used (after all were read: by reason, the first
            of each named by file and row), two rows are of the same item and language, nothing was read,
            or ``out`` can't be written.
    """
    chosen = _resolve(options or ImportOptions(), inputs)
    if out.exists() and not overwrite:
        raise PinchError(f"{out} exists already", fix="choose another file, or pass --overwrite")
    started, result, seen = time.monotonic(), Imported(out), _Seen()
    leftovers: Counter[str] = Counter()
    with _writer(out) as (writer, beside):
        for name in inputs:
            tag, where = split_tag(name)
            reading = _reading(chosen, _answers(chosen.answers, tag) if chosen.answers else None, leftovers)
            seen.begin(name)
            with bar(f"reading {Path(where).name}", 100) as shown:
                before = 0.0
                chunks = read_rows(where, chosen.revision, chosen.hub_split, result.bad)
                for step in reading(chunks, result.bad):
                    result.left_out += step.left_out
                    table, used = _table(step.examples, tag, chosen, result)
                    if used:
                        seen.add(table, used)
                        writer.write_table(table)
                        _count(result, table)
                    speed = result.total / max(time.monotonic() - started, 1e-6)
                    shown.advance((step.done - before) * 100, f"{result.total:,} rows, {speed:,.0f} rows/s")
                    before = step.done
        writer.close()
        if result.bad.rows and not (chosen.skip_bad and result.total):
            raise PinchError(
                "\n".join(result.bad.by_reason()),
                fix=f"mend them ({len(result.bad.rows):,} in all), or leave them out with --skip-bad",
            )
        if not result.total:
            raise PinchError(f"{', '.join(inputs)}: no rows to import")
        seen.refuse_duplicates(beside)
    result.notes = [
        f"not used: {name} (in {count:,} row{'s' if count > 1 else ''})" for name, count in leftovers.items()
    ]
    result.notes += seen.strangers()
    result.skipped = _list_skipped(out, result.bad)
    result.seconds = time.monotonic() - started
    return result


def _list_skipped(out: Path, bad: BadRows) -> Path | None:
    path = out.with_suffix(".skipped.jsonl")
    if not bad.rows:
        path.unlink(missing_ok=True)
        return None
    lines = [json.dumps({"file": file, "row": row, "reason": reason}) for file, row, reason in bad.rows]
    write_text(path, "\n".join(lines) + "\n")
    return path


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


def _reading(
    options: ImportOptions, answers: dict[str, list[str]] | None, leftovers: Counter[str]
) -> Reading:
    if options.recipe:
        return recipe(options.recipe).read
    layout = "fastchat" if answers is not None else options.layout
    named = {name for name in (options.key, options.language_column, options.split) if name is not None}

    def example(number: int, row: Row) -> Example | None:
        nonlocal layout
        if layout is None:
            layout = detect_layout(row)
        turns = converter(layout)(row)
        key = join_key(row["question_id"]) if "question_id" in row else None
        if answers is not None:
            turns = with_answers(row, answers.get(key or "", []))
            if not turns:
                return None
        leftovers.update(unused(row, layout) - named - _LABELS)
        return Example(number, turns, key, None, None, row)

    return by_row(example)


def _answers(names: Sequence[str], tag: str | None) -> dict[str, list[str]]:
    """Read the FastChat answers for a language: the turns of each question's first choice."""
    choices: dict[str, list[str]] = {}
    for name in names:
        of, where = split_tag(name)
        if of not in (tag, None):
            continue
        for chunk in read_rows(where):
            for number, row in chunk.rows:
                try:
                    key, turns = join_key(row["question_id"]), row["choices"][0]["turns"]
                except (KeyError, IndexError, TypeError, RowError) as error:
                    raise PinchError(
                        f"{chunk.where}: row {number}: not a FastChat answer (question_id, choices[0].turns)"
                    ) from error
                choices[key] = [turns] if isinstance(turns, str) else turns
    if not choices:
        raise PinchError(f"no answers for {tag or 'them'}", fix="give --answers LANG=FILE for each language")
    return choices


def _table(
    examples: list[Example], tag: str | None, options: ImportOptions, result: Imported
) -> tuple[pa.Table, list[Example]]:
    """Make a chunk's table (keys, languages, splits and origins as the options say) of what can be used."""
    known = recipe(options.recipe) if options.recipe else None
    used: list[Example] = []
    items, tags, splits, origins, conversations = [], [], [], [], []
    for position, example in enumerate(examples, start=result.total + 1):
        row = example.source_row
        try:
            split = _split(options.split, row)
            turns = conversation(example.turns, prompt_alone=split == "heldout")
            item, spoken = _item(example, options, position), tag or _tag(example, options, row)
        except RowError as error:
            result.bad.add(example.where, example.row, str(error))
            continue
        except PinchError as error:
            reason = error.message if error.fix is None else f"{error.message} ({error.fix})"
            result.bad.add(example.where, example.row, reason)
            continue
        used.append(example)
        conversations.append(turns)
        items.append(item)
        tags.append(spoken)
        splits.append(split)
        origins.append(options.origin or example.origin or (known.origin if known else "native"))
    count = len(used)
    columns = [
        pa.array(items, pa.string()),
        pa.array(tags, pa.string()),
        _turns(conversations),
        pa.repeat(pa.scalar(options.source), count),
        pa.repeat(pa.scalar(options.licence), count),
        pa.array(origins, pa.string()),
        pa.array(splits, pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=POOL_SCHEMA), used


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
        shard = "" if example.shard is None else f"{example.shard}-"
        return f"{options.source}-{shard}{example.row}"
    if options.key is not None:
        value = example.source_row.get(options.key)
        if is_missing(value):
            raise RowError(f"no key in column {options.key!r}")
        return join_key(value)
    return encodable(example.key, "its key") if example.key is not None else f"{options.source}-{position}"


def _tag(example: Example, options: ImportOptions, row: Row) -> str:
    if options.language_column is not None:
        said: Any = row.get(options.language_column)
        if not isinstance(said, str):
            raise RowError(f"no language in column {options.language_column!r}")
        return language(said).tag
    if options.language is not None:
        return options.language
    if example.language is None:
        raise PinchError(
            f"{example.where}: row {example.row}: its language is not known",
            fix="pass --language, --language-column, or LANG=FILE",
        )
    return language(example.language).tag


def _count(result: Imported, table: pa.Table) -> None:
    pairs = Counter(zip(table["split"].to_pylist(), table["language"].to_pylist(), strict=True))
    for (split, tag), count in pairs.items():
        result.rows.setdefault(split, Counter())[tag] += count


class _Seen:
    """The (item, language) of every row as a 64-bit hash, and where it is from: 20 bytes a row."""

    def __init__(self) -> None:
        self._hashes: list[np.ndarray[Any, Any]] = []
        self._rows: list[np.ndarray[Any, Any]] = []
        self._files: list[np.ndarray[Any, Any]] = []
        self._names: dict[str, int] = {}
        self._inputs: list[tuple[str, set[int], list[str]]] = []

    def begin(self, name: str) -> None:
        """Name the input of the rows that follow."""
        self._inputs.append((name, set(), []))

    def add(self, table: pa.Table, used: list[Example]) -> None:
        items = table["item_id"].to_pylist()
        pairs = zip(items, table["language"].to_pylist(), strict=True)
        self._hashes.append(np.fromiter((hash(pair) for pair in pairs), np.int64, len(used)))
        self._rows.append(np.array([example.row for example in used], dtype=np.int64))
        numbers = [self._names.setdefault(example.where, len(self._names)) for example in used]
        self._files.append(np.array(numbers, dtype=np.int32))
        _, sample, first = self._inputs[-1]
        sample.update(hash(item) for item in items[: max(_COMPARED - len(sample), 0)])
        first += items[: max(3 - len(first), 0)]

    def strangers(self) -> list[str]:
        """Tell of every input of several whose first items are in none of the others."""
        told = []
        for name, sample, first in self._inputs if len(self._inputs) > 1 else ():
            others = [other for other in self._inputs if other[0] != name]
            if sample and not any(sample & known for _, known, _ in others):
                theirs = ", ".join(repr(item) for _, _, items in others for item in items[:2])
                ours = ", ".join(map(repr, first))
                told.append(f"{name} shares no item with the other files ({ours}; theirs: {theirs})")
        return told

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
        rows, files = np.concatenate(self._rows), np.concatenate(self._files)
        return f"{list(self._names)[files[position]]} row {rows[position]}"


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
