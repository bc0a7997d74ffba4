"""How much of a machine's time a study's steps get: equal steps divided by workers and by Ray; empty steps.

The ideal is the steps' own time over the number of workers. Steps sleep, so that it is the dividing which is
measured, and not how many cores there are.
"""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from polypinch.study import Graph, Kind, Resources, Stage, Store
from polypinch.study import run as run_graph
from polypinch.study.artifacts import SUMMARY
from polypinch.study.running.on_ray import Ended, Outcome, Tasks, joined
from polypinch.study.runs import Tuned


def _stage(number: int, seconds: float) -> Stage:
    def work(directory: Path) -> None:
        time.sleep(seconds)
        SUMMARY.write(directory, {"number": number})

    return Stage.of(Kind.TUNE, f"step-{number}", {"number": number}, (), work, {})


def _graph(steps: int, seconds: float) -> Graph:
    stages = [_stage(number, seconds) for number in range(steps)]
    return Graph(tuple(Tuned("m", "a", 1, (), None, None, None, one, one) for one in stages), ())


def _work(root: Path, steps: int, seconds: float) -> None:
    run_graph(_graph(steps, seconds), Store(root))


def _on_ray(root: str, steps: int, seconds: float, mark: str) -> Outcome:
    stages = {stage.fingerprint: stage for stage in _graph(steps, seconds).stages()}
    return Outcome(Ended.MADE if Store(Path(root)).make(stages[mark]) else Ended.STOOD, seconds)


def run(
    steps: int = 200, seconds: float = 1.0, workers: str = "1,2,4,8", ray: int = 4, empty: int = 10_000
) -> dict[str, Any]:
    """Divide equal steps among workers, and among a Ray cluster's CPUs; make empty ones on one worker.

    Args:
        steps: how many equal ones.
        seconds: each takes.
        workers: numbers of workers, separated by commas.
        ray: CPUs of the Ray cluster that is begun here; 0 leaves it out.
        empty: steps that do nothing; 0 leaves them out.
    """
    result: dict[str, Any] = {"steps": steps, "seconds": seconds, "workers": {}}
    for count in map(int, workers.split(",")):
        with TemporaryDirectory() as folder:
            context = multiprocessing.get_context("fork")
            others = [
                context.Process(target=_work, args=(Path(folder), steps, seconds)) for _ in range(count)
            ]
            started = time.monotonic()
            for other in others:
                other.start()
            for other in others:
                other.join()
            took = time.monotonic() - started
        result["workers"][count] = {"seconds": took, "of_ideal": steps * seconds / count / took}
    if ray:
        result["ray"] = _ray(steps, seconds, ray)
    if empty:
        with TemporaryDirectory() as folder:
            started = time.monotonic()
            _work(Path(folder), empty, 0.0)
            result["empty"] = {"steps": empty, "ms_each": 1000 * (time.monotonic() - started) / empty}
    return result


def _ray(steps: int, seconds: float, cpus: int) -> dict[str, float]:
    module = joined(None, num_cpus=cpus, include_dashboard=False)
    with TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        by_kind = {kind: Resources(cpus=1, gpus=0) for kind in Kind}
        given = str(root), steps, seconds
        warm = module.remote(_on_ray)
        mark = _stage(0, 1.0).fingerprint
        module.get([warm.remote(str(Path(folder) / f"warm{at}"), 1, 1.0, mark) for at in range(cpus)])
        started = time.monotonic()
        Tasks(module, Store(root), Path(folder), by_kind, _on_ray, given).make(
            _graph(steps, seconds).stages()
        )
        took = time.monotonic() - started
    module.shutdown()
    return {"cpus": cpus, "seconds": took, "of_ideal": steps * seconds / cpus / took}


def rows(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the lines of the table."""
    what = f"{result['steps']} steps of {result['seconds']:g} s"
    divided = [(f"{count} workers", one) for count, one in result["workers"].items()]
    if "ray" in result:
        divided.append((f"Ray, {result['ray']['cpus']} CPUs", result["ray"]))
    lines = [
        ("scale", f"{what}, {by}", f"{one['seconds']:.1f} s, {100 * one['of_ideal']:.1f} % of ideal", "90 %")
        for by, one in divided
    ]
    if "empty" in result:
        one = result["empty"]
        lines.append(("scale", f"{one['steps']:,} empty steps", f"{one['ms_each']:.1f} ms each", "20 ms"))
    return lines
