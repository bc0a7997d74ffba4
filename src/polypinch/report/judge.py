"""The section on the judge: what its scores hang on beside the better answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polypinch.report.data import ArmInfo, ReportData
from polypinch.report.part import Cells
from polypinch.report.tables import estimate_texts, known


@dataclass(frozen=True)
class Column:
    """A column of the section's table.

    Attributes:
        title: its head.
        reading: what it is, and what to read from it.
    """

    title: str
    reading: str


COLUMNS = {
    "score": Column("score", "of all pairs; 50 is parity."),
    "length_controlled": Column(
        "at equal length",
        "the score if both answers of each pair were equally long. Where it is far from the score, length did"
        " much of the work; it takes credit also from answers that are longer because they are better.",
    ),
    "both_right": Column(
        "both in language",
        "the score of the pairs in which both answers are in the language asked for. Where the score moves"
        " and this one stays, the pinch repaired the language of the answers, not their content.",
    ),
    "wrong_language_losses": Column(
        "language losses, %",
        "of the lost pairs, those in which the arm’s answer alone is in another language.",
    ),
    "flips": Column(
        "flips, %",
        "pairs in which the same place won in both orders. They count as ties: a judge that flips often draws"
        " every score towards 50.",
    ),
    "firsts": Column(
        "first wins, %",
        "choices that fell on the answer shown first; 50 favours no place. Both orders cancel this out of the"
        " score.",
    ),
    "longer": Column(
        "longer wins, %",
        "of the pairs with a winner, those that the longer answer won. Far from 50, the judge favours a"
        " length, or the better answers have it.",
    ),
}
"""By name, in the order of the columns."""


@dataclass(frozen=True)
class JudgeLine:
    """An arm, and what its score hangs on: a cell for each column."""

    arm: ArmInfo
    cells: Cells


@dataclass(frozen=True)
class JudgeTable:
    """The lines of one base model; its name is empty where there is one."""

    model: str
    lines: Sequence[JudgeLine]


@dataclass(frozen=True)
class JudgeSection:
    """The section's columns with their readings, and a table for each base model."""

    columns: Sequence[Column]
    tables: Sequence[JudgeTable]


def judge_section(data: ReportData) -> JudgeSection | None:
    """Return the section's readings and one table for each model, or ``None`` where nothing was judged."""
    rows = {
        (row.model, row.arm, row.measure): estimate_texts(vars(row), ".0f")
        for row in data.judge
        if row.language == "all" and known(row.value)
    }
    if not rows:
        return None
    shown = [(name, one) for name, one in COLUMNS.items() if any(name == found for _, _, found in rows)]
    tables = []
    for model in data.models:
        lines = [
            JudgeLine(arm, [rows.get((model, arm.name, name)) for name, _ in shown])
            for arm in data.arms
            if any((model, arm.name) == found[:2] for found in rows)
        ]
        if lines:
            tables.append(JudgeTable(model if len(data.models) > 1 else "", lines))
    return JudgeSection([one for _, one in shown], tables)
