"""The sample that could tell an effect, from the variances seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from polypinch.stats.levels import Levels

ERROR = 0.025
"""The family's error rate, one-sided: that of one end of a 95 % interval."""


@dataclass(frozen=True)
class Needed:
    """The sample with which an effect would be told four times in five.

    Attributes:
        effect: the effect assumed.
        items: held-out items at the present number of seeds; ``None`` where no number is enough.
        seeds: training seeds at the present number of items; ``None`` where 1,000 are not enough, and where
            there is one seed, whose spread is unknown.
    """

    effect: float
    items: int | None
    seeds: int | None


def needed(found: Levels, column: int, effect: float, error: float = ERROR, power: float = 0.8) -> Needed:
    """Return the sample with which one of ``found``'s contrasts would be told if it were ``effect``.

    Its variances by item, by training and by single answer are taken as they were estimated; with one seed
    the variance by training is unknown and taken as none.

    Args:
        found: contrasts over items and seeds.
        column: which one.
        effect: the true difference; positive.
        error: of the test, one-sided.
        power: the chance to tell it.
    """
    n, s = int(found.items[column]), int(found.seeds[column])
    of_answers = float(found.answers[column])
    single = of_answers * n * s
    pooled = float(found.freedom[column]) / max(s - 1, 1)
    by_item = max(float(found.over_items[column]) - of_answers, 0.0) * n
    by_seed = float(found.training[column]) * s

    def told(items: float, seeds: int) -> bool:
        of_items = by_item / items + single / (items * seeds)
        of_seeds = by_seed / seeds
        quantile = float(stdtrit(max(pooled * (seeds - 1), 1), 1 - error))
        reach = np.sqrt(float(ndtri(1 - error)) ** 2 * of_items + quantile**2 * of_seeds)
        return bool(reach + float(ndtri(power)) * np.sqrt(of_items + of_seeds) <= effect)

    items = _least(lambda count: told(count, s), 10_000_000)
    seeds = _least(lambda count: told(n, count), 1000) if s > 1 else None
    return Needed(effect, items, seeds)


def _least(enough: Callable[[int], bool], most: int) -> int | None:
    """Return the least count from 2 on that is enough, of those up to ``most``; more is never worse."""
    if not enough(most):
        return None
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
