"""What a pool consists of."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.pool.builtin import BUILTIN, pinch12_items
from polypinch.pool.pool import Pool

_KINDS = {"sources": "source", "licences": "licence", "origins": "origin"}


def summary(pool: Pool) -> dict[str, Any]:
    """Count rows by split and language, source, licence and origin; pinch12's items by task and stratum."""
    counted: dict[str, Any] = {kind: {} for kind in _KINDS}
    for batch in pool.batches(list(_KINDS.values())):
        for kind, column in _KINDS.items():
            for pair in pc.value_counts(batch.column(column)).to_pylist():
                name = str(pair["values"])
                counted[kind][name] = counted[kind].get(name, 0) + pair["counts"]
    found = {
        "pool": pool.name,
        "fingerprint": pool.fingerprint,
        "total": pool.count(),
        "items": len(pc.unique(pool.select(["item_id"])["item_id"])),
        "languages": pool.languages(),
        "rows": pool.split_languages(),
        **counted,
    }
    if pool.name in BUILTIN:
        items = pinch12_items(pool.name)
        found["tasks"] = _tasks(items)
        found["heldout"] = {row["values"]: row["counts"] for row in _held(items)}
    return found


def _held(items: pa.Table) -> list[dict[str, Any]]:
    return pc.value_counts(items["stratum"].drop_null()).to_pylist()  # type: ignore[no-any-return]


def _tasks(items: pa.Table) -> dict[str, dict[str, int]]:
    """Count items by task: ``{"advice": {"everyday train": 9, …}, …}``."""
    grouped = items.group_by(["task", "domain", "split"]).aggregate([([], "count_all")])
    tasks: dict[str, dict[str, int]] = {}
    for row in sorted(grouped.to_pylist(), key=lambda row: (row["task"], row["domain"], row["split"])):
        tasks.setdefault(row["task"], {})[f"{row['domain']} {row['split']}"] = row["count_all"]
    return tasks
