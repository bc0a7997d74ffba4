"""How a search chose its trainings: a part of the page, and the looks for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from polypinch.report import Cells, Numbers, Part
from polypinch.stats import Decision
from polypinch.study import DoseLook, Looked

LOOKS = "looks"
"""The CSV file's name."""


@dataclass(frozen=True)
class LookRow:
    """A dose at a look.

    Attributes:
        model: the base model.
        look: its number.
        trainings: done by then.
        most: of the fixed design.
        error: that the look could spend, one-sided.
        decision: what it knew.
        dose: examples that are not in the base language.
        arm: its arm.
        seeds: trained by then.
        told: what was told of the dose against none.
    """

    model: str
    look: int
    trainings: int
    most: int
    error: float
    decision: str
    dose: int
    arm: str
    seeds: int
    told: str


def looks_of(looks: Sequence[Looked], model: str) -> list[dict[str, Any]]:
    """Return a base model's looks, JSON-able, in the order made."""
    return [asdict(one) for one in looks if one.model == model]


def looks_part(looks: Sequence[Looked]) -> Part | None:
    """Return the part of the page that shows which trainings were done and why; ``None`` without looks.

    Args:
        looks: of all base models, in the order made.
    """
    if not looks:
        return None
    models = list(dict.fromkeys(one.model for one in looks))
    last = [next(one for one in reversed(looks) if one.model == model) for model in models]
    lead = "Trainings were added while their results left the answer open. " + " ".join(
        f"{f'{one.model}: ' if len(models) > 1 else ''}{one.trainings} trainings of the"
        f" {one.most} that every dose with every seed takes; {why(one)}."
        for one in last
    )
    notes = [
        "Decided by held-out loss in the other languages. The error of 2.5 % holds for all looks and doses"
        " together; intervals elsewhere are those of the trainings that were done, and do not know of looks."
    ]
    for one in last:
        if one.untried:
            on = f" on {one.model}" if len(models) > 1 else ""
            notes.append(f"Not trained{on}, as nothing hung on it: {', '.join(one.untried)}.")
    tables = tuple(
        _table([one for one in looks if one.model == model], model if len(models) > 1 else "")
        for model in models
    )
    rows = [_row(one, at) for one in looks for at in one.doses]
    title = "Which trainings were done, and why no more?"
    return Part(title, LOOKS, lead, tuple(notes), (), {LOOKS: rows}, tables)


def why(looked: Looked) -> str:
    """Say what a look decided, and so why the search stopped there."""
    if looked.decision is Decision.OPEN:
        return "open: next " + ", ".join(f"{arm} (seed {seed})" for arm, seed in looked.following)
    return f"stopped: {_known(looked)}"


def _known(looked: Looked) -> str:
    if looked.decision is Decision.WORKS:
        if looked.high is None:
            return f"some dose from {looked.low} on works"
        if looked.low == looked.high:
            return f"the smallest dose that works is {looked.low}"
        return f"the smallest dose that works lies from {looked.low} to {looked.high}"
    if looked.decision is Decision.ISOLATED:
        listed = ", ".join(map(str, looked.isolated))
        return f"{listed} is better than none, and the largest dose is not told to be"
    if looked.decision is Decision.NOTHING:
        return "no dose tried is worth the margin"
    return "every dose has every seed, and none can be told"


def _table(looks: Sequence[Looked], model: str) -> Numbers:
    doses = sorted({at.dose for one in looks for at in one.doses})
    lines: list[tuple[str, Cells]] = []
    for one in looks:
        by_dose = {at.dose: at for at in one.doses}
        cells: Cells = [{"value": f"{one.trainings} of {one.most}", "span": ""}]
        cells += [_cell(by_dose.get(dose)) for dose in doses]
        lines.append((f"{one.number}", [*cells, {"value": why(one), "span": ""}]))
    head = ("look", "trainings", *(f"dose {dose}" for dose in doses), "decided")
    return Numbers(f"What each look saw and decided{f', {model}' if model else ''}", head, lines)


def _cell(at: DoseLook | None) -> dict[str, str] | None:
    return None if at is None else {"value": str(at.state), "span": f"{at.seeds} seeds"}


def _row(one: Looked, at: DoseLook) -> LookRow:
    return LookRow(
        one.model, one.number, one.trainings, one.most, one.error, str(one.decision),
        at.dose, at.arm, at.seeds, str(at.state),
    )  # fmt: skip
