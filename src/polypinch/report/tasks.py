"""The section on other tasks: one chart of panels for each task, and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polypinch.report.charts import Spec, panels
from polypinch.report.data import ReportData
from polypinch.report.estimates import TaskScore
from polypinch.report.layout import ArmTable
from polypinch.report.points import Scale, baseline, slug
from polypinch.report.tables import by_language_and_arm, estimate_texts, known

TASKS = "tasks-"
"""How the file names of these figures begin."""

_NAMES = {
    "number_match": "answers whose last number is right",
    "exact_match": "answers with exactly the right words",
    "f1": "F1 of words with the right answer",
    "accuracy": "items whose right choice is the likeliest",
    "accuracy_by_length": "items whose right choice is the likeliest per character",
}


@dataclass(frozen=True)
class TaskPart:
    """One task on one base model.

    Attributes:
        file: name of its figure's file.
        title: of the task, and of the model where there are several.
        spec: its Vega-Lite spec.
        reading: how to read the figure.
        tables: of each metric, and of the change against the baseline: language × arm.
    """

    file: str
    title: str
    spec: Spec
    reading: str
    tables: list[ArmTable]


def task_parts(data: ReportData) -> list[TaskPart]:
    """Return what the page shows of each task, in the order of the rows."""
    parts = []
    keys = dict.fromkeys((row.model, row.task, row.source) for row in data.tasks)
    for model, task, source in keys:
        own = [row for row in data.tasks if (row.model, row.task, row.source) == (model, task, source)]
        metrics = list(dict.fromkeys(row.metric for row in own))
        main = [row for row in own if row.metric == metrics[0]]
        several = len(data.models) > 1
        file = slug(f"{task}-{model}" if several else task)
        title = f"{task}, {model}" if several else task
        if source != "polypinch":
            title, file = f"{title} (scored by {source})", f"{file}-{source}"
        parts.append(
            TaskPart(
                f"{TASKS}{file}",
                title,
                panels(data, model, main, _measure(metrics[0], main)),
                _reading(data, main),
                [*(_values(data, own, metric) for metric in metrics), *_changes(data, own, metrics)],
            )
        )
    return parts


def _measure(metric: str, rows: Sequence[TaskScore]) -> Scale:
    chance = rows[0].chance
    guess = f"guessing finds {chance:.0%}; " if known(chance) and chance is not None else ""
    name = _NAMES.get(metric, metric)
    key = "● trained on, ◆ not, ■ base, – untuned; 95 % intervals"
    note = f"{guess}every panel spans as many percent; higher is better; {key}"
    return Scale(f"{name[0].upper()}{name[1:]}", note, axis=".0%", text=".0%")


def _reading(data: ReportData, rows: Sequence[TaskScore]) -> str:
    items = sorted({row.n_items for row in rows})
    seeds = max(row.n_seeds for row in rows)
    count = str(items[0]) if len(items) == 1 else f"{items[0]} to {items[-1]}"
    noun = "seed" if seeds == 1 else "seeds"
    changes = ""
    if any(known(row.change) for row in rows):
        changes = (
            f" Whether an arm differs from {baseline(data)} is in the table of changes: there both are paired"
            " on the same items and seeds, so intervals are narrower than two side by side suggest."
        )
    panel = "One panel for each language and average, arms in order of dose."
    return f"{panel} {count} items, {seeds} training {noun}.{changes}"


def _values(data: ReportData, rows: Sequence[TaskScore], metric: str) -> ArmTable:
    own = [row for row in rows if row.metric == metric]
    name = _NAMES.get(metric, metric)
    return _table(data, own, ("value", "low", "high"), ".1%", f"The numbers: {name}")


def _changes(data: ReportData, rows: Sequence[TaskScore], metrics: list[str]) -> list[ArmTable]:
    own = [row for row in rows if row.metric == metrics[0] and known(row.change)]
    if not own:
        return []
    against = f"Changes against {own[0].against}, in points"
    return [_table(data, own, ("change", "change_low", "change_high"), "+.1f", against, 100)]


def _table(
    data: ReportData,
    rows: Sequence[TaskScore],
    ends: tuple[str, str, str],
    number: str,
    summary: str,
    times: float = 1,
) -> ArmTable:
    cells = {}
    for row in rows:
        given = [getattr(row, end) for end in ends]
        found = [times * end if known(end) else None for end in given]
        named = dict(zip(("value", "low", "high"), found, strict=True))
        cells[row.language, row.arm] = estimate_texts(named, number)
    return by_language_and_arm(data, cells, summary, summary=summary)
