"""Pairs for judges, with texts of which every one is its own."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from benchmarks.judge_stub import chosen
from polypinch.judge import PAIR_SCHEMA


def pair(index: int, **changes: Any) -> dict[str, Any]:
    made = {
        "item_id": f"i{index}",
        "language": "fi" if index % 2 else "en",
        "prompt": f"Miksi taivas on sininen? {index}",
        "arm_text": f"Koska valo siroaa, {index}.",
        "against_text": f"Because light scatters, {index}.",
        "reference": None,
    }
    return made | changes


def pairs(count: int, **changes: Any) -> pa.Table:
    return pa.Table.from_pylist([pair(index, **changes) for index in range(count)], schema=PAIR_SCHEMA)


def expected(row: dict[str, Any], of: dict[str, Any]) -> str:
    """Return what the stub says of a verdict's pair."""
    ours, theirs = of["arm_text"], of["against_text"]
    if ours.strip() == theirs.strip():
        return "tie"
    return chosen(ours, theirs) if row["order"] == "arm_first" else chosen(theirs, ours)
