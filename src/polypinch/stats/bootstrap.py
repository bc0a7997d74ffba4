"""Intervals by resampling items, and training seeds above them.

Translations of one item are one cluster: they are drawn together, as they share their difficulty.
Two-level resampling after Davison and Hinkley (1997), *Bootstrap Methods and their Application*,
section 3.8; percentile intervals after Efron (1979).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval.

    Attributes:
        value: the mean; NaN where nothing was measured.
        low: lower end of the 95 % interval.
        high: upper end.
        n_items: items with at least one value.
        n_seeds: training seeds.
    """

    value: float
    low: float
    high: float
    n_items: int
    n_seeds: int

    def as_dict(self) -> dict[str, float | int]:
        """Return the fields as a dict."""
        return asdict(self)


def language_means(values: Array) -> Array:
    """Return the mean of each language, (languages,), over all seeds and items that have a value."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=(0, 1))
    count = known.sum(axis=(0, 1))
    means: Array = np.divide(total, count, out=np.full(values.shape[2], np.nan), where=count > 0)
    return means


def resampled_means(values: Array, resamples: int = RESAMPLES, seed: int = 0) -> Array:
    """Resample items, and seeds, with replacement.

    The same ``seed`` and shape draw the same items, so two arrays over the same items stay paired.

    Args:
        values: (seeds, items, languages); NaN where a value is missing.
        resamples: how many.
        seed: of the resampling.

    Returns:
        (resamples, languages) means; NaN where a resample holds no value of a language.
    """
    n_seeds, n_items, n_languages = values.shape
    generator = np.random.default_rng(seed)
    item_weights = generator.multinomial(n_items, np.full(n_items, 1 / n_items), resamples).astype(np.float64)
    seed_weights = generator.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), resamples).astype(np.float64)
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    total = np.zeros((resamples, n_languages))
    count = np.zeros((resamples, n_languages))
    for index in range(n_seeds):
        weight = seed_weights[:, index : index + 1]
        total += weight * (item_weights @ filled[index])
        count += weight * (item_weights @ known[index].astype(np.float64))
    means: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return means


def mean_interval(
    values: Array, languages: list[int] | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """Estimate the mean over languages (each weighing the same) with a 95 % interval.

    Args:
        values: (seeds, items, languages); NaN where a value is missing. For a contrast of two arms pass
            the difference of their arrays, item by item: the pairing then holds.
        languages: which languages to average; all by default.
        resamples: how many.
        seed: of the resampling.
    """
    chosen = values if languages is None else values[:, :, languages]
    n_items = int(np.isfinite(chosen).any(axis=(0, 2)).sum()) if chosen.size else 0
    n_seeds = values.shape[0]
    if not n_items:
        return Estimate(np.nan, np.nan, np.nan, 0, n_seeds)
    point = float(np.nanmean(language_means(chosen)))
    drawn = resampled_means(chosen, resamples, seed)
    usable = np.isfinite(drawn).any(axis=1)
    averages = np.nanmean(drawn[usable], axis=1)
    low, high = np.quantile(averages, [0.025, 0.975])
    return Estimate(point, float(low), float(high), n_items, n_seeds)
