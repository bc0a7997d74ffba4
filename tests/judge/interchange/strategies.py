"""Verdicts of any content."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from polypinch.judge import ORDERS, VERDICT_SCHEMA

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
COUNT = st.none() | st.integers(0, 2**40)


@st.composite
def verdicts(draw: st.DrawFn) -> pa.Table:
    """Verdicts of a judge or two on pairs of two arms, missing ones and lone orders among them."""
    arm, against = draw(st.lists(NAME, min_size=2, max_size=2, unique=True))
    rows: list[dict[str, Any]] = []
    for item, tag, judge in draw(
        st.lists(st.tuples(NAME, st.sampled_from(["en", "fi"]), NAME), min_size=1, max_size=4, unique=True)
    ):
        seed = draw(st.none() | st.integers(0, 9))
        for order in draw(st.sampled_from([ORDERS, ORDERS[:1], ORDERS[1:]])):
            winner = draw(st.sampled_from(["first", "second", "tie", None]))
            chance = draw(st.none() | st.floats(0, 1))
            spread = None if chance is None else {"first": chance, "second": 1 - chance, "tie": 0.0}
            rows.append(
                {
                    "arm": arm,
                    "against": against,
                    "seed": seed,
                    "item_id": item,
                    "language": tag,
                    "order": order,
                    "judge": judge,
                    "winner": winner,
                    "error": None if winner else draw(NAME),
                    "raw": draw(st.none() | TEXT),
                    "probabilities": spread,
                    "prompt_tokens": draw(COUNT),
                    "cost": draw(st.none() | st.floats(0, 10)),
                }
            )
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)


def in_order(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=lambda row: [repr(value) for value in row.values()])
