"""Running a study here, alone or beside other processes: step by step, one line each, with the time left."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.files import disk_errors, read_json, write_json
from polypinch.locks import Busy, Holder, beating, unique
from polypinch.progress import say
from polypinch.study.artifacts import Kind
from polypinch.study.runs import Graph
from polypinch.study.searching import RecordT, so_far
from polypinch.study.store import Damaged, Stage, State, Store

_WORKERS = "workers"
_WAIT_S, _WAIT_AT_MOST_S = 0.2, 5.0
_COUNTED_S = 5.0


def duration(seconds: float) -> str:
    """Return a duration as a person would say it: ``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


@dataclass(frozen=True)
class Worker:
    """A process that works on a study.

    Attributes:
        holder: the process.
        step: how many of the steps are done, the one under way included.
        steps: of the study.
        doing: the step under way; empty while it waits.
        left: the time left in words, once it can be told.
    """

    holder: Holder
    step: int
    steps: int
    doing: str
    left: str

    def __str__(self) -> str:
        doing = f", {self.doing}" if self.doing else ", waiting for steps of others"
        left = f", {self.left}" if self.left else ""
        return f"{self.holder}: step {self.step} of {self.steps}{doing}{left}"


def workers(out: Path) -> list[Worker]:
    """Return who works on the study of a folder now; those that died are left out."""
    alive = []
    for path in sorted((out / _WORKERS).glob("*.json")):
        try:
            kept = read_json(path)
            age_s = time.time() - path.stat().st_mtime
            worker = Worker(**{**kept, "holder": Holder(**kept["holder"])})
        except (PinchError, OSError, TypeError, KeyError):
            continue
        if worker.holder.runs(age_s):
            alive.append(worker)
    return alive


class Note:
    """What this process tells others of its work."""

    def __init__(self, path: Path | None, steps: int) -> None:
        self._path, self._steps, self._holder = path, steps, Holder.here()
        self._counted = (-_COUNTED_S, 1)

    def write(self, step: int, doing: str, left: str) -> None:
        """Say how many steps are done, what is under way, and the time left."""
        if self._path is not None:
            write_json(self._path, asdict(Worker(self._holder, step, self._steps, doing, left)))

    def together(self) -> int:
        """Return how many processes work on the study now, this one included; looked up every few seconds."""
        if self._path is None:
            return 1
        if time.monotonic() - self._counted[0] > _COUNTED_S:
            self._counted = (time.monotonic(), max(1, len(workers(self._path.parent.parent))))
        return self._counted[1]

    def renew(self) -> None:
        """Give a sign of life."""
        if self._path is not None:
            self._path.touch()


@contextmanager
def noted(out: Path | None, steps: int) -> Iterator[Note]:
    """Tell others, while it goes on, that this process works on the study of a folder."""
    path = None if out is None else out / _WORKERS / f"{unique('worker').removeprefix('.')}.json"
    note = Note(path, steps)
    note.write(0, "", "")
    try:
        with beating(note.renew):
            yield note
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def run_study(record: RecordT, graph: Graph, store: Store, out: Path | None = None) -> tuple[RecordT, Graph]:
    """Run a study by its design, and return what it took: of an adaptive one the arms and seeds trained.

    Args:
        record: the study's.
        graph: all that it could take.
        store: where it is made.
        out: the study's folder.

    Raises:
        PinchError: a stage failed; what was finished before is kept.
    """
    while True:
        now, wanted = so_far(record, graph, store)
        if wanted.steps is not None and wanted.looks:
            look = wanted.looks[-1]
            say(f"look {look.number} at the doses on {look.model}")
        run(wanted, store, out)
        if wanted.steps is None:
            return now, wanted


def run(graph: Graph, store: Store, out: Path | None = None) -> None:
    """Make every artifact that is not there yet.

    A kill at any moment loses at most the step under way: run again, and it goes on. Other processes may run
    the same study, or another, on the same store: each takes steps that are ready and nobody else's, and
    waits only where there is none. What is damaged is set aside and made again.

    Args:
        graph: the study's steps.
        store: where they are made.
        out: the study's folder, where others look who works on it.

    Raises:
        PinchError: a stage failed; what was finished before is kept.
    """
    with disk_errors(store.root):
        store.root.mkdir(parents=True, exist_ok=True)
    stages = graph.stages()
    _mend(store, stages)
    store.share(stages)
    waiting = [stage for stage in stages if store.state(stage) is not State.DONE]
    if len(waiting) < len(stages):
        say(f"{len(stages) - len(waiting)} of {len(stages)} steps are done already")
    with noted(out, len(stages)) as note:
        _Run(store, stages, len(waiting), note).go_on(waiting)


def _mend(store: Store, stages: Sequence[Stage]) -> None:
    """Set aside what is damaged; a tuning is looked at when it is used, or never."""
    for damaged in store.verify(stage for stage in stages if stage.kind is not Kind.TUNE):
        try:
            store.mend(damaged)
        except Busy:
            continue


class _Run:
    """One process's part of the work."""

    def __init__(self, store: Store, stages: Sequence[Stage], to_do: int, note: Note) -> None:
        self._store, self._note, self._to_do, self._steps = store, note, to_do, len(stages)
        self._by_mark = {stage.fingerprint: stage for stage in stages}
        self._spent: dict[str, list[float]] = {}
        self._said = False

    def go_on(self, waiting: list[Stage]) -> None:
        wait_s = _WAIT_S
        while waiting:
            left, busy = self._pass(waiting)
            if len(left) < len(waiting) or busy is None:
                wait_s = _WAIT_S
            else:
                self._wait(left, busy, wait_s)
                wait_s = min(2 * wait_s, _WAIT_AT_MOST_S)
            waiting = left

    def _wait(self, waiting: Sequence[Stage], busy: Busy, seconds: float) -> None:
        if not self._said:
            say(f"waiting: {busy.message}")
            self._said = True
        self._note.write(self._steps - len(waiting), "", "")
        time.sleep(seconds)

    def _pass(self, waiting: Sequence[Stage]) -> tuple[list[Stage], Busy | None]:
        """Make what is ready, once through; return what is left, and who was at some of it."""
        undone = {stage.fingerprint for stage in waiting}
        left: list[Stage] = []
        busy: Busy | None = None
        for place, stage in enumerate(waiting):
            if any(need.fingerprint in undone for need in stage.needs):
                left.append(stage)
                continue
            later = [*left, *waiting[place + 1 :]]
            try:
                self._make(stage, later)
            except Busy as error:
                busy = error
                left.append(stage)
            except Damaged as damaged:
                self._store.mend(damaged)
                again = self._by_mark[damaged.stage.fingerprint]
                return [again, stage, *later], None
            else:
                undone.discard(stage.fingerprint)
        return left, busy

    def _make(self, stage: Stage, later: Sequence[Stage]) -> None:
        done = self._to_do - len(later)
        self._note.write(self._steps - len(later), f"{stage.kind} {stage.name}", self._left(later))
        started = time.monotonic()
        if not self._store.make(stage):
            return
        self._said = False
        seconds = time.monotonic() - started
        self._spent.setdefault(stage.kind, []).append(seconds)
        line = (
            f"[{done:>{len(str(self._to_do))}}/{self._to_do}] {stage.kind:<8} {stage.name:<28} "
            f"{duration(seconds):>12}   {self._left(later)}"
        )
        say(line.rstrip())

    def _left(self, later: Sequence[Stage]) -> str:
        """Estimate from what like steps took in this run, shared by all who work on the study.

        A kind not seen yet makes it a lower bound.
        """
        if not later or not self._spent:
            return ""
        mean = {kind: sum(spent) / len(spent) for kind, spent in self._spent.items()}
        ahead = Counter(stage.kind for stage in later)
        known = sum(mean.get(kind, 0.0) * count for kind, count in ahead.items()) / self._note.together()
        more = any(kind not in mean for kind in ahead)
        return f"{'more than ' if more else 'about '}{duration(known)} left"
