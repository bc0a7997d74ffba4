"""Running a study here: stage by stage, one line each, with the time left."""

from __future__ import annotations

import time

from polypinch.files import disk_errors
from polypinch.progress import say
from polypinch.study.graph import Graph
from polypinch.study.store import Store


def duration(seconds: float) -> str:
    """Return a duration as a person would say it: ``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def run(graph: Graph, store: Store) -> None:
    """Make every artifact that is not there yet.

    A kill at any moment loses at most the step under way: run again, and it goes on.

    Raises:
        PinchError: a stage failed; what was finished before is kept.
    """
    with disk_errors(store.root):
        store.root.mkdir(parents=True, exist_ok=True)
    stages = graph.stages()
    to_do = [stage for stage in stages if store.state(stage) != "done"]
    if len(to_do) < len(stages):
        say(f"{len(stages) - len(to_do)} of {len(stages)} steps are done already")
    spent: dict[str, list[float]] = {}
    for number, stage in enumerate(to_do, 1):
        started = time.monotonic()
        store.make(stage)
        spent.setdefault(stage.kind, []).append(time.monotonic() - started)
        left = _time_left([later.kind for later in to_do[number:]], spent)
        say(
            f"[{number:>{len(str(len(to_do)))}}/{len(to_do)}] {stage.kind:<8} {stage.name:<28} "
            f"{duration(spent[stage.kind][-1]):>12}   {left}".rstrip()
        )


def _time_left(kinds: list[str], spent: dict[str, list[float]]) -> str:
    """Estimate from what like steps took in this run; a kind not seen yet makes it a lower bound."""
    if not kinds:
        return ""
    known = sum(sum(spent[kind]) / len(spent[kind]) for kind in kinds if kind in spent)
    more = any(kind not in spent for kind in kinds)
    return f"{'more than ' if more else 'about '}{duration(known)} left"
