"""pinch12, the built-in pool: 200 items written for this project, parallel in twelve languages."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import as_file, files

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.json as pj

from polypinch.errors import PinchError
from polypinch.languages import PAPER_LANGUAGES
from polypinch.pool.pool import Pool
from polypinch.pool.table import MESSAGES, POOL_SCHEMA

PINCH12 = "pinch12"
LICENCE = "CC0-1.0"
FIELDS = ("item_id", "split", "domain", "task", "instruction", "response")
_ROW = pa.schema([(name, pa.string()) for name in FIELDS])


@lru_cache(maxsize=1)
def _read() -> tuple[pa.Table, str]:
    """Return all rows with their language, and the SHA-256 of the files in the order of the languages."""
    digest, tables = hashlib.sha256(), []
    options = pj.ParseOptions(explicit_schema=_ROW, unexpected_field_behavior="error")
    with as_file(files("polypinch.pool") / PINCH12) as folder:
        for tag in PAPER_LANGUAGES:
            path = folder / f"{tag}.jsonl"
            if not path.is_file():
                continue
            data = path.read_bytes()
            digest.update(tag.encode() + b"\0" + data)
            rows = pj.read_json(pa.BufferReader(data), parse_options=options)
            tables.append(rows.append_column("language", pa.repeat(pa.scalar(tag), rows.num_rows)))
    if not tables:
        raise PinchError("pinch12 is not in this installation", fix="install polypinch again")
    return pa.concat_tables(tables).combine_chunks(), digest.hexdigest()


def pinch12_items() -> pa.Table:
    """Return what every item of pinch12 is: item_id, split, domain and task, one row per item."""
    rows = _read()[0]
    english = rows.filter(pc.equal(rows["language"], "en"))
    return english.select(["item_id", "split", "domain", "task"])


def pinch12() -> Pool:
    """Open the built-in pool; its fingerprint is of its files' bytes."""
    rows, digest = _read()
    table = pa.table(
        {
            "item_id": rows["item_id"],
            "language": rows["language"],
            "messages": pa.chunked_array([_turns(rows)]),
            "source": pa.repeat(pa.scalar(PINCH12), rows.num_rows),
            "licence": pa.repeat(pa.scalar(LICENCE), rows.num_rows),
            "origin": pc.if_else(pc.equal(rows["language"], "en"), "model", "translated"),
            "split": rows["split"],
        },
        schema=POOL_SCHEMA,
    )
    return Pool(ds.dataset(table), PINCH12, digest)


def _turns(rows: pa.Table) -> pa.ListArray:
    """Interleave instructions and responses into two-turn conversations."""
    count = rows.num_rows
    texts = pa.concat_arrays([rows["instruction"].combine_chunks(), rows["response"].combine_chunks()])
    interleaved = pa.array([half * count + row for row in range(count) for half in (0, 1)], pa.int32())
    roles = pa.array(["user", "assistant"] * count)
    turns = pa.StructArray.from_arrays([roles, texts.take(interleaved)], names=["role", "content"])
    offsets = pa.array(range(0, 2 * count + 1, 2), pa.int32())
    return pa.ListArray.from_arrays(offsets, turns).cast(MESSAGES)
