"""How long tuning would take: a study on rows that stand in for those still to be translated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from polypinch.files import write_table
from polypinch.pool import PINCH25, POOL_SCHEMA, open_pool
from polypinch.season.gathered import ROWS, Gathered
from polypinch.season.heldout import HELDOUT
from polypinch.season.pinch import Pinch
from polypinch.season.season import Tuning
from polypinch.season.tuned import preflighted, study_of
from polypinch.translate import Wanted


def minutes_to_tune(
    pinch: Pinch,
    gathered: Gathered,
    wanted: Sequence[Wanted],
    tuning: Tuning,
) -> float:
    """Time the model for a few seconds, and return the minutes that tuning and measuring would take here.

    Rows that are still to be translated count as if they were as long as they are now.

    Raises:
        PinchError: something would stop it.
    """
    stand_ins = [_as_if_translated(row) for row in wanted]
    held = open_pool(PINCH25).select()
    ids = [
        item
        for item, split in zip(held["item_id"].to_pylist(), held["split"].to_pylist(), strict=True)
        if split == "heldout"
    ]
    first = set(list(dict.fromkeys(ids))[: tuning.items])
    tags = (pinch.plan.base, *pinch.languages)
    with TemporaryDirectory() as name:
        folder = Path(name)
        english = {
            row["item_id"]: row
            for row in held.to_pylist()
            if row["language"] == "en" and row["item_id"] in first
        }
        heldout = [{**row, "language": tag} for row in english.values() for tag in tags]
        write_table(folder / HELDOUT, pa.Table.from_pylist(heldout, schema=POOL_SCHEMA))
        rows = [gathered.pool.select().cast(POOL_SCHEMA), pa.Table.from_pylist(stand_ins, schema=POOL_SCHEMA)]
        write_table(folder / ROWS, pa.concat_tables(rows))
        pools = (str(folder / ROWS),) if pinch.translated else (str(folder / ROWS), PINCH25)
        plan = pinch.plan.model_copy(update={"pool": pools if len(pools) > 1 else pools[0]})
        study = study_of(plan, tuning, pinch.languages, folder / HELDOUT)
        seconds = preflighted(study, folder).seconds
    return (seconds or 0.0) / 60


def _as_if_translated(row: Wanted) -> dict[str, object]:
    return {**row._asdict(), "origin": "translated"}
