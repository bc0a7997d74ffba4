"""Statistics: arrays in, numbers out; knows no file and no model."""

from polypinch.stats.bootstrap import (
    RESAMPLES,
    Array,
    Estimate,
    language_means,
    mean_interval,
    resampled_means,
)

__all__ = ["RESAMPLES", "Array", "Estimate", "language_means", "mean_interval", "resampled_means"]
