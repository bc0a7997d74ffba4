"""Growing doses of the same languages: Figures 3 and 4 of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from polypinch.experiments.composition import growing
from polypinch.experiments.measured import SCORE, Measured


@dataclass(frozen=True)
class Doses:
    """Arms that are a ladder of shares; their scores stand in the report's own table.

    Attributes:
        model: the base model.
        shares: by arm, the share of examples that are not in the base language.
        dosed: the languages that are dosed.
        all: whether these are all languages but the base.
        added: whether doses are on top of the same budget.
    """

    model: str
    shares: Mapping[str, float]
    dosed: tuple[str, ...]
    all: bool
    added: bool


def measure(measured: Measured) -> Doses | None:
    """Return which arms are a ladder of shares."""
    steps = growing(measured.conditions, measured.base)
    if not steps or measured.stacked([step.arm for step in steps], SCORE) is None:
        return None
    dosed = frozenset[str]().union(*(step.dosed for step in steps))
    return Doses(
        measured.model,
        {step.arm: step.dose / step.rows for step in steps},
        tuple(sorted(dosed)),
        set(measured.axes.languages[1:]) <= dosed,
        any(step.placement == "add" for step in steps),
    )
