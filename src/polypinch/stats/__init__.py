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
from polypinch.stats.curves import Curve, Saturation, isotonic, saturating
from polypinch.stats.dose import DoseStep, Needed, SmallestDose, minimum_effective_dose, smallest_dose_within
from polypinch.stats.lengths import LengthControlled, length_controlled
from polypinch.stats.levels import Levels, influences, two_levels
from polypinch.stats.noise import Noise, noise_floor
from polypinch.stats.scores import Scores, contrasts, score_arms
from polypinch.stats.sequential import Monitor, Sequences, Standing
from polypinch.stats.transfer import (
    Correlation,
    LanguageCurve,
    Transfer,
    correlation,
    language_curve,
    transfer_matrix,
)

__all__ = [
    "RESAMPLES",
    "Array",
    "ByLanguage",
    "Correlation",
    "Curve",
    "DoseStep",
    "Estimate",
    "LanguageCurve",
    "LengthControlled",
    "Levels",
    "Monitor",
    "Needed",
    "Noise",
    "Places",
    "Saturation",
    "Scores",
    "Sequences",
    "SmallestDose",
    "Standing",
    "Transfer",
    "WithFidelity",
    "contrasts",
    "correlation",
    "influences",
    "isotonic",
    "language_curve",
    "language_means",
    "length_controlled",
    "longer_wins",
    "mean_interval",
    "minimum_effective_dose",
    "noise_floor",
    "places",
    "resampled_means",
    "saturating",
    "score_arms",
    "seed_half_width",
    "share",
    "smallest_dose_within",
    "transfer_matrix",
    "two_levels",
    "with_fidelity",
]
