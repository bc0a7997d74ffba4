"""What a person with a minute reads of one base model: a verdict, and how endpoints stand at each dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from polypinch.measure import Measure


@dataclass(frozen=True)
class AtDose:
    """How an endpoint stands at one dose.

    Attributes:
        value: the change from no dose, with the measure's sign.
        low: lower end of its 95 % interval.
        high: upper end.
        told: whether the dose is told from none, better or worse: only then is its mark filled.
        holds: whether the endpoint holds; ``None`` where that cannot be told.
    """

    value: float
    low: float
    high: float
    told: bool
    holds: bool | None


@dataclass(frozen=True)
class Endpoint:
    """One measure over a group of languages, that a dose must pass to be enough.

    Attributes:
        measure: which.
        group: ``others``, or ``base`` for the base language.
        over: those languages in words.
        margin: how much worse is still as good, in the measure's values; ``None`` for "better than none".
        by_dose: how it stands, by dose.
    """

    measure: Measure
    group: str
    over: str
    margin: float | None
    by_dose: Mapping[int, AtDose]

    @property
    def rule(self) -> str:
        """Say what has to hold."""
        if self.margin is None:
            return "better than none"
        return f"at most {self.measure.amount(self.margin)} {self.measure.unit} worse than none"


@dataclass(frozen=True)
class Conclusion:
    """What a person with a minute reads of one base model.

    Attributes:
        model: its name.
        short: the verdict in a few words; empty where the study has no ladder of doses.
        answer: the same as a sentence, with its number and interval.
        rows: all training examples of an arm.
        trainings: of the arm with the fewest.
        enough: doses at which every endpoint holds.
        endpoints: the leading one first.
    """

    model: str
    short: str
    answer: str
    rows: int = 0
    trainings: int = 0
    enough: tuple[int, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()

    @property
    def doses(self) -> list[int]:
        """Doses above none, ascending."""
        return sorted({dose for one in self.endpoints for dose in one.by_dose})

    def all_hold(self, dose: int) -> bool | None:
        """Tell whether every endpoint holds at a dose; ``None`` where that cannot be told."""
        held = [one.by_dose[dose].holds if dose in one.by_dose else None for one in self.endpoints]
        return False if False in held else None if None in held else True
