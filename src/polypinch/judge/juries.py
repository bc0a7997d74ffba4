"""Several judges as one: a jury (Verga et al. 2024, arXiv 2404.18796)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import pyarrow as pa

from polypinch.judge.protocol import VERDICT_SCHEMA

Rule = Literal["majority", "mean"]

_KEY = ("arm", "against", "seed", "item_id", "language", "order")
_POINTS = {"first": 1.0, "tie": 0.5, "second": 0.0}


def _majority(winners: list[str]) -> str:
    (first, votes), *rest = Counter(winners).most_common()
    return "tie" if rest and rest[0][1] == votes else first


def _mean(winners: list[str]) -> str:
    points = sum(_POINTS[winner] for winner in winners) / len(winners)
    return "tie" if points == 0.5 else "first" if points > 0.5 else "second"


def jury(tables: Sequence[pa.Table], rule: Rule = "majority") -> pa.Table:
    """Join several judges' verdicts into those of one, order by order.

    ``majority`` takes the choice with more votes than any other, and a tie where the lead is shared; ``mean``
    takes the side of the mean point (first 1, tie 0.5, second 0), and a tie at the middle. A judge who is
    missing has no vote; where half of the judges or more are missing, so is the jury's verdict.

    Args:
        tables: in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`, together of two judges or more.
        rule: ``majority`` or ``mean``.

    Returns:
        A verdict for every pair, item, language and order that any judge saw, by ``jury:RULE(one+other)``.

    Raises:
        ValueError: there is only one judge, or a judge gave two verdicts on the same thing.
    """
    votes: dict[tuple[object, ...], dict[str, str | None]] = {}
    names: dict[str, None] = {}
    for table in tables:
        for row in table.select([*_KEY, "judge", "winner"]).to_pylist():
            seen = votes.setdefault(tuple(row[name] for name in _KEY), {})
            if row["judge"] in seen:
                raise ValueError(f"judged twice by {row['judge']}: {row}")
            seen[row["judge"]] = row["winner"]
            names[row["judge"]] = None
    if len(names) < 2:
        raise ValueError(f"a jury needs two judges, there is {', '.join(names) or 'none'}")
    name = f"jury:{rule}({'+'.join(names)})"
    decide = _majority if rule == "majority" else _mean
    rows = []
    for key, seen in votes.items():
        winners = [winner for winner in seen.values() if winner is not None]
        quorum = 2 * len(winners) > len(names)
        rows.append(
            {
                **dict(zip(_KEY, key, strict=True)),
                "judge": name,
                "winner": decide(winners) if quorum else None,
                "error": None
                if quorum
                else f"{len(names) - len(winners)} of {len(names)} judges are missing",
            }
        )
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)
