"""Few rows out of many: first where they are, then the texts of only those row groups that hold one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

# Unpacked so few at once, texts stay in the processor's cache: two thirds of the time that a row group at
# once takes, and little of its memory.
_TEXTS, _IDS = 2048, 131_072


@dataclass(frozen=True)
class Found:
    """Training rows of a row group.

    Attributes:
        group: where they are.
        positions: where in it, ascending.
        ids: their item_id and language.
    """

    group: ds.Fragment
    positions: npt.NDArray[np.int64]
    ids: pa.Table

    def pairs(self) -> list[tuple[str, str]]:
        """Return each row's (item, language)."""
        return list(zip(self.ids["item_id"].to_pylist(), self.ids["language"].to_pylist(), strict=True))

    def only(self, wanted: set[tuple[str, str]]) -> Found:
        """Return those of some pairs."""
        kept = np.array([pair in wanted for pair in self.pairs()], bool)
        return Found(self.group, self.positions[kept], self.ids.filter(kept))


def find(dataset: ds.Dataset, items: pa.Array, languages: Sequence[str]) -> list[Found]:
    """Return where the training rows of some items in some languages are, in the dataset's order."""
    where = pc.field("language").isin(list(languages)) & (pc.field("split") == "train")
    groups: list[ds.Fragment] = []
    for fragment in dataset.get_fragments():
        plain = _is_plain(fragment, dataset.schema)
        groups += fragment.split_by_row_group(where, dataset.schema) if plain else [fragment]
    look = partial(_look, schema=dataset.schema, items=items, languages=pa.array(languages, pa.string()))
    with ThreadPoolExecutor(pa.cpu_count()) as threads:
        return [found for found in threads.map(look, groups) if len(found.positions)]


def unpack(dataset: ds.Dataset, found: Sequence[Found], columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield columns of the rows found, a table for each row group."""
    with ThreadPoolExecutor(pa.cpu_count()) as threads:
        yield from threads.map(partial(_unpack, schema=dataset.schema, columns=columns), found)


def _look(group: ds.Fragment, schema: pa.Schema, items: pa.Array, languages: pa.Array) -> Found:
    positions, ids, start = [np.empty(0, np.int64)], [_ids(schema).empty_table()], 0
    for batch in _read(group, schema, ["item_id", "language", "split"], _IDS):
        near = np.flatnonzero(pc.is_in(batch.column("item_id"), value_set=items))
        rows = pa.table(batch.take(near))
        split, tags = rows["split"].cast(pa.string()), rows["language"].cast(pa.string())
        wanted = pc.and_(pc.is_in(tags, value_set=languages), pc.fill_null(pc.equal(split, "train"), False))
        positions.append(start + near[wanted.to_numpy()])
        ids.append(rows.filter(wanted).select(["item_id", "language"]).cast(_ids(schema)))
        start += batch.num_rows
    return Found(group, np.concatenate(positions), pa.concat_tables(ids))


def _ids(schema: pa.Schema) -> pa.Schema:
    return pa.schema([schema.field("item_id"), schema.field("language")])


def _unpack(found: Found, schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    as_asked = pa.schema([schema.field(name) for name in columns])
    kept, start = [as_asked.empty_table()], 0
    for batch in _read(found.group, schema, columns, _TEXTS):
        first, end = np.searchsorted(found.positions, [start, start + batch.num_rows])
        if end > first:
            rows = pa.table(batch.take(pa.array(found.positions[first:end] - start)))
            kept.append(rows.select(as_asked.names).cast(as_asked))
        start += batch.num_rows
    return pa.concat_tables(kept)


def _is_plain(fragment: ds.Fragment, schema: pa.Schema) -> bool:
    return isinstance(fragment, ds.ParquetFileFragment) and fragment.physical_schema == schema


def _read(
    group: ds.Fragment, schema: pa.Schema, columns: Sequence[str], rows: int
) -> Iterator[pa.RecordBatch]:
    """Yield columns, in any order; those of few values as they are in the file, dictionary-encoded."""
    if not _is_plain(group, schema):
        yield from group.to_table(schema, columns=list(columns), use_threads=False).to_batches(rows)
        return
    coded = [name for name in columns if name in ("language", "source", "split")]
    numbers = [row_group.id for row_group in group.row_groups]
    with pq.ParquetFile(
        group.open(), metadata=group.metadata, read_dictionary=coded, buffer_size=1 << 20
    ) as file:
        yield from file.iter_batches(rows, numbers, list(columns), use_threads=False)
