"""What an experiment is: how it is measured from a study's arms, and how what was measured is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from polypinch.experiments.measured import SCORE, Measured
from polypinch.report import Part, ReportData


class Result(Protocol):
    """What an experiment measured on one base model."""

    @property
    def model(self) -> str:
        """The base model."""


R = TypeVar("R", bound=Result)

_SETTLED = (
    "Judging stopped in each language where its score was settled. Intervals of scores in this section"
    " resample the pairs that were judged and do not know of that, so they are approximate."
)


@dataclass(frozen=True)
class Experiment(Generic[R]):
    """One of the paper's experiments, or of those that it leaves open.

    Attributes:
        measure: from the arms on one base model to typed rows; ``None`` where the arms do not allow it.
        section: from these to a finished part of the page.
        tables: the dataclass of the rows of each table that the part exports, by its CSV file's name.
        figures: how the names of its figures' files begin.
    """

    measure: Callable[[Measured], R | None]
    section: Callable[[ReportData, R], Part]
    tables: Mapping[str, type[Any]]
    figures: str

    def of(self, measured: Measured) -> Shown[R] | None:
        """Measure it on one base model, or return ``None`` where the arms do not allow it."""
        result = self.measure(measured)
        return None if result is None else Shown(self, result, measured.settled)


@dataclass(frozen=True)
class Shown(Generic[R]):
    """An experiment that a study's arms allow, measured on one base model.

    Attributes:
        experiment: which.
        result: what was measured.
        settled: whether judging stopped where scores were settled.
    """

    experiment: Experiment[R]
    result: R
    settled: bool

    def part(self, data: ReportData) -> Part:
        """Return its part of the page; with several base models each has its own."""
        part = self.experiment.section(data, self.result)
        rows = (row for table in part.tables.values() for row in table)
        if self.settled and any(getattr(row, "measure", None) == SCORE for row in rows):
            part = replace(part, notes=(*part.notes, _SETTLED))
        number = data.models.index(self.result.model)
        return part if number == 0 else replace(part, anchor=f"{part.anchor}-{number + 1}")
