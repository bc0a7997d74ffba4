"""Two languages instead of one: Figure 6 of the paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polypinch.experiments.composition import pairs
from polypinch.experiments.languages.measure import of_seeds
from polypinch.experiments.measured import Measured, ends, ends_of_difference
from polypinch.stats import Array, Estimate, intervals, language_curve

ALL_PAIRS = "all"
"""The pair of a row over all pairs."""


@dataclass(frozen=True)
class Level:
    """A pair, or one of its languages alone, over the languages outside of it: a row of ``pairs``.

    Attributes:
        model: the base model.
        measure: ``loss_change`` or ``score``.
        pair: the pair's tags.
        tuned_on: ``pair``, or one language's tag.
        arm: the arm.
        estimate: the average over the languages outside of the pair.
    """

    model: str
    measure: str
    pair: str
    tuned_on: str
    arm: str
    estimate: Estimate


@dataclass(frozen=True)
class Change:
    """A pair less one of its languages alone, paired: a row of ``pairs_changes``.

    Attributes:
        model: the base model.
        measure: ``loss_change`` or ``score``.
        pair: the pair's tags, or ``all``.
        beside: the language alone, or ``mean of both``.
        arm: the pair's arm; empty for all.
        alone: the other arm; empty for all.
        estimate: the difference over the languages outside of the pair.
    """

    model: str
    measure: str
    pair: str
    beside: str
    arm: str
    alone: str
    estimate: Estimate


TABLES = {"pairs": Level, "pairs_changes": Change}
"""The rows of each exported table, by its name."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of languages beside each language alone.

    Attributes:
        model: the base model.
        against: what answers were compared with.
        levels: pairs and single languages.
        changes: paired differences.
    """

    model: str
    against: str
    levels: tuple[Level, ...]
    changes: tuple[Change, ...]


def measure(measured: Measured) -> Pairs | None:
    """Return each pair beside its languages alone, over the languages outside of the pair."""
    model, evaluated = measured.model, measured.axes.languages
    levels: list[Level] = []
    changes: list[Change] = []
    steps: dict[str, list[Array]] = {}
    for both, *alone in pairs(measured.conditions):
        outside = [index for index, tag in enumerate(evaluated) if tag not in both.counts]
        if not outside:
            continue
        tags = " ".join(both.counts)
        for name, values in measured.measures([both.arm, *(one.arm for one in alone)]):
            column = len(evaluated)
            means = intervals(values, [outside], ends(name))
            for index, one in enumerate((both, *alone)):
                what = "pair" if index == 0 else next(iter(one.counts))
                mean = means.estimate(index, column)
                levels.append(Level(model, name, tags, what, one.arm, mean))
            contrast = intervals(
                np.stack([values[0] - one for one in values[1:]]), [outside], ends_of_difference(name)
            )
            for index, one in enumerate(alone):
                beside, difference = next(iter(one.counts)), contrast.estimate(index, column)
                changes.append(Change(model, name, tags, beside, both.arm, one.arm, difference))
            kept = np.isin(np.arange(column), outside)
            step = np.stack([values[1:].mean(axis=0), values[0]])
            steps.setdefault(name, []).append(np.where(kept, step, np.nan))
    for name, parts in steps.items():
        if len(parts) > 1:
            over = of_seeds(measured, language_curve(np.stack(parts, axis=1)).steps[0])
            changes.append(Change(model, name, ALL_PAIRS, "mean of both", "", "", over))
    return Pairs(model, measured.against, tuple(levels), tuple(changes)) if changes else None
