"""What sections of experiments share in words: how a measure is written, headings, notes, cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from polypinch.experiments.measured import LOSS, SCORE
from polypinch.languages import language
from polypinch.report import Cells, Numbers, ReportData, Scale, known, number_text
from polypinch.report import basis as basis_of
from polypinch.stats import Estimate

AS_PAPER = "The paper’s layout"
LOSS_TITLE = "Change in held-out loss, bits per byte"
SCORE_TITLE = "Score, 0 to 100"
GIVEN = {LOSS: "fall of loss", SCORE: "score"}
"""By measure, what a language gives."""
ONE_SEED = (
    "One training seed: intervals show how results vary with the held-out items. How far another run"
    " would move them is not known.",
)
"""What to say where every value is of one training run."""


class Estimated(Protocol):
    """A row with an estimate."""

    @property
    def estimate(self) -> Estimate:
        """Its value and interval."""


class OfMeasure(Estimated, Protocol):
    """A row with an estimate of a measure."""

    @property
    def measure(self) -> str:
        """``loss_change`` or ``score``."""


class OfLanguage(Estimated, Protocol):
    """A row with an estimate of a language."""

    @property
    def language(self) -> str:
        """Its tag, or the key of an average."""


M = TypeVar("M", bound=OfMeasure)


def loss_measure(note: str, title: str = LOSS_TITLE) -> Scale:
    """Return how a change of loss is written."""
    return Scale(title, note, axis="+.3~f", text="+.3f", neutral=0.0)


def score_measure(note: str, neutral: float = 50.0, title: str = SCORE_TITLE) -> Scale:
    """Return how a score, or a difference of scores, is written."""
    text = ".0f" if neutral else "+.1f"
    axis = ".0f" if neutral else "+.1~f"
    return Scale(title, note, axis=axis, text=text, neutral=neutral, lower_is_better=False)


def number_of(measure: str) -> str:
    """Return the Python number format of a measure in tables."""
    return "+.4f" if measure == LOSS else ".1f"


def said(estimate: Estimate, number: str) -> dict[str, str] | None:
    """Return an estimate's value and interval as a cell's texts."""
    if not known(estimate.value):
        return None
    ends = [number_text(end, number) for end in (estimate.low, estimate.high) if known(end)]
    return {"value": number_text(estimate.value, number), "span": " to ".join(ends)}


def names_of(data: ReportData) -> Callable[[str], str]:
    """Return what says a language's name: the study's for one it evaluates."""
    known_names = {one.tag: one.name for one in data.languages}
    return lambda tag: known_names[tag] if tag in known_names else language(tag).name


def heading(data: ReportData, model: str, question: str, figure: str) -> str:
    """Return a section's heading: the question, the paper's figure, and the model where there are several."""
    of = f" on {model}" if len(data.models) > 1 else ""
    return f"{question}{of}{f' (the paper’s {figure})' if figure else ''}"


def of_measure(rows: Iterable[M], measure: str) -> list[M]:
    """Return the rows of a measure with a known value."""
    return [row for row in rows if row.measure == measure and known(row.estimate.value)]


def basis(rows: Iterable[Estimated]) -> str:
    """Return how many items and seeds are behind rows, in words."""
    return basis_of([row.estimate for row in rows])


def one_seed(rows: Iterable[Estimated]) -> tuple[str, ...]:
    """Return what to say where every value is of one training run."""
    return () if any(row.estimate.n_seeds > 1 for row in rows) else ONE_SEED


def by_name(
    order: Sequence[tuple[str, str]], columns: Sequence[tuple[str, Sequence[OfLanguage], str]], title: str
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
            next((said(row.estimate, number) for row in own if row.language == key), None)
            for _, own, number in columns
        ]
        if any(cells):
            lines.append((name, cells))
    return Numbers(title, ("language", *(head for head, _, _ in columns)), lines)
