"""Whether exposure in pretraining tells what a language gives: Figure 8 of the paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from polypinch.experiments.measured import LOSS, SCORE, Measured
from polypinch.experiments.transfer.measure import Mean, Side
from polypinch.experiments.transfer.measure import measure as measure_transfer
from polypinch.stats import Array, Estimate, correlation, ratio_intervals

_FEWEST = 4  # languages: fewer have no interval


@dataclass(frozen=True)
class Proxy:
    """A proxy of a language's exposure in pretraining: a row of ``exposure``.

    Attributes:
        model: the base model.
        proxy: ``bits`` or ``tokens`` that the base language needs over those of this one, or ``share``.
        language: its tag.
        estimate: the ratio, or the disclosed share, which has no interval.
    """

    model: str
    proxy: str
    language: str
    estimate: Estimate


@dataclass(frozen=True)
class Coefficient:
    """A correlation of a proxy with what languages give: a row of ``exposure_correlations``.

    Attributes:
        model: the base model.
        proxy: as in ``exposure``.
        measure: ``loss_change`` or ``score``.
        side: ``gives``, or ``beside`` the other models.
        coefficient: ``Pearson`` or ``Spearman``.
        value: the coefficient; above 0, more with more.
        low: lower end of the 95 % interval.
        high: upper end.
        n: languages.
        least: the smallest coefficient when a language is left out.
        least_without: which.
        most: the greatest.
        most_without: which.
    """

    model: str
    proxy: str
    measure: str
    side: Side
    coefficient: str
    value: float
    low: float
    high: float
    n: int
    least: float
    least_without: str | None
    most: float
    most_without: str | None


TABLES = {"exposure": Proxy, "exposure_correlations": Coefficient}
"""The rows of each exported table, by its name."""


@dataclass(frozen=True)
class Exposure:
    """What languages give beside proxies of their exposure.

    Attributes:
        model: the base model.
        against: what answers were compared with.
        base: the base language's tag.
        given: what languages give, and give beside the other models.
        proxies: of each language.
        coefficients: correlations.
    """

    model: str
    against: str
    base: str
    given: tuple[Mean, ...]
    proxies: tuple[Proxy, ...]
    coefficients: tuple[Coefficient, ...]


def measure(measured: Measured) -> Exposure | None:
    """Return what languages give beside proxies of their pretraining exposure, with correlations."""
    transfer = measure_transfer(measured)
    if transfer is None:
        return None
    trained = list(dict.fromkeys(mean.language for mean in transfer.means if mean.side == "gives"))
    proxies = _proxies(measured, trained)
    coefficients = _coefficients(measured.model, proxies, transfer.means, trained)
    if not coefficients:
        return None
    return Exposure(
        measured.model,
        transfer.against,
        measured.axes.languages[0],
        tuple(mean for mean in transfer.means if mean.side != "takes"),
        tuple(
            Proxy(measured.model, proxy, tag, estimate)
            for proxy, estimates in proxies.items()
            for tag, estimate in estimates.items()
        ),
        tuple(coefficients),
    )


def _proxies(measured: Measured, trained: Sequence[str]) -> dict[str, dict[str, Estimate]]:
    proxies: dict[str, dict[str, Estimate]] = {}
    if measured.costs is not None:
        for name, values in (("bits", measured.costs.bits), ("tokens", measured.costs.tokens)):
            base = np.repeat(values[:, :1], values.shape[1], axis=1)
            ratios = zip(measured.axes.languages, ratio_intervals(base, values), strict=True)
            proxies[name] = {tag: ratio for tag, ratio in ratios if tag in trained and ratio.n_items}
    if measured.disclosed:
        nothing = float("nan")
        proxies["share"] = {
            tag: Estimate(measured.disclosed[tag], nothing, nothing, 0, 0)
            for tag in trained
            if tag in measured.disclosed
        }
    return proxies


def _coefficients(
    model: str,
    proxies: Mapping[str, Mapping[str, Estimate]],
    means: Sequence[Mean],
    trained: Sequence[str],
) -> list[Coefficient]:
    sides: tuple[Side, ...] = ("gives", "beside")
    coefficients = []
    for proxy, estimates in proxies.items():
        scale = np.log if proxy == "share" else np.asarray
        x = scale(np.array([estimates[tag].value if tag in estimates else np.nan for tag in trained]))
        for name in (LOSS, SCORE):
            for side in sides:
                y = _given(means, trained, name, side)
                for kind, ranks in (("Pearson", False), ("Spearman", True)):
                    one = correlation(x, y, ranks)
                    if one.n < _FEWEST or not math.isfinite(one.value):
                        continue
                    left = left_out(trained, one.least_without), left_out(trained, one.most_without)
                    coefficients.append(
                        Coefficient(model, proxy, name, side, kind, one.value, one.low, one.high, one.n,
                                    one.least, left[0], one.most, left[1])
                    )  # fmt: skip
    return coefficients


def left_out(tags: Sequence[str], position: int | None) -> str | None:
    """Return the language at a position, if there is one."""
    return None if position is None else tags[position]


def _given(means: Sequence[Mean], trained: Sequence[str], measure: str, side: Side) -> Array:
    """Return what each language gives, more being better; NaN where it was not measured."""
    sign = -1.0 if measure == LOSS else 1.0
    values = {
        mean.language: mean.estimate.value for mean in means if (mean.measure, mean.side) == (measure, side)
    }
    return np.array([sign * values[tag] if tag in values else np.nan for tag in trained])
