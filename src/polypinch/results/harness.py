"""Results of lm-evaluation-harness brought back into a study's report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from polypinch.errors import PinchError
from polypinch.files import read_json, write_json
from polypinch.results.tasks import rows_of, task_axes
from polypinch.stats import Array, from_standard_errors, widened
from polypinch.study import UNTUNED, Graph, Study, Tuned
from polypinch.tasks import NAME, read_results

FOLDER = "harness"
"""Under a study's folder: what was brought in."""

_Runs = dict[tuple[str, int | None], dict[str, Any]]


def run_of(study: Study, graph: Graph, model: str | None, arm: str, seed: int | None) -> tuple[str, Tuned]:
    """Return the base model's name and the tuned model of an arm and seed; defaults where there is one.

    Raises:
        PinchError: the study has no such arm and seed.
    """
    if model is None and len(study.models) > 1:
        raise PinchError("the study has several base models", fix=f"--model {' or '.join(study.models)}")
    name = model or study.models[0]
    wanted = None if arm == UNTUNED else seed if seed is not None or len(study.seeds) > 1 else study.seeds[0]
    runs = [run for run in graph.tuned if run.model == name]
    found = next((run for run in runs if run.arm == arm and run.seed == wanted), None)
    if found is None:
        arms, seeds = dict.fromkeys(run.arm for run in runs), ", ".join(map(str, study.seeds))
        raise PinchError(
            f"the study has no arm {arm!r} with seed {seed} on {name}",
            fix=f"name one of {', '.join(arms) or 'its models'}, and a seed of {seeds}",
        )
    return name, found


def import_results(
    study: Study,
    graph: Graph,
    out: Path,
    files: Sequence[Path],
    who: tuple[str | None, str, int | None],
    named: Mapping[str, str],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Keep results of lm-evaluation-harness in a study's folder, for its report.

    Args:
        study: the study.
        graph: its stages.
        out: its folder.
        files: results files, or folders that hold some.
        who: whose results: base model (``None`` where there is one), arm, seed.
        named: language by task, where the task's name does not say it.

    Returns:
        The scores, and in words what was left out.

    Raises:
        PinchError: a file cannot be read or holds nothing to bring in, the study has no such arm, or the arm
            has a score already that these would hide.
    """
    model, run = run_of(study, graph, *who)
    found, left_out = [], []
    for file in _results(files):
        scores, left = read_results(file, study.evaluated, named)
        left_out += left
        content = [asdict(one) for one in scores]
        record = {"model": model, "arm": run.arm, "seed": run.seed, "file": str(file), "scores": content}
        mark = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        label = run.arm if run.seed is None else f"{run.arm}-s{run.seed}"
        # A number stands for the model: a Hub id is no file name.
        target = out / FOLDER / f"{label}-m{study.models.index(model) + 1}-{mark}.json"
        _refuse_twice(out, target, record)
        write_json(target, record)
        found += content
    return found, left_out


def _results(files: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for file in files:
        inside = sorted(file.rglob("results_*.json")) if file.is_dir() else [file]
        if not inside:
            raise PinchError(f"{file} holds no results_….json", fix="name the folder given as --output_path")
        found += inside
    return found


def _keys(record: Mapping[str, Any]) -> set[tuple[str, ...]]:
    whose = tuple(str(record[name]) for name in ("model", "arm", "seed"))
    return {(*whose, one["task"], one["metric"], one["language"]) for one in record["scores"]}


def _refuse_twice(out: Path, target: Path, record: Mapping[str, Any]) -> None:
    for path in sorted((out / FOLDER).glob("*.json")):
        twice = _keys(record) & _keys(read_json(path)) if path != target else set()
        if twice:
            *_, task, metric, tag = min(twice)
            raise PinchError(
                f"{record['file']}: {record['arm']} has {metric} of {task} in {tag} already, from {path}",
                fix=f"remove {path} to replace it",
            )


def imported_rows(study: Study, out: Path) -> list[dict[str, Any]]:
    """Return what was brought in, as rows for the report.

    Where samples were logged for all arms, arms are paired by document and seed, as in the study's own tasks.
    Otherwise an interval comes from the harness's standard errors, and there are no averages over languages
    and no changes: translations hang together, and standard errors do not tell how much.
    """
    by_task: dict[tuple[str, str, str], _Runs] = {}
    for path in sorted((out / FOLDER).glob("*.json")):
        record = read_json(path)
        for one in record["scores"]:
            runs = by_task.setdefault((record["model"], one["task"], one["metric"]), {})
            whose = runs.setdefault((record["arm"], record["seed"]), {})
            whose[one["language"]] = one
    rows = []
    for (model, task, metric), runs in by_task.items():
        about = {"model": model, "task": task, "metric": metric, "source": NAME, "chance": None}
        logged = all(one["samples"] for by_language in runs.values() for one in by_language.values())
        rows += (_paired if logged else _apart)(study, runs, about)
    return rows


def _languages(study: Study, runs: _Runs) -> tuple[str, ...]:
    there = {tag for by_language in runs.values() for tag in by_language}
    return tuple(tag for tag in study.evaluated if tag in there)


def _arms(study: Study, runs: _Runs) -> list[str]:
    there = {arm for arm, _ in runs}
    return [arm for arm in (UNTUNED, *(arm.name for arm in study.arms)) if arm in there]


def _paired(study: Study, runs: _Runs, about: dict[str, Any]) -> list[dict[str, Any]]:
    tags = _languages(study, runs)
    documents = {
        name for by_language in runs.values() for one in by_language.values() for name in one["samples"]
    }
    axes = task_axes(study, tags, tuple(sorted(documents)))
    item_at = {item: index for index, item in enumerate(axes.items)}
    values: dict[str, Array] = {}
    for arm in _arms(study, runs):
        seeds: Sequence[int | None] = (None,) if arm == UNTUNED else study.seeds
        values[arm] = np.full((len(seeds), len(axes.items), len(tags)), np.nan)
        for place, seed in enumerate(seeds):
            for tag, one in runs.get((arm, seed), {}).items():
                for item, value in one["samples"].items():
                    values[arm][place, item_at[item], tags.index(tag)] = value
    return rows_of(study, axes, values, about)


def _apart(study: Study, runs: _Runs, about: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for arm in _arms(study, runs):
        for tag in _languages(study, runs):
            known = [own[tag] for (name, _), own in runs.items() if name == arm and tag in own]
            if not known:
                continue
            errors = [np.nan if one["stderr"] is None else one["stderr"] for one in known]
            n_items = max(one["n"] or 0 for one in known)
            means = [one["value"] for one in known]
            estimate = widened(from_standard_errors(means, errors, n_items), 0, 1)
            change = dict.fromkeys(("against", "change", "change_low", "change_high"))
            rows.append({**about, "arm": arm, "language": tag, **estimate.as_dict(), **change})
    return rows
