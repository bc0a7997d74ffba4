"""What a judge favours beside the better answer: a place, a length; and how scores hang on fidelity.

All arrays are (seeds, items, languages), NaN where a value is missing; a comparison without training seeds
has one. Items are resampled with all their translations, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate
from polypinch.stats.means import SHARE, intervals


@dataclass(frozen=True)
class ByLanguage:
    """A number of each language, and the mean over languages, each weighing the same.

    Attributes:
        languages: in the order of the arrays; NaN where a language has no value.
        overall: the mean over those that have.
    """

    languages: tuple[Estimate, ...]
    overall: Estimate


def share(values: Array, resamples: int = RESAMPLES, seed: int = 0) -> ByLanguage:
    """Estimate a share per language, and their mean, with the intervals of :mod:`.means`.

    Args:
        values: in [0, 1].
        resamples: how many.
        seed: of the resampling.
    """
    languages = values.shape[2]
    found = intervals(values[None], [range(languages)], SHARE, resamples, seed)
    return ByLanguage(tuple(found.estimate(0, at) for at in range(languages)), found.estimate(0, languages))


@dataclass(frozen=True)
class Places:
    """How a judge's choice hangs on who is shown first.

    Attributes:
        flips: pairs in which the same place won in both orders, of those with both verdicts.
        first: pairs' verdicts for the answer shown first, of those that chose one; 0.5 favours no place.
    """

    flips: ByLanguage
    first: ByLanguage


def places(arm_first: Array, against_first: Array, seed: int = 0) -> Places:
    """Estimate flip rate and first-position rate (Zheng et al. 2023, arXiv 2306.05685, section 3.3).

    Args:
        arm_first: verdicts with the arm's answer shown first: 1 where the first answer won, 0 where the
            second did, 0.5 for a tie, NaN where the verdict is missing.
        against_first: the same with the other answer shown first.
        seed: of the resampling.
    """
    both = np.isfinite(arm_first) & np.isfinite(against_first)
    flipped = np.where(both, ((arm_first == against_first) & (arm_first != 0.5)).astype(float), np.nan)
    orders = np.stack([arm_first, against_first])
    chose = np.isfinite(orders) & (orders != 0.5)
    count = chose.sum(axis=0)
    first = np.full(count.shape, np.nan)
    np.divide(np.where(chose, orders, 0.0).sum(axis=0), count, out=first, where=count > 0)
    return Places(share(flipped, seed=seed), share(first, seed=seed))


def longer_wins(outcome: Array, length_difference: Array, seed: int = 0) -> ByLanguage:
    """Estimate how often the longer answer wins, of the pairs with a winner and of unlike length.

    Args:
        outcome: 1 where the arm won, 0 where it lost, 0.5 for a tie.
        length_difference: length of the arm's answer less that of the other, in any unit.
        seed: of the resampling.
    """
    counts = np.isin(outcome, (0.0, 1.0)) & np.isfinite(length_difference) & (length_difference != 0)
    longer = ((length_difference > 0) == (outcome == 1)).astype(float)
    return share(np.where(counts, longer, np.nan), seed=seed)


@dataclass(frozen=True)
class WithFidelity:
    """A score taken apart by the language of the answers.

    Attributes:
        score: of all pairs.
        both_right: the score of those pairs in which both answers are in the language asked for.
        wrong_language_losses: of the lost pairs, those where the arm's answer alone is in another language.
    """

    score: ByLanguage
    both_right: ByLanguage
    wrong_language_losses: ByLanguage


def with_fidelity(outcome: Array, ours: Array, theirs: Array, seed: int = 0) -> WithFidelity:
    """Take scores apart: did the pinch repair the language, or the content?

    Chen et al. (2023, arXiv 2309.08958) multiply score and language check; here both are shown. Where a
    fidelity is unknown, a pair is left out of what hangs on it, and of nothing else.

    Args:
        outcome: 1, 0.5 or 0.
        ours: whether the arm's answer is in the language asked for: 1, 0, or NaN where that cannot be told.
        theirs: the same of the other answer.
        seed: of the resampling.
    """
    lost = np.where(outcome == 0, 1.0, np.nan)
    # A loss is of the language or not; one unknown side does not matter where the other one settles it.
    wrong = np.where((ours == 0) & (theirs == 1), 1.0, np.where((ours == 1) | (theirs == 0), 0.0, np.nan))
    both = np.where((ours == 1) & (theirs == 1), outcome, np.nan)
    return WithFidelity(*(share(part, seed=seed) for part in (outcome, both, lost * wrong)))
