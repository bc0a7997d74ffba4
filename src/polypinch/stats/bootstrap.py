"""Intervals by resampling items, widened by the spread between training seeds.

Translations of one item are one cluster: they are drawn together, as they share their difficulty.
Cluster resampling after Davison and Hinkley (1997), *Bootstrap Methods and their Application*, section
3.8; percentile intervals after Efron (1979).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

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
    """Resample items with replacement, each with all its translations and seeds.

    The same ``seed`` and shape draw the same items, so two arrays over the same items stay paired.

    Args:
        values: (seeds, items, languages); NaN where a value is missing.
        resamples: how many.
        seed: of the resampling.

    Returns:
        (resamples, languages) means; NaN where a resample holds no value of a language.
    """
    n_items = values.shape[1]
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(n_items, np.full(n_items, 1 / n_items), resamples).astype(np.float64)
    known = np.isfinite(values)
    total = weights @ np.where(known, values, 0.0).sum(axis=0)
    count = weights @ known.sum(axis=0).astype(np.float64)
    means: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return means


def seed_half_width(values: Array) -> float:
    """Return the half-width of Student's 95 % interval over seeds; 0 for one seed, which cannot tell.

    Args:
        values: (seeds, items, languages); NaN where a value is missing.
    """
    n_seeds = values.shape[0]
    if n_seeds < 2:
        return 0.0
    means = [np.nanmean(language_means(one[None])) for one in values if np.isfinite(one).any()]
    if len(means) < 2:
        return 0.0
    return float(stdtrit(len(means) - 1, 0.975) * np.std(means, ddof=1) / np.sqrt(len(means)))
