"""What a ladder of doses does, against none alone: which dose works, which harms, and from which on.

Each dose is compared with the arm without a dose and never with lower doses, which may harm: a dose that
is better than harmful ones need not be better than none. The tests say which doses; the numbers beside
them are each dose's own change with its own 95 % interval, the same object wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate
from polypinch.stats.levels import Levels, influences, two_levels
from polypinch.stats.means import LEVEL, Bounds, over_bounded_items
from polypinch.stats.needed import ERROR, Needed, needed


@dataclass(frozen=True)
class DoseEffect:
    """One dose less none, positive for better.

    Attributes:
        dose: its amount.
        change: with its 95 % interval, for itself: the one interval of this quantity.
        better: whether that interval is above 0, and so a mark may be filled.
        harms: whether it is worse than none, at an error shared by all doses.
    """

    dose: float
    change: Estimate
    better: bool
    harms: bool


@dataclass(frozen=True)
class Ladder:
    """What doses do, against none.

    Attributes:
        effects: of each dose above none, ascending.
        pooled: mean of the run of doses up to the largest that tells the most, less none.
        pooled_from: the smallest dose in that run.
        works: whether it is told that some dose up to the largest is better than none, by the largest's test.
        low: the smallest dose by which something works (tests of runs of neighbours); ``None`` if not told.
        high: the smallest dose from ``low`` on that is itself better than none; ``None`` where only a run is.
            The smallest dose that works is between the two; where they are the same, it is that one.
        isolated: doses better than none although the largest is not told to be, at an error shared by all.
        needed: the sample that could tell the largest's effect; ``None`` where something is told.
        trainings: seeds of the arm with the fewest: with one, all of this is of one training.
    """

    effects: tuple[DoseEffect, ...]
    pooled: Estimate
    pooled_from: float
    works: bool
    low: float | None
    high: float | None
    isolated: tuple[float, ...]
    needed: Needed | None
    trainings: int

    @property
    def harms(self) -> tuple[float, ...]:
        """Doses that are worse than none, at an error shared by all."""
        return tuple(one.dose for one in self.effects if one.harms)


def dose_ladder(
    values: Array,
    doses: Sequence[float],
    lower_is_better: bool = False,
    languages: Sequence[int] | None = None,
    bounds: Bounds | None = None,
    worth: float | None = None,
    error: float = ERROR,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Ladder:
    """Find what doses do, against none.

    From the largest dose down, a step's hypothesis is that no dose up to this one is better than none; it is
    tested by the greatest of the means of runs of neighbours that end here, each less none (contrasts as in
    Tamhane, Hochberg and Dunnett 1996, *Biometrics* 52, 21-37), and the steps end at the first that is not
    rejected (Tukey, Ciminera and Heyse 1985, *Biometrics* 41, 295-301): nested hypotheses, so any is wrongly
    rejected with ``error`` at most. The first step also holds every dose alone against none, both ways
    (many to one, single step: Dunnett 1955, *JASA* 50, 1096-1121): where the largest is not told, a smaller
    dose may be, and harm is told of any. Joint distributions are resampled.

    The spread between trainings is pooled over doses; where a contrast's own spread is larger, that is taken.

    Args:
        values: (doses, seeds, items, languages), NaN where missing; doses share items, and may share seeds.
        doses: amount of each, the smallest being the comparison (none), in any order.
        lower_is_better: as for a loss.
        languages: positions of the languages to average; all by default.
        bounds: ends of the measure's scale, 0 and 1 for a share; ``None`` where it has none.
        worth: the smallest effect of interest, for the sample that could tell; the one estimated by default.
        error: of each claim's family, one-sided.
        resamples: how many.
        seed: of the resampling.

    Raises:
        ValueError: fewer than two doses, one twice, or one without values.
    """
    amounts, means, parts, known = ordered(values, doses, lower_is_better, languages)
    last = len(amounts) - 1
    runs = [(first, top) for top in range(1, last + 1) for first in range(1, top + 1)]
    contrast = np.zeros((len(runs), last + 1))
    contrast[:, 0] = -1
    for at, (first, top) in enumerate(runs):
        contrast[at, first : top + 1] += 1 / (top - first + 1)
    compared = against_none(contrast, means, parts, known, resamples, seed)
    scale = None if bounds is None else bounds.difference()
    own = [at for at, (first, top) in enumerate(runs) if first == top]
    ending = {top: [at for at in range(len(runs)) if runs[at][1] == top] for top in range(1, last + 1)}

    opening = sorted({*own, *ending[last]})
    shared = compared.together(error, one_sided=True, which=opening)
    low_shared, high_shared = ends(compared, shared, scale)
    low, high = ends(compared, LEVEL, scale)

    def estimate(at: int) -> Estimate:
        return Estimate(
            float(compared.value[at]), float(low[at]), float(high[at]),
            int(compared.items[at]), int(compared.seeds[at]),
        )  # fmt: skip

    # Where all items answer alike there is no spread at all, and a sum of equal numbers is not quite 0.
    rounding = 1e-12 * max(1.0, float(np.abs(means).max()))
    told: list[int] = []
    for top in range(last, 0, -1):
        level = shared if top == last else compared.together(error, one_sided=True, which=ending[top])
        if not (ends(compared, level, scale)[0][ending[top]] > rounding).any():
            break
        told.append(top)
    better = low > rounding
    effects = tuple(
        DoseEffect(float(amounts[top]), estimate(at), bool(better[at]), bool(high_shared[at] < -rounding))
        for top, at in enumerate(own, start=1)
    )
    alone = [top for top in reversed(told) if better[own[top - 1]]]
    isolated = (
        ()
        if told
        else tuple(float(amounts[top + 1]) for top, at in enumerate(own) if low_shared[at] > rounding)
    )
    spread = np.maximum(compared.value - low, 1e-300)
    best = max(ending[last], key=lambda at: float(compared.value[at] / spread[at]))
    effect = float(compared.value[own[-1]]) if worth is None else worth
    missing = (
        needed(compared, own[-1], effect, (1 - shared) / 2)
        if not told and not isolated and effect > 0
        else None
    )
    return Ladder(
        effects,
        estimate(best),
        float(amounts[runs[best][0]]),
        bool(told),
        float(amounts[told[-1]]) if told else None,
        float(amounts[alone[0]]) if alone else None,
        isolated,
        missing,
        int(known.any(axis=2).sum(axis=1).min()),
    )


def ordered(
    values: Array, doses: Sequence[float], lower_is_better: bool, languages: Sequence[int] | None
) -> tuple[Array, Array, Array, npt.NDArray[np.bool_]]:
    """Return doses ascending, their means, positive for better, the influences on them, and where they are.

    Raises:
        ValueError: fewer than two doses, one twice, or one without values.
    """
    if len(values) != len(doses) or len(set(doses)) != len(doses) or len(doses) < 2:
        raise ValueError("two doses or more, each once, with one array for each")
    order = np.argsort(doses)
    group = list(range(values.shape[-1]) if languages is None else languages)
    means, parts, known = influences(-values[order] if lower_is_better else values[order], [group])
    if not np.isfinite(means[:, -1]).all():
        raise ValueError("a dose without any value")
    return np.asarray(doses, dtype=np.float64)[order], means[:, -1], parts[..., -1], known[..., -1]


def against_none(
    contrasts: Array, means: Array, parts: Array, known: npt.NDArray[np.bool_], resamples: int, seed: int
) -> Levels:
    """Return contrasts (k, doses) of doses' means, whose spread by training is pooled or their own if larger.

    Args:
        contrasts: coefficients that sum to 0.
        means: of the doses.
        parts: influences on them, (doses, seeds, items).
        known: where there is a value, of that shape.
        resamples: how many.
        seed: of the resampling.
    """
    there = known.any(axis=2)  # (doses, seeds)
    flat = np.moveaxis(np.tensordot(contrasts, parts, axes=(1, 0)), 0, -1)
    kept = np.stack([known[one != 0].any(axis=0) for one in contrasts], axis=-1)
    compared = two_levels(contrasts @ means, flat, kept, resamples, seed, studentised=True)
    n_doses, n_seeds = there.shape
    count = there.sum(axis=1)
    if n_seeds < 2 or count.max() < 2:
        return compared
    # Each seed's deviation from its dose's mean; what a seed does to all doses alike is taken out.
    deviation = parts.sum(axis=2) * count[:, None]
    whole = bool(there.all())
    rest = deviation - deviation.mean(axis=0) if whole else deviation
    freedom = float((n_doses - 1) * (n_seeds - 1)) if whole else float((np.maximum(count, 1) - 1).sum())
    pooled = float((rest**2).sum()) / freedom
    by_dose = (deviation**2).sum(axis=1) / np.maximum(count - 1, 1)
    by_dose = np.where(count >= 2, by_dose, pooled)
    each = contrasts**2 / np.maximum(count, 1)
    own = compared.over_seeds if whole else each @ by_dose
    return replace(
        compared,
        over_seeds=np.maximum(each.sum(axis=1) * pooled, own),
        seeds=np.full(len(contrasts), int(count.min()), dtype=np.intp),
        freedom=np.full(len(contrasts), freedom),
        seed_deviations=rest.T @ contrasts.T,
    )


def ends(found: Levels, level: float, bounds: Bounds | None) -> tuple[Array, Array]:
    """Return both ends of intervals at a level, within the scale's ends where it has some."""
    if bounds is None:
        return found.interval(level)
    below, above = np.hypot(over_bounded_items(found, bounds, level), found.distances_over_seeds(level))
    return np.maximum(found.value - below, bounds.least), np.minimum(found.value + above, bounds.most)
