"""Trackers of experiments: a run is named, gets values step by step and results at its end, and is closed.

Weights & Biases, Trackio and TensorBoard are written to alike, for a tuning and for what a study found. A
tracker watches: whatever goes wrong with one is said, and the work goes on without it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from polypinch.errors import PinchError
from polypinch.progress import say


class Tracker(StrEnum):
    """A tracker that is written to here."""

    WANDB = "wandb"
    TRACKIO = "trackio"
    TENSORBOARD = "tensorboard"


@dataclass(frozen=True)
class TrackedRun:
    """How trackers name a run.

    Attributes:
        project: the study's name.
        name: the arm and seed.
        group: what its seeds share: the arm.
        mark: tells it from another run of that name; the same mark goes on with the same run.
        settings: to find it by: model, arm, seed, recipe. They hold no secret.
    """

    project: str
    name: str
    group: str
    mark: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def require_trackers(names: Sequence[str]) -> None:
    """Refuse trackers that are not installed.

    Args:
        names: those of this module; others are transformers' to find.

    Raises:
        PinchError: one is not; with what installs it.
    """
    for name in names:
        if name in list(Tracker) and find_spec(name) is None:
            raise PinchError(
                f"report_to: {name} is not installed",
                fix=f'pip install "polypinch[trackers]", or {name} alone',
            )


class _Writer(Protocol):
    def log(self, values: Mapping[str, float], step: int) -> None: ...
    def results(self, values: Mapping[str, float]) -> None: ...
    def close(self) -> None: ...


class Tracked:
    """A run in some trackers."""

    def __init__(self, writers: Mapping[str, _Writer]) -> None:
        self._writers = dict(writers)

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Add values of a step."""
        self._each("log", values, step)

    def results(self, values: Mapping[str, float]) -> None:
        """Add what came out in the end; the same again changes nothing."""
        self._each("results", values)

    def close(self) -> None:
        """End the run."""
        self._each("close")

    def _each(self, what: str, *given: Any) -> None:
        for name, writer in list(self._writers.items()):
            try:
                getattr(writer, what)(*given)
            except Exception as error:  # each tracker has errors of its own
                self._writers.pop(name)
                _lost(name, error)


@contextmanager
def tracked(names: Sequence[str], run: TrackedRun, folder: Path, start: int = 0) -> Iterator[Tracked]:
    """Open a run in some trackers, and close it.

    Args:
        names: of trackers; those not of this module are left to transformers.
        run: its names.
        folder: for TensorBoard's files; others keep theirs where they are set to.
        start: steps that were done before: what stands of later ones is written anew. Below 0 a run that was
            begun here is added to.
    """
    writers: dict[str, _Writer] = {}
    for tracker in [one for one in Tracker if one in names]:
        try:
            writers[tracker] = _WRITERS[tracker](run, folder, start)
        except Exception as error:  # as above
            _lost(tracker, error)
    opened = Tracked(writers)
    try:
        yield opened
    finally:
        opened.close()


def _lost(name: str, error: Exception) -> None:
    first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    say(f"{name} is left out: {first}")


class _TensorBoard:
    def __init__(self, run: TrackedRun, folder: Path, start: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  (an extra)

        writer: Any = SummaryWriter
        self._writer = writer(log_dir=str(folder), purge_step=start + 1 if start > 0 else None)
        if not start:
            for name, value in run.settings.items():
                self._writer.add_text(name, str(value))

    def log(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def results(self, values: Mapping[str, float]) -> None:
        self.log(values, 0)

    def close(self) -> None:
        self._writer.close()


class _Trackio:
    def __init__(self, run: TrackedRun, folder: Path, start: int) -> None:
        import trackio  # noqa: PLC0415  (an extra)

        # A run is found again by its name alone.
        self._run = trackio.init(
            project=run.project,
            name=f"{run.name}-{run.mark}",
            group=run.group,
            config=dict(run.settings),
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._run.log(dict(values), step=step)

    def results(self, values: Mapping[str, float]) -> None:
        self._run.log(dict(values))

    def close(self) -> None:
        self._run.finish()


class _Wandb:
    def __init__(self, run: TrackedRun, folder: Path, start: int) -> None:
        import wandb  # noqa: PLC0415  (an extra)

        # Without an account it would ask for one on standard input.
        known = "WANDB_MODE" in os.environ or "WANDB_API_KEY" in os.environ or wandb.login(prompt=False)
        self._run = wandb.init(
            project=run.project,
            name=run.name,
            group=run.group,
            id=re.sub(r"[^A-Za-z0-9_-]", "-", f"{run.name}-{run.mark}"),
            resume="allow",
            reinit="create_new",
            config=dict(run.settings),
            mode=None if known else "offline",
            settings=wandb.Settings(silent=True, console="off"),
        )

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._run.log(dict(values), step=step)

    def results(self, values: Mapping[str, float]) -> None:
        self._run.summary.update(dict(values))

    def close(self) -> None:
        self._run.finish()


_WRITERS: dict[Tracker, Any] = {
    Tracker.WANDB: _Wandb,
    Tracker.TRACKIO: _Trackio,
    Tracker.TENSORBOARD: _TensorBoard,
}
