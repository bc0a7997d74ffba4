"""One dose in two ways: in place of base examples or on top of them, in other items, or tuned otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from polypinch.experiments.composition import Condition, twins, with_baselines
from polypinch.experiments.measured import Measured, ends_of_difference
from polypinch.stats import Array, Estimate, intervals


@dataclass(frozen=True)
class Way:
    """One dose in two ways, the difference: a row of ``ways``.

    Attributes:
        model: the base model.
        measure: ``loss_change`` or ``score``.
        what: ``placement``, ``items``, ``times`` or ``tuning``.
        way: the unusual way, in words.
        dose: delivered examples that are not in the base language.
        arm: the arm of the unusual way.
        beside: the arm of the usual one.
        language: its tag, or the key of an average.
        estimate: the paired difference.
    """

    model: str
    measure: str
    what: str
    way: str
    dose: int
    arm: str
    beside: str
    language: str
    estimate: Estimate


@dataclass(frozen=True)
class Against:
    """A dose against none in its own way: a row of ``ways_doses``; as :class:`Way`."""

    model: str
    measure: str
    way: str
    dose: int
    arm: str
    beside: str
    language: str
    estimate: Estimate


TABLES = {"ways": Way, "ways_doses": Against}
"""The rows of each exported table, by its name."""


@dataclass(frozen=True)
class Ways:
    """Doses in two ways.

    Attributes:
        model: the base model.
        kinds: what ways differ in, in the study's order.
        ways: differences between two ways.
        against: each dose against none.
    """

    model: str
    kinds: tuple[str, ...]
    ways: tuple[Way, ...]
    against: tuple[Against, ...]


def measure(measured: Measured) -> Ways | None:
    """Return the paired difference between two ways at each dose, and each dose against none in its own."""
    both = twins(measured.conditions)
    ways = tuple(
        Way(
            measured.model, name, one.what, words, one.plain.dose, one.other.arm, one.plain.arm, tag, estimate
        )
        for one in both
        for words in (way_words(one.other, one.what),)
        for name, tag, estimate in _differences(measured, one.other.arm, one.plain.arm)
    )
    if not ways:
        return None
    involved = {arm.arm for one in both for arm in (one.plain, one.other)}
    against = tuple(
        Against(measured.model, name, _usual_or_not(arm), arm.dose, arm.arm, bare.arm, tag, estimate)
        for arm, bare in with_baselines(measured.conditions)
        if arm.arm in involved
        for name, tag, estimate in _differences(measured, arm.arm, bare.arm)
    )
    return Ways(measured.model, tuple(dict.fromkeys(one.what for one in both)), ways, against)


def _differences(measured: Measured, arm: str, beside: str) -> Iterator[tuple[str, str, Estimate]]:
    """Yield measure, language or average, and the paired difference, where it is known."""
    axes = measured.axes
    for name, values in measured.measures([arm, beside]):
        difference: Array = (values[0] - values[1])[None]
        scores = intervals(difference, list(axes.groups.values()), ends_of_difference(name))
        for column, tag in enumerate([*axes.languages, *axes.groups]):
            estimate = scores.estimate(0, column)
            if np.isfinite(estimate.value):
                yield name, tag, estimate


def _usual_or_not(condition: Condition) -> str:
    return ", ".join(way_words(condition, what) for what in _unlike_usual(condition)) or "the usual way"


def way_words(condition: Condition, what: str) -> str:
    """Return in words what is unlike the usual way in one respect."""
    if what == "placement":
        return "added" if condition.placement == "add" else "replacing"
    if what == "items":
        return "other items" if condition.items == "disjoint" else "the same items"
    if what == "times":
        return f"each row {condition.times} times"
    return condition.tuning or "the study’s tuning"


def _unlike_usual(condition: Condition) -> list[str]:
    usual = {"placement": "replace", "items": "parallel", "times": 1, "tuning": ""}
    return [name for name, value in usual.items() if getattr(condition, name) != value]
