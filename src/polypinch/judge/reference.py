"""The judge ``reference``: fidelity times chrF against a reference answer. Not an LLM judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
from sacrebleu.metrics import CHRF

from polypinch.judge.protocol import ORDERS, VERDICT_SCHEMA

NAME = "reference"
TIE_MARGIN = 2.0

Key = tuple[str, str]
"""(item_id, language)."""


def chrf(text: str, reference: str) -> float:
    """Return sentence-level chrF, 0 to 100 (Popović 2015), as sacrebleu computes it."""
    return float(CHRF(eps_smoothing=True).sentence_score(text, [reference]).score) if text else 0.0


def quality(text: str, reference: str, in_language: bool | None) -> float:
    """Return fidelity × chrF, 0 to 100.

    An answer whose language cannot be told (a number, one short word) is not held to be in the wrong one.
    """
    return 0.0 if in_language is False else chrf(text, reference)


def judge(
    arm: str,
    against: str,
    seed: int,
    ours: Mapping[Key, float],
    theirs: Mapping[Key, float],
    keys: Sequence[Key],
    tie_margin: float = TIE_MARGIN,
) -> pa.Table:
    """Give verdicts on two arms' answers from their qualities.

    It sees no order, so its two orders agree; both are written so that every judge's verdicts look alike.

    Args:
        arm: whose score it is.
        against: whom it is compared with.
        seed: the training seed of ``arm``.
        ours: quality of each of the arm's answers; see :func:`quality`.
        theirs: quality of the other's.
        keys: which answers to compare; one that either side lacks gets a missing verdict.
        tie_margin: qualities no further apart than this, in points of chrF, are a tie.

    Returns:
        Two rows per key in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`.
    """
    rows = []
    for item, tag in keys:
        one, other = ours.get((item, tag)), theirs.get((item, tag))
        for order in ORDERS:
            row = {
                "arm": arm,
                "against": against,
                "seed": seed,
                "item_id": item,
                "language": tag,
                "order": order,
                "judge": NAME,
                "winner": None,
                "error": None,
            }
            if one is None or other is None:
                row["error"] = "an answer or its reference is missing"
            elif abs(one - other) <= tie_margin:
                row["winner"] = "tie"
            else:
                row["winner"] = "first" if (one > other) == (order == "arm_first") else "second"
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)
