"""Arms' measures on one base model, against the untuned base or the study's opponent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polypinch.results import ArmResults, Axes
from polypinch.stats import Array, Estimate, widened
from polypinch.study import UNTUNED

LOSS, SCORE = "loss_change", "score"
"""Measures: bits per byte against the untuned base, paired; and 0 to 100 against the study's opponent."""


@dataclass(frozen=True)
class Measured:
    """What was measured of the arms on one base model.

    Attributes:
        axes: of all arrays.
        model: its name.
        arms: by name, the untuned base among them.
        against: what the study compares answers with.
    """

    axes: Axes
    model: str
    arms: Mapping[str, ArmResults]
    against: str

    def values(self, arm: str, measure: str) -> Array | None:
        """Return an arm's (seeds, items, languages) of a measure, or ``None`` where it was not measured.

        The opponent itself is even with itself: 50 wherever another arm was compared with it.
        """
        found = self.arms[arm]
        if measure == LOSS:
            untuned = self.arms[UNTUNED].loss
            return None if found.loss is None or untuned is None else found.loss - untuned
        if found.outcome is not None:
            return 100 * found.outcome
        if arm != self.against or arm == UNTUNED:
            return None
        shape = found.in_language.shape
        others = [
            one.outcome
            for one in self.arms.values()
            if one.outcome is not None and one.outcome.shape == shape
        ]
        if not others:
            return None
        return np.where(np.isfinite(np.stack(others)).any(axis=0), 50.0, np.nan)

    def stacked(self, arms: Sequence[str], measure: str) -> Array | None:
        """Return (arms, seeds, items, languages), or ``None`` where one of them was not measured."""
        found = [self.values(arm, measure) for arm in arms]
        there = [one for one in found if one is not None]
        return np.stack(there) if there and len(there) == len(arms) else None

    def measures(self, arms: Sequence[str]) -> Iterable[tuple[str, Array]]:
        """Yield each measure that all of the arms have, with its (arms, seeds, items, languages)."""
        for measure in (LOSS, SCORE):
            values = self.stacked(arms, measure)
            if values is not None and np.isfinite(values).any():
                yield measure, values

    def level(self, estimate: Estimate, measure: str, **about: Any) -> dict[str, Any]:
        """Return a table's row of a mean, not a difference: a score's interval keeps to 0 and 100."""
        if measure == SCORE:
            wide = widened(estimate, 0, 100)
            estimate = replace(wide, low=max(0.0, wide.low), high=min(100.0, wide.high))
        return self.row(estimate, measure, **about)

    def row(self, estimate: Estimate, measure: str, **about: Any) -> dict[str, Any]:
        """Return a table's row."""
        return {"model": self.model, "measure": measure, **about, **estimate.as_dict()}
