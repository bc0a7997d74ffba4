"""Progress with time left, on standard error, silent where nobody watches; of many processes one speaks."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from polypinch.processes import is_main

Item = TypeVar("Item")

console = Console(stderr=True, quiet=not is_main())


class Bar:
    """A bar under way: call :meth:`advance` as work gets done."""

    def __init__(self, progress: Progress, task: int) -> None:
        self._progress, self._task = progress, task

    def advance(self, steps: float = 1, note: str | None = None) -> None:
        """Add finished steps, and optionally say something beside the bar."""
        self._progress.update(self._task, advance=steps)  # type: ignore[arg-type]
        if note is not None:
            self._progress.update(self._task, note=note)  # type: ignore[arg-type]


@contextmanager
def bar(label: str, total: float, done: float = 0, hidden: bool = False) -> Iterator[Bar]:
    """Show a bar of ``total`` steps with elapsed time and time left; ``done`` of them were done before.

    A ``hidden`` one is not shown: it is a part of what another bar shows.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    silent = hidden or not sys.stderr.isatty()
    with Progress(*columns, console=console, transient=True, disable=silent) as progress:
        task = progress.add_task(label, total=total, completed=int(done), note="")
        yield Bar(progress, task)


def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Yield ``items`` one by one behind a bar."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with bar(label, total or 0) as shown:
        for item in items:
            yield item
            shown.advance()


def say(text: str) -> None:
    """Print a line on standard error, above a bar if one is shown."""
    console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)
