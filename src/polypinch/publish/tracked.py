"""What a study found, in the trackers that its tunings report to: one run an arm and seed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import rmtree

from polypinch.files import fingerprint, read_json, write_json
from polypinch.report import ArmEstimate, ReportData
from polypinch.study import Graph, Record, Store, Tuned, tracked_run
from polypinch.tracking import Tracked, Tracker, tracked

FOLDER = "tensorboard"
_SENT = "tracked.json"


def track_results(inputs: Record, graph: Graph, store: Store, data: ReportData, directory: Path) -> None:
    """Add each arm's results, with their intervals, to the runs of its trainings; once for the same results.

    Args:
        inputs: the study's.
        graph: its stages, finished.
        store: where they are.
        data: what its report shows.
        directory: the study's folder; TensorBoard's runs go into ``tensorboard`` there, with the losses of
            the tuning, wherever that was made.
    """
    names = [one for one in inputs.study.tuning.report_to if one in list(Tracker)]
    by_arm: dict[tuple[str, str], dict[str, float]] = {}
    for model, arm, name, value in _values(data):
        if math.isfinite(value):
            by_arm.setdefault((model, arm), {})[name] = value
    sent = fingerprint([sorted(names), [[*key, values] for key, values in by_arm.items()]])
    kept = directory / _SENT
    if not names or (kept.is_file() and read_json(kept) == {"results": sent}):
        return
    rmtree(directory / FOLDER, ignore_errors=True)
    for one in graph.tuned:
        values = by_arm.get((one.model, one.arm))
        if values is None:
            continue
        mark = (one.checkpoint or one.answers).fingerprint
        run = tracked_run(inputs.study, one.model, one.arm, one.seed, mark)
        with tracked(names, run, directory / FOLDER / run.name) as following:
            following.results(values)
        if Tracker.TENSORBOARD in names:
            with tracked([Tracker.TENSORBOARD], run, directory / FOLDER / run.name, start=-1) as board:
                _losses(one, store, board)
    write_json(kept, {"results": sent})


def _values(data: ReportData) -> Iterator[tuple[str, str, str, float]]:
    tables: dict[str, Sequence[ArmEstimate]] = {
        "loss": data.loss,
        "loss_change": data.loss_change,
        "fidelity": data.fidelity,
        "score": data.scores,
    }
    for name, estimates in tables.items():
        for row in estimates:
            for end in ("value", "low", "high"):
                shown = f"{name}/{row.language}" + ("" if end == "value" else f"/{end}")
                yield row.model, row.arm, shown, getattr(row, end)
    for task in data.tasks:
        for end in ("value", "low", "high"):
            shown = f"{task.task}.{task.metric}/{task.language}" + ("" if end == "value" else f"/{end}")
            yield task.model, task.arm, shown, getattr(task, end)


def _losses(one: Tuned, store: Store, board: Tracked) -> None:
    """Copy what the tuning logged, where its files are here."""
    log = None if one.checkpoint is None else store.path(one.checkpoint) / "log.jsonl"
    if log is None or not log.is_file():
        return
    for text in log.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        step = int(line.pop("step", 0))
        numbers = {f"tuning/{name}": value for name, value in line.items() if isinstance(value, int | float)}
        board.log(numbers, step)
