"""How many languages at one budget: Figure 5 of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from polypinch.experiments.composition import Condition, orderings
from polypinch.experiments.measured import Measured, ends, level
from polypinch.stats import Array, Estimate, intervals, language_curve, seed_half_width

MEAN = "mean"
"""The ordering of a row that is the mean over orderings."""


@dataclass(frozen=True)
class Point:
    """The average over unseen languages at a number of languages: a row of ``number_of_languages``.

    Attributes:
        model: the base model.
        measure: ``loss_change`` or ``score``.
        languages: how many languages the mixture has.
        ordering: its number, or ``mean``.
        arm: its arm; empty for the mean.
        tuned_on: its languages' tags; empty for the mean.
        between: standard deviation between orderings; ``None`` for a single one.
        estimate: the average over the languages that no arm was tuned on.
    """

    model: str
    measure: str
    languages: int
    ordering: str
    arm: str
    tuned_on: str
    between: float | None
    estimate: Estimate


@dataclass(frozen=True)
class Step:
    """A number of languages against the one before: a row of ``number_of_languages_steps``."""

    model: str
    measure: str
    languages: int
    before: int
    estimate: Estimate


TABLES = {"number_of_languages": Point, "number_of_languages_steps": Step}
"""The rows of each exported table, by its name."""


@dataclass(frozen=True)
class NumberOfLanguages:
    """Averages over unseen languages by the number of languages tuned on.

    Attributes:
        model: the base model.
        against: what answers were compared with.
        orderings: how many.
        unseen: the languages that no arm was tuned on.
        points: each number's average.
        steps: each number against the one before.
    """

    model: str
    against: str
    orderings: int
    unseen: tuple[str, ...]
    points: tuple[Point, ...]
    steps: tuple[Step, ...]


def measure(measured: Measured) -> NumberOfLanguages | None:
    """Return the average over languages that no arm was tuned on, by the number that it was tuned on."""
    chains = orderings(measured.conditions)
    levels = list(chains.values())
    used = frozenset[str]().union(*(one.languages for members in levels for one in members))
    unseen = [index for index, tag in enumerate(measured.axes.languages) if tag not in used]
    if not chains or not unseen:
        return None
    points: list[Point] = []
    steps: list[Step] = []
    for name, stacked in measured.measures(_arms(levels)):
        more = _of_measure(measured, chains, unseen, name, stacked)
        points += more[0]
        steps += more[1]
    if not points:
        return None
    return NumberOfLanguages(
        measured.model,
        measured.against,
        len(levels[0]),
        tuple(measured.axes.languages[index] for index in unseen),
        tuple(points),
        tuple(steps),
    )


def _arms(levels: Sequence[Sequence[Condition]]) -> list[str]:
    return list(dict.fromkeys(one.arm for members in levels for one in members))


def _of_measure(
    measured: Measured,
    chains: dict[int, list[Condition]],
    unseen: list[int],
    name: str,
    stacked: Array,
) -> tuple[list[Point], list[Step]]:
    model, counts, levels = measured.model, list(chains), list(chains.values())
    at = {arm: index for index, arm in enumerate(_arms(levels))}
    scored = np.stack([[stacked[at[one.arm]] for one in members] for members in levels])[..., unseen]
    curve = language_curve(scored)
    # An arm that all orderings share has no spread between them: its own seeds are its chance.
    shared = [
        seed_half_width(scored[index, 0]) if len({one.arm for one in members}) == 1 < len(members) else 0.0
        for index, members in enumerate(levels)
    ]
    each = intervals(stacked, [unseen], ends(name))
    column = len(measured.axes.languages)
    points: list[Point] = []
    for count, members, mean, spread in zip(counts, levels, curve.points, curve.between, strict=True):
        shared_arm = len({one.arm for one in members}) == 1
        whole = (
            each.estimate(at[members[0].arm], column) if shared_arm else level(of_seeds(measured, mean), name)
        )
        points.append(Point(model, name, count, MEAN, "", "", spread, whole))
        for number, one in enumerate(members, start=1):
            alone = each.estimate(at[one.arm], column)
            tags = " ".join(sorted(one.counts))
            points.append(Point(model, name, count, str(number), one.arm, tags, None, alone))
    steps = [
        Step(model, name, after, before, of_seeds(measured, wider_by(step, float(np.hypot(left, right)))))
        for (before, after), step, (left, right) in zip(
            pairwise(counts), curve.steps, pairwise(shared), strict=True
        )
    ]
    return points, steps


def wider_by(estimate: Estimate, half: float) -> Estimate:
    """Return an estimate whose interval also has a second, independent part of this half-width.

    Distances add as squares (Zou and Donner 2008, *Statistics in Medicine* 27, 1693-1702).
    """
    value = estimate.value
    below, above = np.hypot(value - estimate.low, half), np.hypot(estimate.high - value, half)
    return replace(estimate, low=float(value - below), high=float(value + above))


def of_seeds(measured: Measured, estimate: Estimate) -> Estimate:
    """Return an estimate over orderings, which counts these, with the number of training seeds of each."""
    return replace(estimate, n_seeds=len(measured.axes.seeds))
