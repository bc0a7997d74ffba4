"""What the page shows of an experiment: a question, its figures, and how to read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from polypinch.languages import language
from polypinch.report import Experiment, Measure, ReportData, Rows, Spec, known, number_text

Cells = list[dict[str, str] | None]


@dataclass(frozen=True)
class Numbers:
    """A table on the page.

    Attributes:
        title: what it holds.
        head: names of its columns.
        rows: the first cell in words, the others as text, or ``None`` for nothing.
    """

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, Cells]]


@dataclass(frozen=True)
class Picture:
    """A figure with its words.

    Attributes:
        file: name of its SVG file.
        title: what kind of picture it is.
        spec: its Vega-Lite spec.
        reading: how to read it.
        table: name of the CSV file that holds its numbers.
        numbers: the same on the page, or ``None`` where an earlier figure has them.
    """

    file: str
    title: str
    spec: Spec
    reading: str
    table: str
    numbers: Numbers | None = None


@dataclass(frozen=True)
class Part:
    """A section of the page.

    Attributes:
        anchor: its id.
        heading: the question, with the paper's figure.
        lead: what is shown.
        notes: what must be known to read it rightly.
        pictures: its figures.
    """

    anchor: str
    heading: str
    lead: str
    notes: tuple[str, ...]
    pictures: tuple[Picture, ...]


AS_PAPER = "The paper’s layout"
LOSS, SCORE = "loss_change", "score"
LOSS_TITLE = "Change in held-out loss, bits per byte"
SCORE_TITLE = "Score, 0 to 100"


def loss_measure(note: str, title: str = LOSS_TITLE) -> Measure:
    """Return how a change of loss is written."""
    return Measure(title, note, axis="+.3~f", text="+.3f", neutral=0.0)


def score_measure(note: str, neutral: float = 50.0, title: str = SCORE_TITLE) -> Measure:
    """Return how a score, or a difference of scores, is written."""
    text = ".0f" if neutral else "+.1f"
    axis = ".0f" if neutral else "+.1~f"
    return Measure(title, note, axis=axis, text=text, neutral=neutral, lower_is_better=False)


def number_of(measure: str) -> str:
    """Return the Python number format of a measure in tables."""
    return "+.4f" if measure == LOSS else ".1f"


def said(row: dict[str, Any], number: str) -> dict[str, str] | None:
    """Return a row's value and interval as a cell's texts."""
    if not known(row.get("value")):
        return None
    ends = [number_text(row[end], number) for end in ("low", "high") if known(row.get(end))]
    return {"value": number_text(row["value"], number), "span": " to ".join(ends)}


def names_of(data: ReportData) -> Callable[[str], str]:
    """Return what says a language's name: the study's for one it evaluates."""
    known_names = {one.tag: one.name for one in data.languages}
    return lambda tag: known_names[tag] if tag in known_names else language(tag).name


def heading(data: ReportData, shown: Experiment, question: str, figure: str) -> str:
    """Return a section's heading: the question, the paper's figure, and the model where there are several."""
    of = f" on {shown.model}" if len(data.models) > 1 else ""
    return f"{question}{of}{f' (the paper’s {figure})' if figure else ''}"


def of_measure(rows: Rows, measure: str, **where: Any) -> Rows:
    """Return the rows of a measure with a known value, and with these values in other columns."""
    return [
        row
        for row in rows
        if row["measure"] == measure
        and known(row["value"])
        and all(row[name] == value for name, value in where.items())
    ]


def one_seed(rows: Rows) -> tuple[str, ...]:
    """Return what to say where every value is of one training run."""
    if any(row.get("n_seeds", 1) > 1 for row in rows):
        return ()
    return (
        "One training seed: intervals show how results vary with the held-out items. How far another run"
        " would move them is not known.",
    )


def by_name(
    order: Sequence[tuple[str, str]], columns: Sequence[tuple[str, Rows, str]], title: str
) -> Numbers:
    """Lay estimates out by language.

    Args:
        order: (key, name) of the rows.
        columns: head, rows with ``language``, and number format.
        title: of the table.
    """
    lines: list[tuple[str, Cells]] = []
    for key, name in order:
        cells: Cells = [
            next((said(row, number) for row in own if row["language"] == key), None)
            for _, own, number in columns
        ]
        if any(cells):
            lines.append((name, cells))
    return Numbers(title, ("language", *(head for head, _, _ in columns)), lines)
