"""Several processes of this machine on one study, each on a GPU of its own where there are several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.openai_server import ALLOWED_VARIABLES, allowed_variables
from polypinch.progress import say
from polypinch.study.folder import read_study
from polypinch.study.graph import build
from polypinch.study.inputs import open_inputs
from polypinch.study.running.here import run_study


def work_together(out: Path, count: int, gpus: int) -> None:
    """Let some processes make a study's steps, and wait for all of them.

    One that dies takes nothing with it but its step under way, which another takes over; what is left when
    all have ended, or why none could go on, is for the caller's own :func:`run_study` to make or tell.

    Args:
        out: the study's folder, where its record was written.
        count: of processes.
        gpus: of this machine; they are dealt out in turn.
    """
    threads = max(1, (os.cpu_count() or 1) // count)
    shared = {
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads)),
        ALLOWED_VARIABLES: ",".join(sorted(allowed_variables())),
    }
    command = [sys.executable, "-m", "polypinch.study.running.workers", str(out)]
    children = [
        subprocess.Popen(command, env={**os.environ, **shared, **_gpu(number, gpus)})
        for number in range(count)
    ]
    try:
        for child in children:
            child.wait()
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


def _gpu(number: int, gpus: int) -> dict[str, str]:
    """Return the variable that shows a process one GPU of those that this one sees."""
    if gpus < 2:
        return {}
    named = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    seen = named if len(named) == gpus else [str(index) for index in range(gpus)]
    return {"CUDA_VISIBLE_DEVICES": seen[number % gpus]}


def work(out: Path) -> None:
    """Be one of those processes.

    Raises:
        PinchError: a step failed.
    """
    study, store = read_study(out)
    inputs = open_inputs(study)
    run_study(inputs, build(inputs, store), store, out)


def main() -> None:
    """Be a worker on the folder that the command line names."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        work(Path(sys.argv[1]))
    except PinchError as error:
        say(f"error: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
