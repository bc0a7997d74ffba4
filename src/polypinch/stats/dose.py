"""Which dose is enough: the smallest that helps, and the smallest that is as good as full mixing.

Both are families of tests in a fixed order, which keeps the family's error without shrinking each test, and
both may end with "cannot tell" and the sample that could. The curves through the doses are in :mod:`.curves`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate
from polypinch.stats.levels import Levels, influences, two_levels

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


@dataclass(frozen=True)
class DoseStep:
    """One test of the family.

    Attributes:
        dose: the dose under test.
        change: its difference to what it is compared with, positive for better; 95 % interval.
        told: whether its hypothesis was rejected, and so the next one tested.
    """

    dose: float
    change: Estimate
    told: bool


@dataclass(frozen=True)
class SmallestDose:
    """The smallest dose, or that it cannot be told.

    Attributes:
        dose: the smallest dose of which it can be said; ``None`` where it can be said of none.
        change: of that dose, positive for better; ``None`` with it.
        steps: the tests in the order made, down to the first that told nothing.
        needed: the sample that could tell the dose at which the tests ended; ``None`` where all were told,
            or where its effect points the other way and no effect of interest was given.
    """

    dose: float | None
    change: Estimate | None
    steps: tuple[DoseStep, ...]
    needed: Needed | None


@dataclass(frozen=True)
class _Doses:
    """Doses in ascending order with the influences on their means, positive for better."""

    amounts: Array
    means: Array
    parts: Array  # (doses, seeds, items)
    known: npt.NDArray[np.bool_]

    def compared(self, contrasts: Array, resamples: int, seed: int) -> Levels:
        """Return contrasts (k, doses) of the means; what training does to them is pooled over all doses."""
        n_doses, n_seeds = self.known.any(axis=2).shape
        # Orthonormal contrasts: their mean variance is that of any contrast with squares that sum to 1.
        basis = np.linalg.qr(np.column_stack([np.ones(n_doses), np.eye(n_doses)[:, 1:]]))[0].T[1:]
        both = np.concatenate([contrasts, basis])
        known = np.stack([self.known[one != 0].any(axis=0) for one in both], axis=-1)
        parts = np.moveaxis(np.tensordot(both, self.parts, axes=(1, 0)), 0, -1)
        found = two_levels(both @ self.means, parts, known, resamples, seed)
        if n_seeds < 2 or not self.known.any(axis=2).all():
            return found
        k = len(contrasts)
        size = (both**2).sum(axis=1)
        pooled = float(found.over_seeds[k:].mean())
        return replace(
            found,
            over_seeds=size * pooled,
            answers=size * found.answers[k:].mean(),
            freedom=np.full(len(both), (n_seeds - 1.0) * (n_doses - 1)),
            seed_deviations=both.T * np.sqrt(pooled * n_seeds * (n_seeds - 1)),
        )


def _ordered(
    values: Array, doses: Sequence[float], lower_is_better: bool, languages: Sequence[int] | None
) -> _Doses:
    if len(values) != len(doses) or len(set(doses)) != len(doses) or len(doses) < 2:
        raise ValueError("two doses or more, each once, with one array for each")
    order = np.argsort(doses)
    group = range(values.shape[-1]) if languages is None else languages
    means, parts, known = influences(-values[order] if lower_is_better else values[order], [list(group)])
    if not np.isfinite(means[:, -1]).all():
        raise ValueError("a dose without any value")
    return _Doses(np.asarray(doses, dtype=np.float64)[order], means[:, -1], parts[..., -1], known[..., -1])


def minimum_effective_dose(
    values: Array,
    doses: Sequence[float],
    lower_is_better: bool = False,
    languages: Sequence[int] | None = None,
    worth: float | None = None,
    error: float = ERROR,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SmallestDose:
    """Find the smallest dose that is better than none.

    From the largest dose down, each step tests that no dose up to this one differs from none, and the
    steps end at the first that isn't rejected (Tukey, Ciminera and Heyse 1985, *Biometrics* 41, 295-301): the
    hypotheses are nested, so the chance to call any dose effective that is not stays below ``error``. Each
    test is the greatest of several contrasts (Tamhane, Hochberg and Dunnett 1996, *Biometrics* 52, 21-37):
    all doses against none (for a jump at the first), this dose against all below (for a jump at this), this
    against none, and a line over the doses' ranks; their joint distribution is resampled.

    The spread between seeds is taken as the same at all doses, and pooled: with few seeds that is most of the
    power (where one dose's is twice the others', 2.5 % become 4 to 8 % in simulation). The answer is of the
    dose found where the response never falls with the dose; otherwise, of some dose up to it.

    Args:
        values: (doses, seeds, items, languages), NaN where a value is missing; paired by item and seed.
        doses: amount of each, the smallest being the comparison (none), in any order.
        lower_is_better: as for a loss.
        languages: positions of the languages to average; all by default.
        worth: the smallest effect of interest, for the sample that could tell; the one estimated by default.
        error: of the family, one-sided.
        resamples: how many.
        seed: of the resampling.

    Raises:
        ValueError: fewer than two doses, one twice, or one without values.
    """
    ordered = _ordered(values, doses, lower_is_better, languages)
    tops = range(len(ordered.amounts) - 1, 0, -1)
    trends = [_trends(top, len(ordered.amounts)) for top in tops]
    found = ordered.compared(np.concatenate(trends), resamples, seed)
    first = np.cumsum([0, *(len(one) for one in trends)]).tolist()
    owns = [list(range(start, stop)) for start, stop in pairwise(first)]
    joint = [found.together(error, one_sided=True, which=own) for own in owns]
    # Where all items answer alike there is no spread at all, and a sum of equal numbers is not quite 0.
    rounding = 1e-12 * max(1.0, float(np.abs(ordered.means).max()))
    told = [
        bool((found.interval(level)[0][own] > rounding).any()) for own, level in zip(owns, joint, strict=True)
    ]
    return _down(found, ordered.amounts[list(tops)], first[:-1], told, joint, worth)


def _trends(top: int, doses: int) -> Array:
    """Return contrasts of the doses up to ``top``, this one against none first; (k, doses)."""
    against_none, jump_first, jump_here, line = np.zeros((4, doses))
    against_none[[0, top]] = -1, 1
    if top == 1:
        return against_none[None]
    jump_first[0], jump_first[1 : top + 1] = -1, 1 / top
    jump_here[:top], jump_here[top] = -1 / top, 1
    ranks = np.arange(top + 1) - top / 2
    line[: top + 1] = ranks / ranks.max()
    return np.stack([against_none, jump_first, jump_here, line])


def smallest_dose_within(
    margin: float,
    values: Array,
    doses: Sequence[float],
    lower_is_better: bool = False,
    languages: Sequence[int] | None = None,
    error: float = ERROR,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SmallestDose:
    """Find the smallest dose that is worse than the largest (full mixing) by less than a margin.

    Non-inferiority, tested from the second largest dose down in a fixed order, to the first that may be worse
    by the margin (Hsu and Berger 1999, *JASA* 94, 468-482; Westfall and Krishen 2001, *J. Stat. Planning and
    Inference* 99, 25-40): the chance to call any dose good enough that is not stays below ``error``, whatever
    the shape of the response. The spread between seeds is taken as the same at all doses.

    Args:
        margin: how much worse is still as good; positive, in the unit of ``values``.
        values: (doses, seeds, items, languages), NaN where a value is missing; paired by item and seed.
        doses: amount of each, in any order.
        lower_is_better: as for a loss.
        languages: positions of the languages to average; all by default.
        error: of the family, one-sided.
        resamples: how many.
        seed: of the resampling.

    Raises:
        ValueError: as for :func:`minimum_effective_dose`, or the margin is not positive.
    """
    if not margin > 0:
        raise ValueError("a margin is positive")
    ordered = _ordered(values, doses, lower_is_better, languages)
    full = len(ordered.amounts) - 1
    contrast = np.eye(full + 1)[full - 1 :: -1]
    contrast[:, full] = -1
    found = ordered.compared(contrast, resamples, seed)
    level = 1 - 2 * error
    told = (found.interval(level)[0][:full] > -margin).tolist()
    smaller = ordered.amounts[full - 1 :: -1]
    return _down(found, smaller, list(range(full)), told, [level] * full, None, margin)


def _down(
    found: Levels,
    doses: Array,
    columns: list[int],
    told: list[bool],
    joint: list[float],
    worth: float | None,
    margin: float = 0.0,
) -> SmallestDose:
    """Test dose after dose until one is not told.

    Args:
        found: estimates.
        doses: in the order of the tests.
        columns: position in ``found`` of each dose's own difference.
        told: whether each one's hypothesis is rejected.
        joint: level of the two-sided intervals whose lower ends decide.
        worth: the effect of interest; the estimated one by default.
        margin: how far above the hypothesis an effect of nothing is.
    """
    estimates = found.estimates()
    steps: list[DoseStep] = []
    for step, (dose, column) in enumerate(zip(doses, columns, strict=True)):
        steps.append(DoseStep(float(dose), estimates[column], told[step]))
        if not steps[-1].told:
            effect = steps[-1].change.value + margin if worth is None else worth
            missing = needed(found, column, effect, (1 - joint[step]) / 2) if effect > 0 else None
            if step == 0:
                return SmallestDose(None, None, tuple(steps), missing)
            return SmallestDose(steps[-2].dose, steps[-2].change, tuple(steps), missing)
    return SmallestDose(steps[-1].dose, steps[-1].change, tuple(steps), None)


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
