"""A tuning in trackers, while it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from polypinch.files import fingerprint
from polypinch.processes import is_main
from polypinch.tracking import Tracked, TrackedRun, tracked
from polypinch.tune.recipe import TuneRecipe


class Follower(TrainerCallback):
    """Writes what is logged to trackers."""

    def __init__(self, run: Tracked) -> None:
        self._run = run

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Add a step's values."""
        values = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
        self._run.log({f"tuning/{name}": value for name, value in values.items()}, state.global_step)


@contextmanager
def followed(recipe: TuneRecipe, run: TrackedRun | None, directory: Path, done: int) -> Iterator[Follower]:
    """Open a tuning's run in its trackers, in the main process alone, and close it.

    Args:
        recipe: with ``report_to``.
        run: its names; by default the directory's.
        directory: of the tuning; TensorBoard's files go into ``tensorboard`` there.
        done: steps that were done before.
    """
    own = run or TrackedRun(
        "polypinch", directory.name, "tune", fingerprint(str(directory.resolve()))[:8], {}
    )
    names = recipe.report_to if is_main() else ()
    with tracked(names, own, directory / "tensorboard", done) as opened:
        yield Follower(opened)
