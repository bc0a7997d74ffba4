"""Means of all arms in all languages and groups of languages, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypinch.stats.bootstrap import Array, Estimate


@dataclass(frozen=True)
class Scores:
    """Means with 95 % intervals; every array is (arms, columns).

    Columns are the languages in their order, then the groups. NaN where nothing was measured.

    Attributes:
        value: means.
        low: lower ends, each for itself.
        high: upper ends.
        low_together: lower ends that hold for all languages of an arm together; NaN for groups.
        high_together: upper ends.
        n_items: items with a value.
        n_seeds: seeds with a value.
    """

    value: Array
    low: Array
    high: Array
    low_together: Array
    high_together: Array
    n_items: npt.NDArray[np.intp]
    n_seeds: npt.NDArray[np.intp]

    def estimate(self, arm: int, column: int, together: bool = False) -> Estimate:
        """Return one arm's mean of one column, with the interval for itself or for all languages together."""
        at = arm, column
        low, high = (self.low_together, self.high_together) if together else (self.low, self.high)
        return Estimate(
            float(self.value[at]),
            float(low[at]),
            float(high[at]),
            int(self.n_items[at]),
            int(self.n_seeds[at]),
        )
