"""A judge's verdicts as the choices of one more annotator."""

from __future__ import annotations

import pyarrow as pa

from polypinch.judge.labels.table import LABEL_SCHEMA
from polypinch.judge.protocol import outcomes

_WINNER = {1.0: "first", 0.5: "tie", 0.0: "second"}


def judge_labels(verdicts: pa.Table, name: str) -> pa.Table:
    """Join each pair's two orders into one choice, as the two-order protocol does.

    The arm's answer is the one answer, so a win of the arm is ``first``; a choice that changes with the
    order is a tie; a pair that lacks a verdict in either order stays without a choice.

    Args:
        verdicts: of one judge, on pairs that differ in ``item_id`` or language.
        name: the judge's, in place of an annotator's.

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
        for row in outcomes(verdicts).to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)
