"""The pool: instruction rows, one per (item, language), read through Arrow without being held in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from polypinch.errors import PinchError
from polypinch.files import file_sha256, fingerprint
from polypinch.pool.table import POOL_SCHEMA

BATCH_ROWS = 16_384
_IMPORT = "polypinch pool import turns other layouts into a pool"


class Pool:
    """Instruction examples, parallel across languages.

    Attributes:
        name: how errors and manifests name it.
        fingerprint: 64 hex digits of its content.
    """

    def __init__(self, dataset: ds.Dataset, name: str, fingerprint: str) -> None:
        missing = [field.name for field in POOL_SCHEMA if field.name not in dataset.schema.names]
        if missing:
            raise PinchError(f"{name}: column {', '.join(missing)} is missing", fix=_IMPORT)
        for field in POOL_SCHEMA:
            found = dataset.schema.field(field.name).type
            if found != field.type:
                raise PinchError(f"{name}: column {field.name} is {found}, not {field.type}", fix=_IMPORT)
        self._dataset, self.name, self.fingerprint = dataset, name, fingerprint
        self._counts: dict[str, dict[str, int]] | None = None

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
        return cls(dataset, name or str(path), fingerprint([file_sha256(file) for file in files]))

    def without(self, items: pa.Array, reason: str) -> Pool:
        """Return this pool less some items, in every language; ``reason`` becomes part of its fingerprint."""
        kept = ~pc.field("item_id").isin(items)
        digest = fingerprint([self.fingerprint, reason, sorted(items.to_pylist())])
        return Pool(self._dataset.filter(kept), self.name, digest)

    def batches(self, columns: Sequence[str], where: pc.Expression | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches of at most 16,384, never more than a few in memory."""
        options = ds.ParquetFragmentScanOptions(use_buffered_stream=True, pre_buffer=False)
        yield from self._dataset.to_batches(
            columns=list(columns),
            filter=where,
            batch_size=BATCH_ROWS,
            batch_readahead=8,  # enough for two row groups at once, which two cores decode side by side
            fragment_readahead=1,
            **({"fragment_scan_options": options} if isinstance(self._dataset, ds.FileSystemDataset) else {}),
        )

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
        return self._dataset.head(rows, columns=names, filter=where, batch_size=BATCH_ROWS)

    def count(self, where: pc.Expression | None = None) -> int:
        """Return how many rows match."""
        return int(self._dataset.count_rows(filter=where))

    def split_languages(self) -> dict[str, dict[str, int]]:
        """Return the number of rows by split and language: ``{"train": {"en": 160, …}, …}``."""
        if self._counts is not None:
            return self._counts
        counts: dict[str, dict[str, int]] = {}
        for batch in self.batches(["split", "language"]):
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
