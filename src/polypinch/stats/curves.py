"""Curves through doses: one that only never falls, and one that saturates; both with bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from polypinch.stats.bootstrap import RESAMPLES, Array
from polypinch.stats.levels import influences, two_levels

_HALVES = 80  # half-doses tried: a factor of about 1.15 between neighbours over five decades


@dataclass(frozen=True)
class Curve:
    """A fitted curve with its 95 % band, pointwise.

    Attributes:
        doses: where it is given, ascending.
        value: the fit.
        low: lower end of the band.
        high: upper end.
    """

    doses: Array
    value: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Saturation:
    """A fitted Emax curve: start + gain × dose ÷ (half dose + dose).

    Attributes:
        curve: the fit at the doses asked for.
        start: without a dose.
        gain: what the largest imaginable dose would add (negative for a loss that falls).
        half_dose: the dose of half that gain, with its interval: from 0 where the smallest dose may already
            give all, to ``inf`` where the largest may be far from it.
        half_dose_low: lower end.
        half_dose_high: upper end.
    """

    curve: Curve
    start: float
    gain: float
    half_dose: float
    half_dose_low: float
    half_dose_high: float


def _drawn(
    values: Array, doses: Sequence[float], languages: Sequence[int] | None, resamples: int, seed: int
) -> tuple[Array, Array, Array]:
    """Return the doses, ascending, their means, and resampled means (resamples, doses)."""
    if len(values) != len(doses):
        raise ValueError("one array for each dose")
    order = np.argsort(doses)
    group = list(range(values.shape[-1]) if languages is None else languages)
    means, parts, known = influences(values[order], [group])
    value = means[:, -1]
    if not np.isfinite(value).all():
        raise ValueError("a dose without any value")
    found = two_levels(
        value, np.moveaxis(parts[..., -1], 0, -1), np.moveaxis(known[..., -1], 0, -1), resamples, seed
    )
    return np.asarray(doses, dtype=np.float64)[order], value, value + found.draws()


def isotonic(
    values: Array,
    doses: Sequence[float],
    decreasing: bool = False,
    languages: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Curve:
    """Fit the nearest curve that never falls (or never rises).

    Least squares under monotonicity (Barlow, Bartholomew, Bremner and Brunk 1972, *Statistical Inference
    under Order Restrictions*); the band refits resampled means, items as clusters and seeds as in
    :mod:`.levels`. Where the true curve is flat, pooling neighbours makes it lean to the end doses.

    Args:
        values: (doses, seeds, items, languages); NaN where a value is missing.
        doses: amount of each, in any order.
        decreasing: fit a curve that never rises, as for a loss.
        languages: positions of the languages to average; all by default.
        resamples: how many.
        seed: of the resampling.

    Raises:
        ValueError: a dose without values, or doses and arrays that differ in number.
    """
    amounts, means, drawn = _drawn(values, doses, languages, resamples, seed)
    sign = -1.0 if decreasing else 1.0
    fits = sign * monotone(sign * np.vstack([means, drawn]))
    low, high = np.quantile(fits[1:], [0.025, 0.975], axis=0)
    return Curve(amounts, fits[0], low, high)


def monotone(rows: Array) -> Array:
    """Return each row's nearest ascending row: the max-min formula over means of runs of neighbours."""
    n = rows.shape[1]
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    fitted = np.full(rows.shape, -np.inf)
    for start in range(n):
        means = (sums[:, start + 1 :] - sums[:, start, None]) / np.arange(1, n - start + 1)
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        fitted[:, start:] = np.maximum(fitted[:, start:], least)
    return fitted


def saturating(
    values: Array,
    doses: Sequence[float],
    at: Sequence[float] | None = None,
    languages: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Saturation:
    """Fit an Emax curve, which is a sigmoid over the logarithm of the dose.

    Least squares over start and gain for each of many half doses, the best of which is kept (Holford and
    Sheiner 1981, *Clinical Pharmacokinetics* 6, 429-453, with a Hill exponent of 1). The band and the half
    dose's interval refit resampled means. A half dose beyond the doses tried is not known: its interval then
    reaches 0 or ``inf``.

    Args:
        values: (doses, seeds, items, languages); NaN where a value is missing.
        doses: amount of each, in any order; three or more.
        at: doses at which to give the curve; those tried by default.
        languages: positions of the languages to average; all by default.
        resamples: how many.
        seed: of the resampling.

    Raises:
        ValueError: as for :func:`isotonic`, or fewer than three doses.
    """
    amounts, means, drawn = _drawn(values, doses, languages, resamples, seed)
    if len(amounts) < 3:
        raise ValueError("a saturating curve takes three doses or more")
    rows = np.vstack([means, drawn])
    positive = amounts[amounts > 0]
    halves = np.geomspace(positive.min() / 100, positive.max() * 10, _HALVES)
    best = np.full(len(rows), np.inf)
    start, gain, half = np.zeros((3, len(rows)))
    level = rows.mean(axis=1)
    for one in halves:
        x = amounts / (one + amounts)
        centred = x - x.mean()
        slope = rows @ centred / (centred @ centred)
        misfit = ((rows - level[:, None] - slope[:, None] * centred) ** 2).sum(axis=1)
        better = misfit < best
        best = np.where(better, misfit, best)
        gain = np.where(better, slope, gain)
        start = np.where(better, level - slope * x.mean(), start)
        half = np.where(better, one, half)
    where = amounts if at is None else np.sort(np.asarray(at, dtype=np.float64))
    fits = start[:, None] + gain[:, None] * where / (half[:, None] + where)
    low, high = np.quantile(fits[1:], [0.025, 0.975], axis=0)
    half = np.where(half >= halves[-1], np.inf, np.where(half <= halves[0], 0.0, half))
    ends = np.quantile(half[1:], [0.025, 0.975], method="nearest")
    return Saturation(
        Curve(where, fits[0], low, high),
        float(start[0]),
        float(gain[0]),
        float(half[0]),
        float(ends[0]),
        float(ends[1]),
    )
