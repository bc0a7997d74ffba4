"""Statistics: arrays in, numbers out; knows no file and no model."""

from polypinch.stats.bootstrap import (
    RESAMPLES,
    Array,
    Estimate,
    language_means,
    mean_interval,
    resampled_means,
)
from polypinch.stats.ratio import ratio_intervals

__all__ = [
    "RESAMPLES",
    "Array",
    "Estimate",
    "language_means",
    "mean_interval",
    "ratio_intervals",
    "resampled_means",
]
