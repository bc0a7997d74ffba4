"""What tuning on one language alone does for the others: Figures 1 and 7 of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from polypinch.experiments.composition import Condition, alone
from polypinch.experiments.measured import Measured, ends, ends_of_difference, level
from polypinch.languages import language
from polypinch.stats import Estimate, beside_others, transfer_matrix

Side = Literal["gives", "beside", "takes"]


@dataclass(frozen=True)
class Cell:
    """What tuning on one language does in another: a row of ``transfer``."""

    model: str
    measure: str
    trained: str
    evaluated: str
    estimate: Estimate


@dataclass(frozen=True)
class Mean:
    """What a language gives, gives beside the other models, or takes: a row of ``transfer_means``."""

    model: str
    measure: str
    side: Side
    language: str
    estimate: Estimate


TABLES = {"transfer": Cell, "transfer_means": Mean}
"""The rows of each exported table, by its name."""


@dataclass(frozen=True)
class Transfer:
    """The transfer matrices of one base model.

    Attributes:
        model: the base model.
        against: what answers were compared with.
        branch: the branch that all languages are of, if there is one.
        cells: trained × evaluated, by measure.
        means: what languages give and take.
    """

    model: str
    against: str
    branch: str | None
    cells: tuple[Cell, ...]
    means: tuple[Mean, ...]


def measure(measured: Measured) -> Transfer | None:
    """Return the transfer matrices of arms of one language alone, with what languages give and take."""
    return measured.once(_measure)


def _measure(measured: Measured) -> Transfer | None:
    single = alone(measured.conditions)
    if not single:
        return None
    model, evaluated = measured.model, measured.axes.languages
    trained = in_order(single, evaluated)
    own = [evaluated.index(tag) if tag in evaluated else None for tag in trained]
    cells: list[Cell] = []
    means: list[Mean] = []
    for name, values in measured.measures([single[tag].arm for tag in trained]):
        matrix = transfer_matrix(values, own, ends(name))
        beside = transfer_matrix(beside_others(values, own), own, ends_of_difference(name)).gives
        for tag, row, gives, lead in zip(trained, matrix.cells, matrix.gives, beside, strict=True):
            cells += [
                Cell(model, name, tag, other, cell)
                for other, cell in zip(evaluated, row, strict=True)
                if cell.n_items
            ]
            means.append(Mean(model, name, "gives", tag, gives))
            means.append(Mean(model, name, "beside", tag, lead))
        means += [
            Mean(model, name, "takes", tag, level(takes, name))
            for tag, takes in zip(evaluated, matrix.takes, strict=True)
        ]
    if not cells:
        return None
    branches = {language(tag).family for tag in (*trained, *evaluated)}
    branch = branches.pop() if len(branches) == 1 else None
    there = tuple(mean for mean in means if mean.estimate.n_items)
    return Transfer(model, measured.against, branch, tuple(cells), there)


def in_order(single: Mapping[str, Condition], evaluated: tuple[str, ...]) -> list[str]:
    """Return the trained languages, those that are evaluated first and in their order."""
    at = {tag: index for index, tag in enumerate(evaluated)}
    return sorted(single, key=lambda tag: at.get(tag, len(at)))
