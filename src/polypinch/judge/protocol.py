"""The paper's protocol over verdicts: both orders, and a tie where the choice changes with the order.

Shaham et al. (2024), arXiv 2401.01854, section 2: each pair is judged twice with the order swapped; chosen
both times is a win, a choice that changes is a tie; win 1, tie 0.5, loss 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

PROBABILITIES = pa.struct([("first", pa.float64()), ("second", pa.float64()), ("tie", pa.float64())])

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
        ("raw", pa.string()),
        ("probabilities", PROBABILITIES),
        ("reason", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("cost", pa.float64()),
        ("arm_length", pa.int64()),
        ("against_length", pa.int64()),
    ]
)
"""One row per (pair, item, language, order, judge). ``order`` says who was shown first: ``arm_first`` or
``against_first``; ``winner`` is ``first``, ``second``, ``tie``, or null with an ``error``. What follows may
be null: the judge's reply as received, the probability it gave each choice, its reason, tokens and money
spent on the verdict (its failures included), and both answers' lengths in characters."""

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
Orders = Literal["both", "sampled"]
"""Whether each pair is judged in both orders, or in one that is drawn for its item and language."""


@dataclass(frozen=True)
class Sides:
    """Whose answers are compared.

    Attributes:
        arm: whose score it is.
        against: whom it is compared with.
        seed: the training seed of ``arm``, or ``None``.
    """

    arm: str
    against: str
    seed: int | None = None


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


def outcome(choices: Iterable[str | None], orders: Orders = "both") -> float | None:
    """Return 1, 0.5 or 0 for the choices in both orders; ``None`` where one of the two is missing.

    A missing verdict is never a tie: it is left out of the score and counted. Of a sampled order one choice
    is enough.
    """
    made = list(choices)
    if not made or None in made or (orders == "both" and len(made) < len(ORDERS)):
        return None
    if set(made) == {"arm"}:
        return 1.0
    return 0.0 if set(made) == {"against"} else 0.5


def outcomes(verdicts: pa.Table, orders: Orders = "both") -> pa.Table:
    """Join each pair's two orders.

    Args:
        verdicts: rows in :data:`VERDICT_SCHEMA`, in any order, of one judge.
        orders: in which they were judged; one of a sampled order decides alone, and cannot flip.

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
        made = [seen.get(order) for order in ORDERS] if orders == "both" else list(seen.values())
        unknown = None in made or len(made) < len(ORDERS)
        flipped = None if unknown else set(made) == {"arm", "against"}
        rows.append(
            {**dict(zip(_PAIR, key, strict=True)), "outcome": outcome(made, orders), "flipped": flipped}
        )
    return pa.Table.from_pylist(rows, schema=OUTCOME_SCHEMA)
