"""Two levels of chance: held-out items, resampled as clusters, and training seeds, too few to resample.

Whatever is estimated here is a sum of influences, one of each (seed, item). Over items the sum is resampled
(multinomial weights; Davison and Hinkley 1997, section 3.8). Resampling 2 to 5 seeds
covers badly, so over seeds the interval is Student's. Both distances from the estimate add as squares (Zou
and Donner 2008, *Statistics in Medicine* 27, 1693-1702); the chance of single answers, which is in both, is
taken out of the seeds' part (crossed random effects: Searle, Casella and McCulloch 1992, *Variance
Components*, chapter 4), as far as simulation allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

from polypinch.stats.bootstrap import Array, Estimate

_Z = float(ndtri(0.975))


def influences(
    values: Array, groups: Sequence[Sequence[int]] = ()
) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """Return each language's mean, and each group's, as a sum of influences.

    Args:
        values: (..., seeds, items, languages); NaN where a value is missing.
        groups: positions of the languages to average, each weighing the same; those without a value are
            left out.

    Returns:
        means (..., languages + groups), NaN where nothing is known; influences
        (..., seeds, items, languages + groups), 0 where nothing is; and where something is, of that shape.
    """
    known = np.isfinite(values)
    count = known.sum(axis=(-3, -2))
    filled = np.where(known, values, 0.0)
    means = np.full(count.shape, np.nan)
    np.divide(filled.sum(axis=(-3, -2)), count, out=means, where=count > 0)
    level = np.where(count > 0, means, 0.0)[..., None, None, :]
    parts: Array = np.where(known, filled - level, 0.0) / np.maximum(count, 1)[..., None, None, :]
    for group in groups:
        own = list(group)
        there = (count[..., own] > 0).astype(np.float64)
        n = there.sum(axis=-1, keepdims=True)
        share = np.divide(there, n, out=np.zeros_like(there), where=n > 0)
        sums = np.where(there > 0, means[..., own], 0.0) * share
        mean = np.where(n[..., 0] > 0, sums.sum(axis=-1), np.nan)
        means = np.concatenate([means, mean[..., None]], axis=-1)
        part = (parts[..., own] * share[..., None, None, :]).sum(axis=-1, keepdims=True)
        parts = np.concatenate([parts, part], axis=-1)
        known = np.concatenate([known, known[..., own].any(axis=-1, keepdims=True)], axis=-1)
    return means, parts, known


@dataclass(frozen=True)
class Levels:
    """Several estimates over the same items and seeds, with what chance does to them together.

    Attributes:
        value: estimates; (k,).
        below: distance from an estimate down to the 95 % item bootstrap's lower end.
        above: distance up to its upper end.
        over_items: variance by the choice of items.
        over_seeds: variance of the mean over seeds, single answers' chance included.
        answers: variance of the mean by the chance of single answers (item × seed).
        items: items with a value.
        seeds: seeds with a value.
        freedom: degrees of freedom of ``over_seeds``, at least 1.
        resampled: resampled deviations by the choice of items; (resamples, k).
        seed_deviations: deviations of the seeds' estimates from their mean; (seeds, k).
        seed: of the resampling.
        item_freedom: degrees of freedom of the items' part where it is studentised; (k,).
    """

    value: Array
    below: Array
    above: Array
    over_items: Array
    over_seeds: Array
    answers: Array
    items: npt.NDArray[np.intp]
    seeds: npt.NDArray[np.intp]
    freedom: Array
    resampled: Array
    seed_deviations: Array
    seed: int
    item_freedom: Array | None = None

    @property
    def training(self) -> Array:
        """Variance of the mean by training anew, without the chance of single answers; 0 for one seed."""
        net: Array = np.maximum(self.over_seeds - self.answers, 0.0)
        return net

    @property
    def _seeds_part(self) -> Array:
        # Taking out all of the answers' chance covers down to 92 % where it is large and seeds are few, and
        # none up to 99.6 %; this much covers 94 to 98 %. Two may lie close by luck, so there it stays.
        share = np.where(self.freedom > 1, 1 - 1.5 / (self.freedom + 1), 0.0)
        part: Array = np.maximum(self.over_seeds - share * self.answers, 0.0)
        return part

    def distances(self, level: float = 0.95) -> tuple[Array, Array]:
        """Return how far the intervals reach below and above; with one seed, over items only."""
        tail = (1 + level) / 2
        z = ndtri(tail) / _Z
        if self.item_freedom is not None:
            z = stdtrit(self.item_freedom, tail) / stdtrit(self.item_freedom, 0.975)
        of_seeds = stdtrit(self.freedom, tail) ** 2 * self._seeds_part

        def reach(distance: Array) -> Array:
            joined: Array = np.sqrt((z * distance) ** 2 + of_seeds)
            return joined

        return reach(self.below), reach(self.above)

    def distances_over_seeds(self, level: float = 0.95) -> Array:
        """Return how far training seeds alone move the ends of an interval; 0 for one seed."""
        reach: Array = stdtrit(self.freedom, (1 + level) / 2) * np.sqrt(self._seeds_part)
        return reach

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Return both ends of each estimate's interval."""
        below, above = self.distances(level)
        return self.value - below, self.value + above

    def estimates(self, level: float = 0.95) -> list[Estimate]:
        """Return each estimate with its interval."""
        low, high = self.interval(level)
        return [
            Estimate(float(value), float(ends[0]), float(ends[1]), int(items), int(seeds))
            for value, *ends, items, seeds in zip(self.value, low, high, self.items, self.seeds, strict=True)
        ]

    @cached_property
    def _normal(self) -> Array:
        return self.draws(heavy=False)

    def draws(self, heavy: bool = True) -> Array:
        """Return resampled deviations with the seeds' part added; (resamples, k).

        Args:
            heavy: let the seeds' part be as uncertain as Student's t; otherwise it is normal.
        """
        resamples, n_seeds = len(self.resampled), len(self.seed_deviations)
        if n_seeds < 2:
            return self.resampled
        generator = np.random.default_rng([self.seed, 1])
        together = generator.normal(size=(resamples, n_seeds)) @ self.seed_deviations
        together /= np.sqrt(np.maximum(self.seeds * (self.seeds - 1), 1))
        size = np.sqrt(self.over_seeds)
        # A few seeds seem to move estimates together more than they do: draw part of it one by one.
        apart = np.sqrt(1 / self.freedom) * size * generator.normal(size=together.shape)
        noise = np.sqrt(1 - 1 / self.freedom) * together + apart
        ratio = np.divide(self._seeds_part, self.over_seeds, out=np.zeros_like(size), where=size > 0)
        if heavy:
            freedom = float(self.freedom.max())
            noise /= np.sqrt(generator.chisquare(freedom, (resamples, 1)) / freedom)
        drawn: Array = self.resampled + noise * np.sqrt(ratio)
        return drawn

    def together(self, error: float = 0.05, one_sided: bool = False, which: Sequence[int] = ()) -> float:
        """Return the level at which the single intervals of all the estimates hold together.

        The greatest of the standardised deviations is resampled (max-|t|: Westfall and Young 1993; Romano
        and Wolf 2005, *Econometrica* 73, 1237-1282); its quantile, as a normal's, is the level, so that each
        estimate keeps its own degrees of freedom.

        Args:
            error: that any of them misses.
            one_sided: only misses on the upper side of the deviation count; the level returned is still
                that of a two-sided interval, whose one end is used.
            which: of the estimates; all by default.
        """
        chosen = list(which) or list(range(len(self.value)))
        drawn = self._normal[:, chosen]
        spread = drawn.std(axis=0)
        moves = spread > 0
        if not moves.any():
            return 1 - error
        scaled = drawn[:, moves] / spread[moves]
        greatest = np.quantile((scaled if one_sided else np.abs(scaled)).max(axis=1), 1 - error)
        at_least = ndtri(1 - error if one_sided else 1 - error / 2)  # no joint level is below a single one
        return float(2 * ndtr(max(float(greatest), float(at_least))) - 1)


def weights(items: int, resamples: int, seed: int) -> Array:
    """Return how often each item is drawn in each resample, less once; (resamples, items)."""
    generator = np.random.default_rng(seed)
    drawn: Array = generator.multinomial(items, np.full(items, 1 / items), resamples).astype(np.float64)
    drawn -= 1
    return drawn


def two_levels(
    value: Array,
    parts: Array,
    known: npt.NDArray[np.bool_],
    resamples: int,
    seed: int,
    studentised: bool = False,
) -> Levels:
    """Resample estimates that share items and seeds; all of them stay paired.

    Args:
        value: estimates; (k,).
        parts: their influences; (seeds, items, k).
        known: where there is a value; (seeds, items, k).
        resamples: how many.
        seed: of the resampling: the same items are drawn for the same ``seed`` and number of items.
        studentised: take the items' distances from the bootstrap-t or Student's t, for few or skewed items.
    """
    seed_known: npt.NDArray[np.bool_] = np.any(known, axis=1)
    item_known: npt.NDArray[np.bool_] = np.any(known, axis=0)
    seeds, items = seed_known.sum(axis=0), item_known.sum(axis=0)
    of_item, of_seed = parts.sum(axis=0), parts.sum(axis=1)
    drawn = weights(parts.shape[1], resamples, seed)
    resampled = drawn @ of_item
    if studentised:
        below, above = _studentised(drawn, of_item, resampled, items)
    else:
        low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
        below, above = np.maximum(-low, 0.0), np.maximum(high, 0.0)
    n, s = np.maximum(items, 2), np.maximum(seeds, 2)
    deviations = of_seed * seeds
    rest = parts - of_seed[:, None] / n - of_item / s + parts.sum(axis=(0, 1)) / (n * s)
    rest = np.where(seed_known[:, None] & item_known, rest, 0.0)
    single = seeds < 2
    return Levels(
        value=value,
        below=below,
        above=above,
        over_items=(of_item**2).sum(axis=0) * n / (n - 1),
        over_seeds=np.where(single, 0.0, (deviations**2).sum(axis=0) / (s * (s - 1))),
        answers=np.where(single, 0.0, (rest**2).sum(axis=(0, 1)) * s * n / ((s - 1) * (n - 1))),
        items=items,
        seeds=seeds,
        freedom=np.maximum(seeds - 1.0, 1.0),
        resampled=resampled,
        seed_deviations=np.where(single, 0.0, deviations),
        seed=seed,
        item_freedom=np.maximum(items - 1.0, 1.0) if studentised else None,
    )


def _studentised(
    drawn: Array, of_item: Array, resampled: Array, items: npt.NDArray[np.intp]
) -> tuple[Array, Array]:
    """Return the item bootstrap-t's distances, (k,) each; infinite for one item.

    A resample's deviation is divided by that resample's own standard error (Hall 1988, *Annals of
    Statistics* 16, 927-953), which corrects skewness and few items at once. Heavy tails make it a little
    short (92 % for t with 3 degrees of freedom), where Student's holds: the longer of both is taken.
    """
    n = np.maximum(items, 2)
    squares = (of_item**2).sum(axis=0)
    own = (drawn + 1) @ of_item**2 - resampled**2 / n
    scale = np.sqrt(np.maximum(own, 1e-3 * squares) / np.where(squares > 0, squares, 1.0))
    pivot = resampled / np.where(scale > 0, scale, 1.0)
    low, high = np.quantile(pivot, [0.025, 0.975], axis=0)
    student = stdtrit(n - 1.0, 0.975) * np.sqrt(squares * n / (n - 1))
    none = np.where(items == 1, np.inf, 0.0)
    below, above = (np.where(items < 2, none, np.maximum(end, student)) for end in (high, -low))
    return below, above
