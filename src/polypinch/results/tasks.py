"""A study's scores on its tasks: arrays over (arm, seed, item, language), estimated as all else is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polypinch.results.arms import AVERAGES
from polypinch.stats import SHARE, Array, Scores, intervals
from polypinch.study import UNTUNED, Axes, Graph, Record, Store, Study, fill

HERE = "polypinch"
"""Whose scores they are, beside those that are brought in."""


def task_axes(study: Study, languages: tuple[str, ...], items: tuple[str, ...]) -> Axes:
    """Return the axes of a task; averages are over those of their languages that it has."""
    members = {"seen": study.languages.seen, "unseen": study.languages.unseen, "others": study.evaluated[1:]}
    groups = {
        name: [index for index, tag in enumerate(languages) if tag in members[name]] for name in AVERAGES
    }
    return Axes(study.seeds, items, languages, {name: where for name, where in groups.items() if where})


def task_rows(inputs: Record, graph: Graph, store: Store) -> list[dict[str, Any]]:
    """Return the scores of every model, task, metric and arm, by language and average, with their change."""
    found = []
    for model in inputs.study.models:
        for place, tasks in enumerate(inputs.tasks):
            axes = task_axes(inputs.study, tasks.languages, tasks.item_ids)
            for metric in tasks.metrics:
                values = {
                    arm: _values(axes, graph, store, model, arm, place, metric)
                    for arm in (UNTUNED, *(arm.name for arm in inputs.study.arms))
                }
                about = {"model": model, "task": tasks.name, "metric": metric, "source": HERE}
                found += rows_of(inputs.study, axes, values, about | {"chance": tasks.chance})
    return found


def _values(axes: Axes, graph: Graph, store: Store, model: str, arm: str, place: int, metric: str) -> Array:
    tables: dict[int | None, pa.Table] = {}
    for run in graph.tuned:
        if run.model == model and run.arm == arm:
            table = store.read(run.tasks[place])
            tables[run.seed] = table.filter(pc.field("metric") == metric)
    return fill(axes, tables, "value")


def task_wording(inputs: Record) -> dict[str, dict[str, str]]:
    """Return where the wording of each task is from, by language."""
    return {one.name: dict(one.wording) for one in inputs.tasks}


def rows_of(
    study: Study, axes: Axes, values: dict[str, Array], about: dict[str, Any]
) -> list[dict[str, Any]]:
    """Estimate arms' scores, and how each differs from the arm without a dose, paired.

    Args:
        study: the study.
        axes: the task's.
        values: by arm, (seeds, items, languages), NaN where a value is missing; one seed of the untuned base.
        about: goes into every row.

    Returns:
        Rows with ``arm``, ``language``, ``value``, ``low``, ``high``, ``n_items``, ``n_seeds``; and
        ``against``, ``change``, ``change_low``, ``change_high``, which are ``None`` where nothing is to
        compare with.
    """
    arms, groups = list(values), list(axes.groups.values())
    seeds = max(len(one) for one in values.values())
    scores = intervals(np.stack([_padded(one, seeds) for one in values.values()]), groups, SHARE)
    baseline = next((arm.name for arm in study.arms if study.is_baseline(arm) and arm.name in arms), None)
    changes: Scores | None = None
    if baseline is not None:
        repeated = [np.repeat(one, seeds, 0) if len(one) == 1 else one for one in values.values()]
        stacked = np.stack([_padded(one, seeds) for one in repeated])
        differences = stacked - stacked[arms.index(baseline)]
        changes = intervals(differences, groups, SHARE.difference())
    rows = []
    for place, arm in enumerate(arms):
        for column, name in enumerate((*axes.languages, *axes.groups)):
            one = scores.estimate(place, column)
            if not np.isfinite(one.value):
                continue
            row = {**about, "arm": arm, "language": name, **one.as_dict()}
            change = None
            if changes is not None and arm != baseline:
                change = changes.estimate(place, column)
            known = change is not None and np.isfinite(change.value)
            row["against"] = baseline if known else None
            for key, end in (("change", "value"), ("change_low", "low"), ("change_high", "high")):
                row[key] = getattr(change, end) if known else None
            rows.append(row)
    return rows


def _padded(values: Array, seeds: int) -> Array:
    lacking = np.full((seeds - len(values), *values.shape[1:]), np.nan)
    return np.concatenate([values, lacking])
