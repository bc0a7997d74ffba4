"""What languages do for each other: from one to another, in number, and by what they have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtri

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate
from polypinch.stats.levels import influences, two_levels
from polypinch.stats.means import Bounds, intervals


@dataclass(frozen=True)
class Transfer:
    """A transfer matrix.

    Attributes:
        cells: by trained, then by evaluated language.
        gives: each trained language's mean over the others; its own is left out.
        takes: each evaluated language's mean over models trained on others.
    """

    cells: tuple[tuple[Estimate, ...], ...]
    gives: tuple[Estimate, ...]
    takes: tuple[Estimate, ...]


def transfer_matrix(
    values: Array,
    own: Sequence[int | None],
    bounds: Bounds | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Transfer:
    """Estimate a transfer matrix (Shaham et al. 2024, arXiv 2401.01854, Figure 1) with row and column means.

    Args:
        values: (trained, seeds, items, evaluated), NaN where a value is missing.
        own: position among the evaluated languages of each model's own; ``None`` if it is not there.
        bounds: ends of the values' scale; ``None`` where it has none.
        resamples: how many.
        seed: of the resampling.
    """
    evaluated = values.shape[-1]
    cells, gives, all_parts, all_known, all_means = [], [], [], [], []
    for arm, position in zip(values, own, strict=True):
        others = [index for index in range(evaluated) if index != position]
        means, parts, known = influences(arm, [others])
        scores = intervals(arm[None], [others], bounds, resamples, seed)
        cells.append(tuple(scores.estimate(0, column) for column in range(evaluated)))
        gives.append(scores.estimate(0, evaluated))
        foreign = np.array([index != position for index in range(evaluated)]) & np.isfinite(means[:-1])
        all_means.append(np.where(foreign, means[:-1], np.nan))
        all_parts.append(np.where(foreign, parts[..., :-1], 0.0))
        all_known.append(foreign & known[..., :-1])
    column_means, count = np.stack(all_means), np.isfinite(np.stack(all_means)).sum(axis=0)
    mean = np.full(evaluated, np.nan)
    np.divide(np.nansum(column_means, axis=0), count, out=mean, where=count > 0)
    takes = two_levels(
        mean,
        np.sum(all_parts, axis=0) / np.maximum(count, 1),
        np.any(all_known, axis=0),
        resamples,
        seed,
        studentised=True,
    )
    return Transfer(tuple(cells), tuple(gives), tuple(takes.estimates()))


def beside_others(values: Array, own: Sequence[int | None]) -> Array:
    """Return each model's values less the mean of the other models' in the same language.

    A row mean of a transfer matrix leaves the model's own language out, so each is over other languages: a
    model may look better because what it leaves out is hard. :func:`transfer_matrix` of these differences
    has none of that: ``gives`` is how far a model is from the others in the same languages.

    Args:
        values: as for :func:`transfer_matrix`.
        own: likewise.

    Returns:
        The same shape; NaN in a model's own language, and where no other model was trained elsewhere.
    """
    foreign = np.array([[index != one for index in range(values.shape[-1])] for one in own])[:, None, None]
    known = np.isfinite(values) & foreign
    held = np.where(known, values, 0.0)
    total, count = held.sum(axis=0) - held, known.sum(axis=0) - known
    others = np.full(values.shape, np.nan)
    np.divide(total, count, out=others, where=known & (count > 0))
    lead: Array = values - others
    return lead


@dataclass(frozen=True)
class LanguageCurve:
    """Scores by the number of languages in the mixture.

    Attributes:
        points: the mean at each number, over orderings.
        steps: each number's difference to the one before, paired by ordering; one fewer than points.
        between: standard deviation between orderings at each number, without the chance of single answers:
            how much it matters which languages they are.
    """

    points: tuple[Estimate, ...]
    steps: tuple[Estimate, ...]
    between: tuple[float, ...]


def language_curve(values: Array, resamples: int = RESAMPLES, seed: int = 0) -> LanguageCurve:
    """Estimate scores by the number of languages, with orderings as a random effect.

    Orderings take the place that training seeds have in :mod:`.levels`: few, so Student's t, and crossed
    with the items; the seeds of an ordering are averaged, so that their chance is within that of orderings.
    What is said is of orderings like these; where all have the same languages (at the last number), of seeds
    alone.

    Args:
        values: (numbers, orderings, seeds, items, languages): the scored ones, such as the unseen; NaN where
            a value is missing.
        resamples: how many.
        seed: of the resampling.
    """
    known = np.isfinite(values)
    count = known.sum(axis=2)
    means = np.full(count.shape, np.nan)
    np.divide(np.where(known, values, 0.0).sum(axis=2), count, out=means, where=count > 0)

    def over_all(one: Array) -> tuple[Estimate, float]:
        mean, parts, there = influences(one, [list(range(one.shape[-1]))])
        found = two_levels(mean[-1:], parts[..., -1:], there[..., -1:], resamples, seed, studentised=True)
        spread = np.sqrt(found.training[0] * found.seeds[0]) if found.seeds[0] > 1 else np.nan
        return found.estimates()[0], float(spread)

    points = [over_all(one) for one in means]
    steps = [over_all(after - before) for before, after in pairwise(means)]
    return LanguageCurve(
        tuple(one for one, _ in points), tuple(one for one, _ in steps), tuple(one for _, one in points)
    )


@dataclass(frozen=True)
class Correlation:
    """A correlation over languages.

    Attributes:
        value: the coefficient; NaN with fewer than three languages or where one side does not vary.
        low: lower end of its 95 % interval; NaN with fewer than four.
        high: upper end.
        n: languages with both values.
        least: smallest coefficient when one language is left out.
        least_without: position of that language; ``None`` where nothing can be left out.
        most: greatest coefficient when one language is left out.
        most_without: position of that language.
    """

    value: float
    low: float
    high: float
    n: int
    least: float
    least_without: int | None
    most: float
    most_without: int | None


def correlation(x: Array, y: Array, ranks: bool = False) -> Correlation:
    """Estimate Pearson's correlation, or Spearman's over ranks, and how it hangs on single languages.

    Intervals on Fisher's (1921) z scale; Spearman's with the variance of Bonett and Wright (2000,
    *Psychometrika* 65, 23-28). Languages are taken as a sample of languages like these.

    Args:
        x: a value of each language; NaN where it is missing.
        y: the same of the other side.
        ranks: Spearman's coefficient.
    """
    where = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    n = len(where)
    value = _coefficient(x[where], y[where], ranks)
    low = high = np.nan
    if n > 3 and np.isfinite(value):
        variance = (1 + value**2 / 2 if ranks else 1.0) / (n - 3)
        z = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
        low, high = np.tanh(z + np.array([-1, 1]) * ndtri(0.975) * np.sqrt(variance))
    without = {}
    for left_out in where:
        kept = where[where != left_out]
        without[int(left_out)] = _coefficient(x[kept], y[kept], ranks)
    without = {index: one for index, one in without.items() if np.isfinite(one)}
    return Correlation(
        value,
        float(low),
        float(high),
        n,
        *extremes(without),
    )


def extremes(without: Mapping[int, float]) -> tuple[float, int | None, float, int | None]:
    """Return the smallest coefficient when one language is left out, its position, and the greatest's.

    Args:
        without: coefficients by the position that was left out; NaN and ``None`` come of none.
    """
    if not without:
        return np.nan, None, np.nan, None
    least, most = (end(without, key=lambda index: without[index]) for end in (min, max))
    return without[least], least, without[most], most


def _coefficient(x: Array, y: Array, ranks: bool) -> float:
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    if ranks:
        from scipy.stats import rankdata  # noqa: PLC0415 (slow to import)

        x, y = rankdata(x), rankdata(y)
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))
