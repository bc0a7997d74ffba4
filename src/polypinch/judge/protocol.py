"""The paper's protocol over verdicts: both orders, and a tie where the choice changes with the order.

Shaham et al. (2024), arXiv 2401.01854, section 2: each pair is judged twice with the order swapped; chosen
both times is a win, a choice that changes is a tie; win 1, tie 0.5, loss 0.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

VERDICT_SCHEMA = pa.schema(
    [
        ("arm", pa.string()),
        ("against", pa.string()),
        ("seed", pa.int64()),
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("order", pa.string()),
        ("judge", pa.string()),
        ("winner", pa.string()),
        ("error", pa.string()),
    ]
)
"""One row per (pair, item, language, order, judge). ``order`` says who was shown first: ``arm_first`` or
``against_first``; ``winner`` is ``first``, ``second``, ``tie``, or null with an ``error``."""

OUTCOME_SCHEMA = pa.schema(
    [
        ("arm", pa.string()),
        ("against", pa.string()),
        ("seed", pa.int64()),
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("outcome", pa.float64()),
        ("flipped", pa.bool_()),
    ]
)

ORDERS = ("arm_first", "against_first")
_PAIR = ("arm", "against", "seed", "item_id", "language")


def choice(order: str, winner: str | None) -> str | None:
    """Return whom a verdict chose: ``arm``, ``against``, ``tie``, or ``None`` where it is missing.

    Raises:
        ValueError: the order or the winner is none that the protocol knows.
    """
    if order not in ORDERS or winner not in ("first", "second", "tie", None):
        raise ValueError(f"no verdict of the protocol: order {order!r}, winner {winner!r}")
    if winner in ("tie", None):
        return winner
    return "arm" if (winner == "first") == (order == "arm_first") else "against"


def outcome(choices: Iterable[str | None]) -> float | None:
    """Return 1, 0.5 or 0 for the choices in both orders; ``None`` where one of the two is missing.

    A missing verdict is never a tie: it is left out of the score and counted.
    """
    both = list(choices)
    if len(both) != len(ORDERS) or None in both:
        return None
    if both == ["arm", "arm"]:
        return 1.0
    return 0.0 if both == ["against", "against"] else 0.5


def outcomes(verdicts: pa.Table) -> pa.Table:
    """Join each pair's two orders.

    Args:
        verdicts: rows in :data:`VERDICT_SCHEMA`, in any order, of one judge.

    Returns:
        One row per pair, item and language in :data:`OUTCOME_SCHEMA`: ``outcome`` 1, 0.5, 0 or null, and
        ``flipped``, whether the same position won both times (null where a verdict is missing).

    Raises:
        ValueError: a pair was judged twice in the same order.
    """
    pairs: dict[tuple[object, ...], dict[str, str | None]] = {}
    for row in verdicts.to_pylist():
        seen = pairs.setdefault(tuple(row[name] for name in _PAIR), {})
        if row["order"] in seen:
            raise ValueError(f"judged twice in the same order: {row}")
        seen[row["order"]] = choice(row["order"], row["winner"])
    rows = []
    for key, seen in pairs.items():
        both = [seen.get(order) for order in ORDERS]
        missing = None in both
        flipped = None if missing else set(both) == {"arm", "against"}
        rows.append({**dict(zip(_PAIR, key, strict=True)), "outcome": outcome(both), "flipped": flipped})
    return pa.Table.from_pylist(rows, schema=OUTCOME_SCHEMA)
