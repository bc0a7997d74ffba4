"""Intervals of means of which only standard errors are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from polypinch.stats.bootstrap import Estimate


def from_standard_errors(means: Sequence[float], errors: Sequence[float], n_items: int) -> Estimate:
    """Estimate the mean over training seeds of means over the same items.

    The items' part of the interval is normal and does not shrink with seeds, which share the items; the
    seeds' part is Student's; the distances add as squares (Zou and Donner 2008).

    Args:
        means: one for each seed.
        errors: their standard errors over items; NaN where one is not known, then the interval is NaN too.
        n_items: items in each mean.
    """
    value = float(np.mean(means))
    of_items = float(ndtri(0.975)) * np.sqrt(np.mean(np.square(errors)))
    n = len(means)
    of_seeds = stdtrit(n - 1, 0.975) * np.std(means, ddof=1) / np.sqrt(n) if n > 1 else 0.0
    half = float(np.hypot(of_items, of_seeds))
    return Estimate(value, value - half, value + half, n_items, n)
