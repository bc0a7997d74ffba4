"""Means of all arms in all languages and groups of languages, from one resampling that keeps arms paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate
from polypinch.stats.levels import influences, two_levels


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


def score_arms(
    values: Array, groups: Sequence[Sequence[int]] = (), resamples: int = RESAMPLES, seed: int = 0
) -> Scores:
    """Estimate every arm's mean in every language and group.

    Items are clusters of their translations and training seeds a second level, as :mod:`.levels` says. For
    one seed, intervals are over items only.

    Args:
        values: (arms, seeds, items, languages); NaN where a value is missing. An arm with fewer seeds has
            NaN in the rest.
        groups: positions of the languages to average, such as the seen and the unseen; each language of
            a group weighs the same.
        resamples: how many.
        seed: of the resampling.
    """
    languages = values.shape[-1]
    means, parts, known = influences(values, groups)
    arms, columns = means.shape
    shape = (*parts.shape[1:3], arms * columns)
    flat, there = np.moveaxis(parts, 0, 2).reshape(shape), np.moveaxis(known, 0, 2).reshape(shape)
    all_of_them = two_levels(means.ravel(), flat, there, resamples, seed)
    low, high = all_of_them.interval()
    beyond = np.full((2, arms * columns), np.nan)
    for arm in range(arms):
        own = [
            arm * columns + index for index in range(languages) if all_of_them.items[arm * columns + index]
        ]
        if own:
            beyond[:, own] = np.stack(all_of_them.interval(all_of_them.together(which=own)))[:, own]
    found = (all_of_them.value, low, high, *beyond, all_of_them.items, all_of_them.seeds)
    return Scores(*(one.reshape(arms, columns) for one in found))


def contrasts(
    values: Array,
    against: int,
    groups: Sequence[Sequence[int]] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Scores:
    """Estimate every arm's difference to one of them, paired by item, language and seed.

    Args:
        values: as for :func:`score_arms`. An arm that has no seeds of its own (the untuned base) is repeated
            over them, so that each of the others' is compared with it.
        against: position of the arm that the others are compared with; its own differences are 0.
        groups: as for :func:`score_arms`.
        resamples: how many.
        seed: of the resampling.
    """
    return score_arms(values - values[against], groups, resamples, seed)
