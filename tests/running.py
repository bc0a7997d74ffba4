"""Commands in this process, and children that can be killed and do not wait for a start-up each."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

LOADED_BEFORE = [
    "tests.running",
    "polypinch.cli",
    "polypinch.study.graph",
    "polypinch.tune.trainer",
    "polypinch.answer.engine",
    "polypinch.report.page",
    "transformers.models.gemma3.modeling_gemma3",
    "peft",
]
"""What takes seconds to import, loaded once for all children."""


class Ended(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def polypinch(*arguments: object, cwd: Path | None = None, stdin: str = "", **environment: str) -> Ended:
    """Run a command as the shell would, without a new process."""
    from polypinch.cli import main

    out, err = io.StringIO(), io.StringIO()
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    with (
        patch.object(sys, "argv", ["polypinch", *map(str, arguments)]),
        patch.object(sys, "stdin", given),
        patch.dict(os.environ, environment),
        _within(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    return Ended(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _within(folder: Path | None) -> Iterator[None]:
    if folder is None:
        yield
    else:
        with contextlib.chdir(folder):
            yield


def started(work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Start a function of a module in a child of its own, which may be killed; what it prints is lost."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED_BEFORE)
    child = context.Process(target=_silently, args=(work, arguments), daemon=True)
    child.start()
    return child


def _silently(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    work(*arguments)


def command(*arguments: object) -> None:
    """Run a command to its end, for :func:`started`."""
    from polypinch.cli import main

    sys.argv = ["polypinch", *map(str, arguments)]
    main()
