"""Ratios of totals over items, such as tokens per character, with intervals over the items."""

from __future__ import annotations

import numpy as np

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate, resampled_means


def ratio_intervals(
    numerator: Array, denominator: Array, resamples: int = RESAMPLES, seed: int = 0
) -> list[Estimate]:
    """Estimate each language's ratio of two totals over the items that have both, with a 95 % interval.

    Items are resampled with both of their values, so what an item's length adds to both cancels out; the
    ratio estimator of Cochran (1977), *Sampling Techniques*, chapter 6, with Efron's (1979) percentile
    interval.

    Args:
        numerator: (items, languages); NaN where a value is missing.
        denominator: the same shape, positive.
        resamples: how many.
        seed: of the resampling.

    Returns:
        One estimate a language; its value is NaN where no item has both.
    """
    both = np.isfinite(numerator) & np.isfinite(denominator)
    over, under = (np.where(both, values, np.nan)[None] for values in (numerator, denominator))
    # The same seed and shape draw the same items for both.
    drawn = resampled_means(over, resamples, seed) / resampled_means(under, resamples, seed)
    found = []
    for index in range(numerator.shape[1]):
        chosen = both[:, index]
        if not chosen.any():
            found.append(Estimate(np.nan, np.nan, np.nan, 0, 1))
            continue
        value = float(numerator[chosen, index].sum() / denominator[chosen, index].sum())
        low, high = np.nanquantile(drawn[:, index], [0.025, 0.975])
        found.append(Estimate(value, float(low), float(high), int(chosen.sum()), 1))
    return found
