"""What a judge favours and what its scores hang on: from verdicts and fidelities to numbers by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from polypinch.judge.protocol import Orders, outcomes
from polypinch.stats import Array, ByLanguage, length_controlled, longer_wins, places, with_fidelity

Key = tuple[str, str]
"""(item_id, language)."""

_FIRST = {"first": 1.0, "second": 0.0, "tie": 0.5}


@dataclass(frozen=True)
class Side:
    """One comparison of an arm: its verdicts, and the fidelity of both sides' answers.

    Attributes:
        verdicts: in :data:`~polypinch.judge.VERDICT_SCHEMA`.
        ours: whether each of the arm's answers is in the language asked for, 1 or 0; no entry where that
            cannot be told.
        theirs: the same of the other's.
    """

    verdicts: pa.Table
    ours: Mapping[Key, float]
    theirs: Mapping[Key, float]


@dataclass(frozen=True)
class OutcomeArrays:
    """An arm's comparisons as arrays, (seeds, items, languages), NaN where there is no value.

    Attributes:
        arm_first: 1, 0 or 0.5 where the answer shown first, which is the arm's, won, lost or tied.
        against_first: the same, with the other's answer shown first.
        outcome: 1, 0.5 or 0.
        longer_by: characters of the arm's answer less those of the other.
        ours: whether the arm's answer is in the right language.
        theirs: whether the other is.
    """

    arm_first: Array
    against_first: Array
    outcome: Array
    longer_by: Array
    ours: Array
    theirs: Array


def lay_out(
    sides: Sequence[Side], items: Sequence[str], languages: Sequence[str], orders: Orders
) -> OutcomeArrays:
    """Lay an arm's comparisons out, one for each seed.

    Args:
        sides: seed by seed.
        items: of the arrays.
        languages: of the arrays.
        orders: in which pairs were judged.
    """
    at = {item: index for index, item in enumerate(items)}
    position = {tag: index for index, tag in enumerate(languages)}
    arrays: dict[str, Array] = {
        name: np.full((len(sides), len(items), len(languages)), np.nan)
        for name in ("arm_first", "against_first", "outcome", "longer_by", "ours", "theirs")
    }
    for seed, side in enumerate(sides):
        for row in side.verdicts.to_pylist():
            key = (row["item_id"], row["language"])
            place = (seed, at[key[0]], position[key[1]])
            arrays[row["order"]][place] = _FIRST.get(row["winner"], np.nan)
            lengths = row["arm_length"], row["against_length"]
            if None not in lengths:
                arrays["longer_by"][place] = lengths[0] - lengths[1]
            arrays["ours"][place] = side.ours.get(key, np.nan)
            arrays["theirs"][place] = side.theirs.get(key, np.nan)
        for row in outcomes(side.verdicts, orders).to_pylist():
            if row["outcome"] is not None:
                arrays["outcome"][seed, at[row["item_id"]], position[row["language"]]] = row["outcome"]
    return OutcomeArrays(**arrays)


def influences(judged: OutcomeArrays, ordered: bool = True) -> dict[str, ByLanguage]:
    """Return what a judge's scores hang on, from 0 to 1, by name; see :mod:`polypinch.stats.bias`.

    After adaptive judging their intervals are approximate: it stopped by the score.

    Args:
        judged: an arm's comparisons.
        ordered: whether the judge is shown an order at all; ``reference`` is not.

    Returns:
        ``length_controlled`` and ``both_right``, which are scores; ``wrong_language_losses``; ``flips`` and
        ``firsts`` where there is an order; ``longer``.
    """
    apart = with_fidelity(judged.outcome, judged.ours, judged.theirs)
    found = {
        "length_controlled": length_controlled(judged.outcome, judged.longer_by).scores,
        "both_right": apart.both_right,
        "wrong_language_losses": apart.wrong_language_losses,
    }
    if ordered:
        of_places = places(judged.arm_first, judged.against_first)
        found |= {"flips": of_places.flips, "firsts": of_places.first}
    return {**found, "longer": longer_wins(judged.outcome, judged.longer_by)}
