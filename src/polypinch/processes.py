"""Which of several processes this is, where ``torchrun`` started them; one alone is the main one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def world() -> int:
    """Return how many processes work together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return this process's number among them, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_main() -> bool:
    """Tell whether this is the process that writes and speaks."""
    return rank() == 0


def barrier() -> None:
    """Wait until every process is here."""
    if world() > 1:
        _state().wait_for_everyone()


@contextmanager
def main_first() -> Iterator[None]:
    """Let the main process do something before the others do."""
    if not is_main():
        barrier()
    yield
    if is_main():
        barrier()


def leave() -> None:
    """Part from the others, at the end of a command."""
    if world() > 1:
        _state().destroy_process_group()


def _state() -> Any:
    import torch  # noqa: PLC0415  (slow to import, and needed by none but torchrun's processes)
    from accelerate import PartialState  # noqa: PLC0415

    return PartialState(cpu=not torch.cuda.is_available())
