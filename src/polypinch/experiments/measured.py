"""Arms' measures on one base model, against the untuned base or the study's opponent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from polypinch.experiments.composition import Condition
from polypinch.results import ArmResults
from polypinch.stats import Array, Bounds, Estimate
from polypinch.study import UNTUNED, Axes, Graph, Store, fill

LOSS, SCORE = "loss_change", "score"
"""Measures: bits per byte against the untuned base, paired; and 0 to 100 against the study's opponent."""

T = TypeVar("T")


@dataclass(frozen=True)
class Costs:
    """What the untuned base needs for the held-out responses.

    Attributes:
        bits: (items, languages) of a response; the language's own columns in the order of the axes.
        tokens: (items, languages).
    """

    bits: Array
    tokens: Array


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of the arms on one base model.

    Attributes:
        axes: of all arrays.
        model: its name.
        arms: by name, the untuned base among them.
        against: what the study compares answers with.
        base: the study's base language.
        conditions: what each arm was tuned on.
        costs: of the untuned base, where its loss was measured.
        disclosed: shares of pretraining by language, where they are known.
    """

    axes: Axes
    model: str
    arms: Mapping[str, ArmResults]
    against: str
    base: str
    conditions: Sequence[Condition]
    costs: Costs | None = None
    disclosed: Mapping[str, float] | None = None
    _made: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False)

    @property
    def settled(self) -> bool:
        """Whether judging stopped where scores were settled."""
        return any(arm.settled for arm in self.arms.values())

    def once(self, make: Callable[[Measured], T]) -> T:
        """Return what ``make`` makes of this; several experiments that stand on it share it."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    def values(self, arm: str, measure: str) -> Array | None:
        """Return an arm's (seeds, items, languages) of a measure, or ``None`` where it was not measured.

        The opponent itself is even with itself: 50 wherever another arm was compared with it.
        """
        results = self.arms[arm]
        if measure == LOSS:
            untuned = self.arms[UNTUNED].loss
            return None if results.loss is None or untuned is None else results.loss - untuned
        if results.outcome is not None:
            return 100 * results.outcome
        if arm != self.against or arm == UNTUNED:
            return None
        shape = results.in_language.shape
        others = [
            other.outcome
            for other in self.arms.values()
            if other.outcome is not None and other.outcome.shape == shape
        ]
        if not others:
            return None
        return np.where(np.isfinite(np.stack(others)).any(axis=0), 50.0, np.nan)

    def stacked(self, arms: Sequence[str], measure: str) -> Array | None:
        """Return (arms, seeds, items, languages), or ``None`` where one of them was not measured."""
        values = [self.values(arm, measure) for arm in arms]
        there = [own for own in values if own is not None]
        return np.stack(there) if there and len(there) == len(arms) else None

    def measures(self, arms: Sequence[str]) -> Iterable[tuple[str, Array]]:
        """Yield each measure that all of the arms have, with its (arms, seeds, items, languages)."""
        for measure in (LOSS, SCORE):
            values = self.stacked(arms, measure)
            if values is not None and np.isfinite(values).any():
                yield measure, values


_SCORES = Bounds(0.0, 100.0)


def ends(measure: str) -> Bounds | None:
    """Return the ends of a measure's scale; of the change of a loss there are none."""
    return _SCORES if measure == SCORE else None


def ends_of_difference(measure: str) -> Bounds | None:
    """Return the ends of a difference of two values of a measure."""
    return _SCORES.difference() if measure == SCORE else None


def level(estimate: Estimate, measure: str) -> Estimate:
    """Return a mean over arms, not a difference, with its interval within the measure's scale."""
    scale = ends(measure)
    if scale is None:
        return estimate
    return replace(estimate, low=max(scale.least, estimate.low), high=min(scale.most, estimate.high))


def read_costs(axes: Axes, graph: Graph, store: Store) -> dict[str, Costs]:
    """Return what each untuned base model needs for the held-out responses, where its loss was measured."""
    costs = {}
    for run in graph.tuned:
        if run.arm == UNTUNED and run.loss is not None:
            table = store.read(run.loss)
            nats, tokens = (fill(axes, {None: table}, name)[0] for name in ("nats", "supervised_tokens"))
            costs[run.model] = Costs(nats / math.log(2), tokens)
    return costs
