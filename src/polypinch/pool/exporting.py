"""A pool's rows in a file: Parquet, which opens as a pool, or JSON Lines, which other tools read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.errors import PinchError
from polypinch.files import write_table, write_text
from polypinch.languages import languages as normal_tags
from polypinch.pool.pool import Pool
from polypinch.pool.table import POOL_SCHEMA, SPLITS


def export_pool(
    pool: Pool,
    out: Path,
    *,
    languages: Sequence[str] = (),
    split: str | None = None,
    overwrite: bool = False,
) -> int:
    """Write a pool's rows, whole or not at all; the file's ending says how.

    Args:
        pool: whose rows.
        out: ``.parquet``: a pool again, in :data:`~polypinch.pool.POOL_SCHEMA`; ``.jsonl``: a line for each
            row, ``{"item_id": …, "language": …, "messages": […], "source": …, "licence": …, …}``.
        languages: of these alone; by default all.
        split: ``train`` or ``heldout`` alone; by default both.
        overwrite: replace ``out`` if it stands.

    Returns:
        How many rows were written.

    Raises:
        PinchError: another ending or split, a language that the pool lacks, or a file that stands there.
    """
    if out.suffix not in (".parquet", ".jsonl"):
        raise PinchError(f"{out}: its ending says no format", fix="end it in .parquet or .jsonl")
    if split is not None and split not in SPLITS:
        raise PinchError(f"no split {split!r}", fix=f"one of {', '.join(SPLITS)}")
    if out.exists() and not overwrite:
        raise PinchError(f"{out} exists already", fix="choose another file, or pass --overwrite")
    tags = normal_tags(list(languages))
    lacking = [tag for tag in tags if tag not in pool.languages()]
    if lacking:
        raise PinchError(
            f"pool {pool.name} has no rows in {', '.join(lacking)}",
            fix=f"it has {', '.join(pool.languages())}",
        )
    where = pc.field("language").isin(tags or pool.languages())
    if split is not None:
        where &= pc.field("split") == split
    table = pool.select(where=where)
    if not table.num_rows:
        raise PinchError(f"pool {pool.name} has no such rows", fix="polypinch pool show says what it has")
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".parquet":
        write_table(out, table.cast(POOL_SCHEMA))
    else:
        write_text(out, json_lines(table))
    return int(table.num_rows)


def json_lines(table: pa.Table) -> str:
    """Return rows as JSON Lines, every column in its place."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
