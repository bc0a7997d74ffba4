"""Statistics: arrays in, numbers out; knows no file and no model."""

from polypinch.stats.bias import ByLanguage, Places, WithFidelity, longer_wins, places, share, with_fidelity
from polypinch.stats.bootstrap import (
    RESAMPLES,
    Array,
    Estimate,
    language_means,
    mean_interval,
    resampled_means,
    seed_half_width,
)
from polypinch.stats.lengths import LengthControlled, length_controlled
from polypinch.stats.levels import Levels, influences, two_levels
from polypinch.stats.sequential import Monitor, Sequences, Standing

__all__ = [
    "RESAMPLES",
    "Array",
    "ByLanguage",
    "Estimate",
    "LengthControlled",
    "Levels",
    "Monitor",
    "Places",
    "Sequences",
    "Standing",
    "WithFidelity",
    "influences",
    "language_means",
    "length_controlled",
    "longer_wins",
    "mean_interval",
    "places",
    "resampled_means",
    "seed_half_width",
    "share",
    "two_levels",
    "with_fidelity",
]
