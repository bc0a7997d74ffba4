"""An arm by its dose."""

from __future__ import annotations

from dataclasses import dataclass

from polypinch.results import ArmResults


@dataclass(frozen=True)
class Dosed:
    """An arm by its dose.

    Attributes:
        results: its measurements.
        dose: delivered examples that are not in the base language.
        rows: all delivered examples.
        trained: languages with delivered examples.
    """

    results: ArmResults
    dose: int
    rows: int
    trained: frozenset[str] = frozenset()
