"""One dose in two ways: in place of base examples or on top of them, in other items, or tuned otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polypinch.experiments.composition import Condition, Twins
from polypinch.experiments.measured import Measured
from polypinch.report import Experiment
from polypinch.stats import Array, score_arms


def ways(
    measured: Measured, both: Sequence[Twins], dosed: Sequence[tuple[Condition, Condition]]
) -> Experiment | None:
    """Return the paired difference between two ways at each dose, and each dose against none in its own way.

    Args:
        measured: the arms' measures.
        both: arms that differ in one thing.
        dosed: arms with the arm of their base alone that is tuned alike.
    """
    rows: list[dict[str, Any]] = []
    for one in both:
        about = {"what": one.what, "way": way_words(one.other, one.what), "dose": one.plain.dose}
        about |= {"arm": one.other.arm, "beside": one.plain.arm}
        rows += _differences(measured, one.other.arm, one.plain.arm, about)
    if not rows:
        return None
    involved = {arm.arm for one in both for arm in (one.plain, one.other)}
    against: list[dict[str, Any]] = []
    for arm, bare in dosed:
        if arm.arm in involved:
            words = ", ".join(way_words(arm, what) for what in _unlike_usual(arm)) or "the usual way"
            about = {"way": words, "dose": arm.dose, "arm": arm.arm, "beside": bare.arm}
            against += _differences(measured, arm.arm, bare.arm, about)
    kinds = list(dict.fromkeys(one.what for one in both))
    return Experiment("ways", measured.model, {"ways": rows, "ways_doses": against}, {"what": kinds})


def _differences(measured: Measured, arm: str, beside: str, about: dict[str, Any]) -> list[dict[str, Any]]:
    axes = measured.axes
    rows = []
    for measure, values in measured.measures([arm, beside]):
        difference: Array = (values[0] - values[1])[None]
        found = score_arms(difference, list(axes.groups.values()))
        for column, name in enumerate([*axes.languages, *axes.groups]):
            one = found.estimate(0, column)
            if np.isfinite(one.value):
                rows.append(measured.row(one, measure, **about, language=name))
    return rows


def way_words(one: Condition, what: str) -> str:
    """Return in words what is unlike the usual way in one respect."""
    if what == "placement":
        return "added" if one.placement == "add" else "replacing"
    if what == "items":
        return "other items" if one.items == "disjoint" else "the same items"
    if what == "times":
        return f"each row {one.times} times"
    return one.tuning or "the study’s tuning"


def _unlike_usual(one: Condition) -> list[str]:
    usual = {"placement": "replace", "items": "parallel", "times": 1, "tuning": ""}
    return [name for name, value in usual.items() if getattr(one, name) != value]
