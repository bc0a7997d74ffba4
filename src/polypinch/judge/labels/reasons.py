"""A judge's verdicts as the choices of one more annotator."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.judge.labels.table import LABEL_SCHEMA
from polypinch.judge.protocol import Orders, outcomes

_WINNER = {1.0: "first", 0.5: "tie", 0.0: "second"}


class Judged(NamedTuple):
    """What a judge chose.

    Attributes:
        labels: its choices, in :data:`~polypinch.judge.labels.LABEL_SCHEMA`.
        verdicts: order by order, or ``None`` where only its choices are known.
        orders: in which the verdicts were given.
    """

    labels: pa.Table
    verdicts: pa.Table | None = None
    orders: Orders = "both"


def judged(verdicts: pa.Table) -> dict[str, Judged]:
    """Return verdicts as choices, judge by judge.

    Where no pair has two verdicts of a judge, its order was sampled, and one decides.

    Args:
        verdicts: in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`, on pairs that differ in ``item_id`` or
            language.
    """
    found = {}
    for name in verdicts["judge"].unique().to_pylist():
        own = verdicts.filter(pc.field("judge") == name)
        pairs = own.group_by(["arm", "against", "seed", "item_id", "language"]).aggregate([]).num_rows
        orders: Orders = "sampled" if pairs == own.num_rows else "both"
        found[name] = Judged(judge_labels(own, name, orders), own, orders)
    return found


def judge_labels(verdicts: pa.Table, name: str, orders: Orders = "both") -> pa.Table:
    """Join each pair's two orders into one choice, as the two-order protocol does.

    The arm's answer is the one answer, so a win of the arm is ``first``; a choice that changes with the
    order is a tie; a pair that lacks a verdict in either order stays without a choice.

    Args:
        verdicts: of one judge, on pairs that differ in ``item_id`` or language.
        name: the judge's, in place of an annotator's.
        orders: in which they were judged; one of a sampled order decides alone.

    Returns:
        Rows in :data:`~polypinch.judge.labels.LABEL_SCHEMA`, without texts.
    """
    rows = [
        {
            "item_id": row["item_id"],
            "language": row["language"],
            "annotator": name,
            "winner": None if row["outcome"] is None else _WINNER[row["outcome"]],
            "source": "verdicts",
            "cluster": row["item_id"],
        }
        for row in outcomes(verdicts, orders).to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)
