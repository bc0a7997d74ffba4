"""The noise floor: how far runs that differ in nothing but their training seed lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from polypinch.stats.bootstrap import Array, Estimate
from polypinch.stats.levels import influences, two_levels


@dataclass(frozen=True)
class Noise:
    """The spread between seeds of one arm, as a standard deviation.

    Attributes:
        spread: between runs' results, as they would be printed.
        low: lower end of its 95 % interval.
        high: upper end.
        training: the part of it that more items would not take away.
        freedom: degrees of freedom: seeds less one, over all arms.
    """

    spread: float
    low: float
    high: float
    training: float
    freedom: int

    def multiple(self, effect: Estimate) -> Estimate:
        """Return an effect, with its interval, in units of the spread: 1 is what a lucky seed does."""
        value, low, high = (
            end / self.spread if self.spread else np.nan for end in (effect.value, effect.low, effect.high)
        )
        return Estimate(value, low, high, effect.n_items, effect.n_seeds)


def noise_floor(values: Array, languages: Sequence[int] | None = None) -> Noise:
    """Estimate the spread between training seeds, pooled over arms.

    The interval is that of a variance of normal values (chi-square). Arms that share their seeds may share
    some of their luck; the interval is then a little narrow.

    Args:
        values: (arms, seeds, items, languages), NaN where a value is missing; one arm or more, of which
            those with one seed tell nothing.
        languages: positions of the languages to average; all by default.
    """
    group = list(range(values.shape[-1]) if languages is None else languages)
    squares, training, freedom = 0.0, 0.0, 0
    for arm in values:
        mean, parts, known = influences(arm, [group])
        one = two_levels(mean[-1:], parts[..., -1:], known[..., -1:], 2, 0)
        seeds = int(one.seeds[0])
        if seeds > 1:
            squares += float(one.over_seeds[0]) * seeds * (seeds - 1)
            training += float(one.over_seeds[0] - one.answers[0]) * seeds * (seeds - 1)
            freedom += seeds - 1
    if not freedom:
        return Noise(np.nan, np.nan, np.nan, np.nan, 0)
    low, high = np.sqrt(squares / chdtri(freedom, [0.025, 0.975]))
    rest = float(np.sqrt(max(training, 0.0) / freedom))
    return Noise(float(np.sqrt(squares / freedom)), float(low), float(high), rest, freedom)
