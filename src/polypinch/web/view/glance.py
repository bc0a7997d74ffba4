"""A study at a glance: what it says, arms by languages on every measure, and how each step was made."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polypinch.publish
from polypinch.errors import PinchError
from polypinch.measure import FIDELITY, LOSS, SCORE, Measure
from polypinch.results import Together, changes, read_results
from polypinch.study import Graph, Record, Stage, State, Store, axes

if TYPE_CHECKING:
    from polypinch.report import ArmEstimate, ReportData

MEASURES = (SCORE, FIDELITY, LOSS)

Changes = dict[tuple[str, Measure], dict[str, dict[str, Together]]]
"""By base model and measure, of each arm and language."""


@dataclass(frozen=True)
class Cell:
    """A value in a table.

    Attributes:
        value: as it is said.
        interval: its 95 % interval, as it is said.
        change: the paired change from the arm without a dose, with its interval, or ``None``.
        told: whether it can be told from no difference; ``None`` where there is nothing to tell it from.
        better: whether a change that can be told is for the better.
    """

    value: str
    interval: str
    change: str | None
    told: bool | None
    better: bool | None


@dataclass(frozen=True)
class Table:
    """Arms by languages on one measure, of one base model.

    Attributes:
        model: the base model.
        measure: what is measured.
        columns: languages and averages over them.
        lines: by arm its cells; ``None`` where nothing was measured.
    """

    model: str
    measure: Measure
    columns: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Cell | None, ...]], ...]


@dataclass(frozen=True)
class StepLine:
    """A step, and how it was made.

    Attributes:
        kind: of artifact.
        name: the step's.
        state: how far it is.
        path: of its artifact.
        needs: names of the steps that it reads.
        made: what ``done.json`` says; empty before it is done.
    """

    kind: str
    name: str
    state: str
    path: str
    needs: tuple[str, ...]
    made: dict[str, Any]


class Glance:
    """What a study says, read once when it is done.

    Args:
        record: what the study was about.
        graph: its steps.
        store: their artifacts.
    """

    def __init__(self, record: Record, graph: Graph, store: Store) -> None:
        self.record, self.graph, self.store = record, graph, store
        self._lock = threading.Lock()
        self._data: ReportData | None = None
        self._changes: Changes = {}
        self._why: str | None = None

    def data(self) -> ReportData | None:
        """Return what the report would show; ``None`` while steps are to do, or where it can't be read."""
        with self._lock:
            if self._data is None and self._why is None and self.is_done():
                try:
                    self._changes = _changes(self.record, self.graph, self.store)
                    # Loaded here: charts take seconds to load, and answers need none.
                    self._data = polypinch.publish.gather(self.record, self.graph, self.store)
                except PinchError as error:
                    self._why = str(error)
            return self._data

    def tables(self) -> list[Table]:
        """Return each base model on each measure that was taken; none before the study is done."""
        data = self.data()
        if data is None:
            return []
        rows: dict[Measure, Sequence[ArmEstimate]] = {
            SCORE: data.scores,
            FIDELITY: data.fidelity,
            LOSS: data.loss,
        }
        tables = []
        for model in data.models:
            for measure in MEASURES:
                own = [row for row in rows[measure] if row.model == model]
                if own:
                    tables.append(_table(model, measure, own, self._changes.get((model, measure), {})))
        return tables

    def why_not(self) -> str | None:
        """Return why a finished study can't be read, or ``None``."""
        return self._why

    def is_done(self) -> bool:
        """Tell whether all steps are done."""
        return all(self.store.state(stage) is State.DONE for stage in self.graph.stages())

    def steps(self) -> list[StepLine]:
        """Return every step."""
        return [self._step(stage) for stage in self.graph.stages()]

    def _step(self, stage: Stage) -> StepLine:
        state, made = self.store.state(stage), {}
        if state is State.DONE:
            try:
                made = self.store.made(stage)
            except PinchError as error:
                state, made = State.DAMAGED, {"why": str(error)}
        needs = tuple(f"{need.kind} {need.name}" for need in stage.needs)
        path = str(self.store.path(stage))
        return StepLine(stage.kind.value, stage.name, state.value, path, needs, made)


def verdicts_of(data: ReportData) -> list[dict[str, Any]]:
    """Return each base model's verdict and its endpoints, as the report's ``findings.json`` has them."""
    return [
        {"model": one["model"], "answer": one.get("answer", ""), **(one.get("verdict") or {})}
        for one in data.findings.get("models", ())
    ]


def _changes(record: Record, graph: Graph, store: Store) -> Changes:
    """Return each arm's paired change from the arm without a dose, by base model and measure."""
    shared, results = axes(record), read_results(record, graph, store)
    baseline = next((arm.name for arm in record.study.arms if record.study.is_baseline(arm)), None)
    made: Changes = {}
    for model in record.study.models:
        own = [one for one in results if one.model == model]
        first = next((one for one in own if one.arm == baseline), None)
        if first is None:
            continue
        for measure in MEASURES:
            if measure.neutral is None and first.values(measure) is not None:
                made[model, measure] = changes(shared, first, own, measure)
    return made


def _table(
    model: str, measure: Measure, rows: Sequence[ArmEstimate], changed: dict[str, dict[str, Together]]
) -> Table:
    columns = tuple(dict.fromkeys(row.language for row in rows))
    arms = dict.fromkeys(row.arm for row in rows)
    at = {(row.arm, row.language): row for row in rows}

    def cell(arm: str, name: str) -> Cell | None:
        row = at.get((arm, name))
        return None if row is None else _cell(measure, row, changed.get(arm, {}).get(name))

    return Table(
        model, measure, columns, tuple((arm, tuple(cell(arm, name) for name in columns)) for arm in arms)
    )


def _cell(measure: Measure, row: ArmEstimate, change: Together | None) -> Cell:
    value, low, high = (row.value, row.low, row.high)
    told = better = said = None
    # A score's own scale has a point of no difference; elsewhere only a change from no dose can tell.
    if measure.neutral is not None:
        apart = [end - measure.neutral for end in (value, low, high)]
    elif change is not None:
        apart = [change.value, change.low, change.high]
        said = f"{measure.signed(apart[0])} ({measure.signed(apart[1])} to {measure.signed(apart[2])})"
    else:
        apart = []
    if apart:
        told = apart[1] > 0 or apart[2] < 0
        better = measure.better(apart[0]) > 0 if told else None
    return Cell(measure.value(value), f"{measure.value(low)} to {measure.value(high)}", said, told, better)
