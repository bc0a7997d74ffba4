"""The pool: instruction rows, one per (item, language), read through Arrow without being held in memory."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from polypinch.errors import PinchError
from polypinch.files import file_sha256, fingerprint
from polypinch.pool.rows import Found, find, unpack
from polypinch.pool.table import POOL_SCHEMA

BATCH_ROWS = 16_384
_IMPORT = "polypinch pool import turns other layouts into a pool"


class Pool:
    """Instruction examples, parallel across languages.

    Attributes:
        name: how errors and manifests name it.
        parts: the pools that it was joined of; itself alone where it was not.
    """

    def __init__(
        self,
        dataset: ds.Dataset,
        name: str,
        fingerprint: str | Future[str],
        gone: pa.Array | None = None,
        parts: Sequence[Pool] = (),
    ) -> None:
        missing = [field.name for field in POOL_SCHEMA if field.name not in dataset.schema.names]
        if missing:
            raise PinchError(f"{name}: column {', '.join(missing)} is missing", fix=_IMPORT)
        for field in POOL_SCHEMA:
            found = dataset.schema.field(field.name).type
            if found != field.type:
                raise PinchError(f"{name}: column {field.name} is {found}, not {field.type}", fix=_IMPORT)
        self._dataset, self.name, self._fingerprint, self._gone = dataset, name, fingerprint, gone
        self._counts: dict[str, dict[str, int]] | None = None
        self.parts: tuple[Pool, ...] = tuple(parts) or (self,)

    @classmethod
    def from_table(cls, table: pa.Table, name: str) -> Pool:
        """Make a pool of a table in :data:`POOL_SCHEMA`."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        digest = hashlib.sha256(sink.getvalue()).hexdigest()
        return cls(ds.dataset(table), name, digest)

    @classmethod
    def from_parquet(cls, path: Path, name: str | None = None) -> Pool:
        """Open a Parquet file, or a folder of them, in :data:`POOL_SCHEMA`.

        Raises:
            PinchError: there is none, or a column is missing.
        """
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not files:
            raise PinchError(f"{path}: no Parquet file in it")
        try:
            dataset = ds.dataset([str(file) for file in files], format="parquet")
        except (pa.ArrowInvalid, FileNotFoundError) as error:
            raise PinchError(f"{path}: not readable as Parquet: {error}") from error
        return cls(dataset, name or str(path), _beside(files))

    @classmethod
    def joined(cls, pools: Sequence[Pool]) -> Pool:
        """Make one pool of several; of one, that very pool.

        Translations join across pools by their ``item_id``.

        Raises:
            PinchError: an id means two things: it is of one source here and of another there, or two pools
                have the same row.
        """
        if len(pools) == 1:
            return pools[0]
        refuse_clashes(pools)
        whole = ds.dataset([pool._dataset.replace_schema(POOL_SCHEMA) for pool in pools])
        digest = _later(lambda: fingerprint([pool.fingerprint for pool in pools]))
        return cls(whole, " + ".join(pool.name for pool in pools), digest, parts=pools)

    def base(self, language: str) -> Pool:
        """Return the pool that a mixture's base rows are of: the first part that has training rows in it."""
        having = (part for part in self.parts if language in part.split_languages().get("train", {}))
        return next(having, self)

    @property
    def fingerprint(self) -> str:
        """64 hex digits of its content.

        Raises:
            PinchError: a file of it cannot be read (any more).
        """
        return self._fingerprint if isinstance(self._fingerprint, str) else self._fingerprint.result()

    def without(self, items: pa.Array, reason: str) -> Pool:
        """Return this pool less some items, in every language; ``reason`` becomes part of its fingerprint."""
        digest = fingerprint([self.fingerprint, reason, sorted(items.to_pylist())])
        gone = items if self._gone is None else pa.concat_arrays([self._gone, items])
        whole = self.parts != (self,)
        parts = [part.without(items, reason) for part in self.parts] if whole else ()
        return Pool(self._dataset, self.name, digest, gone, parts)

    def _kept(self, where: pc.Expression | None) -> pc.Expression | None:
        if self._gone is None:
            return where
        kept = ~pc.field("item_id").isin(self._gone)
        return kept if where is None else kept & where

    def batches(self, columns: Sequence[str], where: pc.Expression | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches of at most 16,384, never more than a few in memory."""
        yield from _batches(self._dataset, columns, self._kept(where))

    def select(self, columns: Sequence[str] | None = None, where: pc.Expression | None = None) -> pa.Table:
        """Return the rows that match, as a table; meant for few."""
        names = list(columns) if columns is not None else POOL_SCHEMA.names
        schema = pa.schema([self._dataset.schema.field(name) for name in names])
        kept = [batch for batch in self.batches(names, where) if batch.num_rows]
        return pa.Table.from_batches(kept, schema=schema)

    def head(
        self, rows: int, columns: Sequence[str] | None = None, where: pc.Expression | None = None
    ) -> pa.Table:
        """Return the first rows that match, reading no further than they are."""
        names = list(columns) if columns is not None else POOL_SCHEMA.names
        return self._dataset.head(rows, columns=names, filter=self._kept(where), batch_size=BATCH_ROWS)

    def find(self, items: pa.Array, languages: Sequence[str]) -> list[Found]:
        """Return where the training rows of some items in some languages are."""
        kept = items if self._gone is None else items.filter(pc.invert(pc.is_in(items, value_set=self._gone)))
        return find(self._dataset, kept, languages)

    def unpack(self, found: Sequence[Found], columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield columns of rows found: a table for each of ``found``."""
        return unpack(self._dataset, found, columns)

    def count(self, where: pc.Expression | None = None) -> int:
        """Return how many rows match."""
        return int(self._dataset.count_rows(filter=self._kept(where)))

    def split_languages(self) -> dict[str, dict[str, int]]:
        """Return the number of rows by split and language: ``{"train": {"en": 160, …}, …}``."""
        if self._counts is not None:
            return self._counts
        counts: dict[str, dict[str, int]] = {}
        dataset = self._dataset
        if isinstance(dataset, ds.FileSystemDataset):
            # Of a few values each, they are counted as the numbers that the files hold, not as texts.
            coded = ds.ParquetFileFormat(dictionary_columns=["split", "language"])
            dataset = ds.dataset(dataset.files, format=coded)
        for batch in _batches(dataset, ["split", "language"], self._kept(None)):
            grouped = (
                pa.Table.from_batches([batch]).group_by(["split", "language"]).aggregate([([], "count_all")])
            )
            for row in grouped.to_pylist():
                tags = counts.setdefault(row["split"], {})
                tags[row["language"]] = tags.get(row["language"], 0) + row["count_all"]
        self._counts = {split: dict(sorted(tags.items())) for split, tags in sorted(counts.items())}
        return self._counts

    def languages(self) -> list[str]:
        """Return its language tags, sorted."""
        return sorted({tag for tags in self.split_languages().values() for tag in tags})


def _batches(
    dataset: ds.Dataset, columns: Sequence[str], where: pc.Expression | None
) -> Iterator[pa.RecordBatch]:
    options = ds.ParquetFragmentScanOptions(use_buffered_stream=True, pre_buffer=False)
    yield from dataset.to_batches(
        columns=list(columns),
        filter=where,
        batch_size=BATCH_ROWS,
        batch_readahead=8,  # enough for two row groups at once, which two cores decode side by side
        fragment_readahead=1,
        **({"fragment_scan_options": options} if isinstance(dataset, ds.FileSystemDataset) else {}),
    )


def _beside(files: Sequence[Path]) -> Future[str]:
    def hashed() -> str:
        try:
            return fingerprint([file_sha256(file) for file in files])
        except OSError as error:
            raise PinchError(f"{error.filename}: not readable: {error.strerror}") from error

    return _later(hashed)


def _later(work: Callable[[], str]) -> Future[str]:
    """Work beside all else: a fingerprint reads every byte, and is needed later."""
    result: Future[str] = Future()

    def take() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)  # whoever asks must not wait for ever

    Thread(target=take, daemon=True).start()
    return result


def refuse_clashes(pools: Sequence[Pool]) -> None:
    """Refuse pools in which an item's id means two things.

    Raises:
        PinchError: with how many ids, the first of them and where it stands.
    """
    tables = [pool.select(["item_id", "language", "source"]) for pool in pools]
    for (first, one), (second, other) in itertools.combinations(zip(pools, tables, strict=True), 2):
        shared = pc.unique(other["item_id"].filter(pc.is_in(other["item_id"], pc.unique(one["item_id"]))))
        if not len(shared):
            continue
        (sources, rows), (their_sources, their_rows) = (_of_items(table, shared) for table in (one, other))
        strange = sorted(item for item in sources if sources[item] != their_sources[item])
        if strange:
            item = strange[0]
            raise PinchError(
                f"{len(strange)} ids mean two things in two pools: {item!r} is of source {sources[item]!r} in"
                f" {first.name}, and of source {their_sources[item]!r} in {second.name}",
                fix="import one of them again with other ids (another --source, or --key)",
            )
        if doubled := sorted(rows & their_rows):
            item, tag = doubled[0]
            raise PinchError(
                f"{len(doubled)} rows stand in two pools: item {item!r} in {tag!r}, in {first.name} and in"
                f" {second.name}",
                fix="leave one of the two out",
            )


def _of_items(table: pa.Table, items: pa.Array) -> tuple[dict[str, str], set[tuple[str, str]]]:
    rows = table.filter(pc.is_in(table["item_id"], items)).to_pylist()
    sources = {row["item_id"]: row["source"] for row in rows}
    return sources, {(row["item_id"], row["language"]) for row in rows}
