"""Intervals where every item came out the same, so that resampling finds no spread."""

from __future__ import annotations

import math
from dataclasses import replace

from polypinch.stats.bootstrap import Estimate

_TAIL = 0.025


def widened(estimate: Estimate, least: float, most: float) -> Estimate:
    """Return an estimate whose interval has no width with what so few items can tell; any other as it is.

    None of n items differed, so at most a share of 1 - 0.025^(1/n) of all items may (Clopper and Pearson
    1934, *Biometrika* 26, 404-413), and each by no more than the scale allows.

    Args:
        estimate: of values all the same, or of differences that are all 0.
        least: lower end of the scale.
        most: upper end.
    """
    one = estimate
    if not one.n_items or not math.isclose(one.low, one.high, rel_tol=0, abs_tol=1e-12):
        return one
    unseen = 1 - _TAIL ** (1 / one.n_items)
    low, high = one.value - unseen * (one.value - least), one.value + unseen * (most - one.value)
    return replace(one, low=low, high=high)
