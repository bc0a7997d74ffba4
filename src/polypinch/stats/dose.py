"""The smallest dose that is as good as full mixing, within a margin; or that this cannot be told.

What doses do against none is :mod:`.ladder`'s matter, and the curves through them that of :mod:`.curves`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate
from polypinch.stats.ladder import against_none, ends, ordered
from polypinch.stats.means import Bounds
from polypinch.stats.needed import ERROR, Needed, needed


@dataclass(frozen=True)
class DoseStep:
    """One test of the family.

    Attributes:
        dose: the dose under test.
        change: its difference to what it is compared with, positive for better; 95 % interval.
        told: whether its hypothesis was rejected, and so the next one tested.
    """

    dose: float
    change: Estimate
    told: bool


@dataclass(frozen=True)
class SmallestDose:
    """The smallest dose, or that it cannot be told.

    Attributes:
        dose: the smallest dose of which it can be said; ``None`` where it can be said of none.
        change: of that dose, positive for better; ``None`` with it.
        steps: the tests in the order made, down to the first that told nothing.
        needed: the sample that could tell the dose at which the tests ended; ``None`` where all were told,
            or where it is worse by more than the margin.
    """

    dose: float | None
    change: Estimate | None
    steps: tuple[DoseStep, ...]
    needed: Needed | None


def smallest_dose_within(
    margin: float,
    values: Array,
    doses: Sequence[float],
    lower_is_better: bool = False,
    languages: Sequence[int] | None = None,
    bounds: Bounds | None = None,
    error: float = ERROR,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SmallestDose:
    """Find the smallest dose that is worse than the largest (full mixing) by less than a margin.

    Non-inferiority, tested from the second largest dose down in a fixed order, to the first that may be worse
    by the margin (Hsu and Berger 1999, *JASA* 94, 468-482; Westfall and Krishen 2001, *J. Stat. Planning and
    Inference* 99, 25-40): the chance to call any dose good enough that is not stays below ``error``, whatever
    the shape of the response. Intervals are those of :func:`~polypinch.stats.dose_ladder`.

    Args:
        margin: how much worse is still as good; positive, in the unit of ``values``.
        values: (doses, seeds, items, languages), NaN where a value is missing; paired by item and seed.
        doses: amount of each, in any order.
        lower_is_better: as for a loss.
        languages: positions of the languages to average; all by default.
        bounds: ends of the measure's scale; ``None`` where it has none.
        error: of the family, one-sided.
        resamples: how many.
        seed: of the resampling.

    Raises:
        ValueError: as for :func:`~polypinch.stats.dose_ladder`, or the margin is not positive.
    """
    if not margin > 0:
        raise ValueError("a margin is positive")
    amounts, means, parts, known = ordered(values, doses, lower_is_better, languages)
    full = len(amounts) - 1
    contrast = np.eye(full + 1)[full - 1 :: -1]
    contrast[:, full] = -1
    found = against_none(contrast, means, parts, known, resamples, seed)
    low, high = ends(found, 1 - 2 * error, None if bounds is None else bounds.difference())
    steps: list[DoseStep] = []
    for at, dose in enumerate(amounts[full - 1 :: -1]):
        change = Estimate(
            float(found.value[at]),
            float(low[at]),
            float(high[at]),
            int(found.items[at]),
            int(found.seeds[at]),
        )
        steps.append(DoseStep(float(dose), change, change.low > -margin))
        if not steps[-1].told:
            break
    last = steps[-1]
    passed = steps if last.told else steps[:-1]
    effect = last.change.value + margin
    missing = needed(found, len(steps) - 1, effect, error) if not last.told and effect > 0 else None
    if not passed:
        return SmallestDose(None, None, tuple(steps), missing)
    return SmallestDose(passed[-1].dose, passed[-1].change, tuple(steps), missing)
