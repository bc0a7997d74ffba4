"""The interval of a mean: the one place where few items, skewness and the ends of a scale are dealt with.

Whatever gives a mean over items and seeds an interval takes it from here: :func:`intervals` for arrays over
(arm, seed, item, language), :func:`interval` for one mean. Unbounded measures (a loss, a change of loss) have
Student's or the bootstrap-t distance over items, the longer one (:mod:`.levels`). Bounded ones (scores,
shares and their differences) have Wilson's or Jeffreys' interval with the number of items that gives their
variance: at the ends of a scale resampling sees no spread. Averages of bounded languages join the languages'
distances with their correlations (Zou 2007, *Psychological Methods* 12, 399-413). Training seeds add
Student's distance as a square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri, stdtrit

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate
from polypinch.stats.levels import Levels, influences, two_levels
from polypinch.stats.scores import Scores

LEVEL = 0.95
FEWEST_ITEMS = 12
"""Below this many items no language alone is concluded on: skewed values cover less than 90 %."""


@dataclass(frozen=True)
class Bounds:
    """The ends of a measure's scale; of a difference of two arms they are as far apart on both sides of 0."""

    least: float
    most: float

    def difference(self) -> Bounds:
        """Return the ends of a difference of two such values."""
        reach = self.most - self.least
        return Bounds(-reach, reach)


SHARE = Bounds(0.0, 1.0)


def intervals(
    values: Array,
    groups: Sequence[Sequence[int]] = (),
    bounds: Bounds | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Scores:
    """Estimate every arm's mean in every language and group.

    Args:
        values: (arms, seeds, items, languages), NaN where missing; for contrasts pass differences, paired.
        groups: positions of the languages to average, each weighing the same.
        bounds: ends of the scale; ``None`` where it has none.
        resamples: how many.
        seed: of the resampling.

    Returns:
        ``low`` and ``high`` hold each for itself, at 95 %; ``low_together`` for all languages of an arm. One
        item of a measure without bounds has an infinite interval; one seed gives intervals over items alone.
    """
    languages = values.shape[-1]
    both = [_arm(arm, groups, bounds, resamples, seed) for arm in values]
    single = np.array([one.ends(LEVEL) for one in both])
    together = np.full_like(single, np.nan)
    for at, one in enumerate(both):
        own = [column for column in range(languages) if one.levels.items[column]]
        if own:
            # A language that came out all the same shows no spread to resample: Sidak's level holds for it.
            least = 0.0 if bounds is None else LEVEL ** (1 / len(own))
            joint = np.array(one.ends(max(one.levels.together(which=own), least)))
            together[at][:, own] = joint[:, own]
    return Scores(
        np.array([one.levels.value for one in both]),
        single[:, 0],
        single[:, 1],
        together[:, 0],
        together[:, 1],
        np.array([one.levels.items for one in both]),
        np.array([one.levels.seeds for one in both]),
    )


def interval(
    values: Array,
    languages: Sequence[int] | None = None,
    bounds: Bounds | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Estimate the mean over languages, each weighing the same.

    Args:
        values: (seeds, items, languages), NaN where missing.
        languages: positions; all by default.
        bounds: ends of the scale; ``None`` where it has none.
        resamples: how many.
        seed: of the resampling.
    """
    group = list(range(values.shape[-1]) if languages is None else languages)
    return intervals(values[None], [group], bounds, resamples, seed).estimate(0, values.shape[-1])


@dataclass(frozen=True)
class _Arm:
    levels: Levels
    groups: tuple[tuple[int, ...], ...]
    languages: int
    bounds: Bounds | None
    correlations: Array  # (languages, languages), of items

    def ends(self, level: float) -> tuple[Array, Array]:
        below, above = self.levels.distances(level)
        if self.bounds is not None:
            below, above = self._bounded(self.bounds, level)
        low, high = self.levels.value - below, self.levels.value + above
        if self.bounds is not None:
            low, high = np.maximum(low, self.bounds.least), np.minimum(high, self.bounds.most)
        return low, high

    def _bounded(self, bounds: Bounds, level: float) -> tuple[Array, Array]:
        found, n = self.levels, self.languages
        sides = over_bounded_items(found, bounds, level)[:, :n]
        for group in self.groups:
            there = [at for at in group if found.items[at]]
            like = self.correlations[np.ix_(there, there)]
            each = sides[:, there]
            joined = np.einsum("si,ij,sj->s", each, like, each)
            joined = np.maximum(joined, (each**2).sum(axis=1))  # a few items seem to even out by luck
            fewer = max(int(found.items[there].min()) - 1, 1) if there else 1
            wider = 1.0  # one language alone is that language
            if len(there) > 1:
                wider = float(stdtrit(fewer, (1 + level) / 2) / ndtri((1 + level) / 2))
            size = wider * np.sqrt(np.maximum(joined, 0.0)) / max(len(there), 1)
            sides = np.concatenate([sides, size[:, None]], axis=1)
        of_seeds = found.distances_over_seeds(level)
        below, above = np.hypot(sides, of_seeds)
        return below, above


def _arm(
    values: Array, groups: Sequence[Sequence[int]], bounds: Bounds | None, resamples: int, seed: int
) -> _Arm:
    value, parts, known = influences(values, groups)
    languages = values.shape[-1]
    of_item = parts[..., :languages].sum(axis=0)
    size = np.sqrt((of_item**2).sum(axis=0))
    scaled = of_item / np.where(size > 0, size, 1.0)
    like = scaled.T @ scaled
    np.fill_diagonal(like, 1.0)
    levels = two_levels(value, parts, known, resamples, seed, studentised=True)
    return _Arm(levels, tuple(tuple(group) for group in groups), languages, bounds, like)


def over_bounded_items(found: Levels, bounds: Bounds, level: float) -> Array:
    """Return the distances over items of bounded means, (2, k), below and above."""
    reach = bounds.most - bounds.least
    share = np.clip((found.value - bounds.least) / reach, 0.0, 1.0)
    items = _effective(share, found.over_items / reach**2, found.items, level)
    return np.array(_share(share, items, level)) * reach


def _effective(share: Array, variance: Array, items: npt.NDArray[np.intp], level: float) -> Array:
    """Return how many yes-or-no items would give a share the variance it has.

    After Korn and Graubard (1998), *Survey Methodology* 24, 193-201, with their correction for few degrees of
    freedom; no fewer than the items (each lies within the scale), and no more than a quarter of their square:
    where all came out the same, a share of up to 1 - .025^(1/n) of all others may not (Clopper and Pearson).
    """
    n = np.maximum(items, 1).astype(np.float64)
    tail = (1 + level) / 2
    few = (ndtri(tail) / stdtrit(np.maximum(n - 1, 1), tail)) ** 2
    most = np.maximum(n, n**2 / 4)
    raw = np.divide(share * (1 - share), variance, out=most * 1.0, where=variance > 1e-18)
    # Where the share is at an end the variance says nothing, and where all are ties it is the cap that does.
    raw = np.where(share * (1 - share) > 1e-9, raw, n)  # rounding is no spread
    effective: Array = np.clip(raw * few, n, most)
    return effective


def _share(share: Array, n: Array, level: float) -> tuple[Array, Array]:
    """Return the distances to both ends: Wilson's (1927, *JASA* 22, 209-212) or Jeffreys', the longer one.

    Wilson's misses far too often on one side near the ends of the scale, where Jeffreys' holds (Brown, Cai
    and DasGupta 2001, *Statistical Science* 16, 101-133).
    """
    z = float(ndtri((1 + level) / 2))
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(np.maximum(share * (1 - share), 0.0) / n + z**2 / (4 * n**2))
    won, lost = n * share + 0.5, n * (1 - share) + 0.5
    low = np.minimum(centre - half, betaincinv(won, lost, (1 - level) / 2))
    high = np.maximum(centre + half, betaincinv(won, lost, (1 + level) / 2))
    return np.maximum(share - low, 0.0), np.maximum(high - share, 0.0)
