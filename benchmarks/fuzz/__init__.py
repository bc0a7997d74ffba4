"""Every reader of what others wrote, under fuzzing: ``python -m benchmarks fuzz --minutes 60``.

atheris (libFuzzer for Python) changes bytes so that ever more of our code is run. Whatever comes out but an
answer or a :class:`~polypinch.errors.PinchError` is a failure: the bytes are kept, and running the target on
them again shows the traceback: ``python -m benchmarks.fuzz.harness TARGET FILE``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.environments import CannotBuildError, cache

ATHERIS = "atheris==3.0.0"
TARGETS = (
    *("files", "published", "settings", "folders", "rows", "replies", "servers", "languages", "texts"),
)


TOKENS = Path(__file__).with_name("tokens.dict")
"""Words of the formats, so that more than broken syntax is tried."""


def run(*, minutes: float = 60.0, targets: str = ",".join(TARGETS), seed: int = 1) -> dict[str, Any]:
    """Fuzz each target for its share of the time, in a process of its own.

    Args:
        minutes: in all.
        targets: which of them, comma-separated.
        seed: of libFuzzer.

    Raises:
        CannotBuildError: atheris can't be installed here.
    """
    library = _atheris()
    names = targets.split(",")
    runs = []
    for name in names:
        folder = cache() / "fuzz" / name
        (folder / "corpus").mkdir(parents=True, exist_ok=True)
        runs.append(_fuzz(name, folder, library, 60 * minutes / len(names), seed))
    return {"benchmark": "fuzz", "minutes": minutes, "runs": runs}


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    return [
        (
            "fuzz",
            one["what"],
            f"{one['inputs']:,} inputs in {one['seconds'] / 60:.1f} min, {len(one['failures'])} failures"
            + "".join(f" {failure}" for failure in one["failures"]),
            "no failure",
        )
        for one in result["runs"]
    ]


def _atheris() -> Path:
    """Install atheris into a folder of its own, beside the peers' environments: it needs nothing else."""
    folder = cache() / "environments" / "fuzz"
    if not (folder / "atheris").is_dir():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(folder),
            ATHERIS,
        ]
        done = subprocess.run([*command, ATHERIS], capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotBuildError(f"{ATHERIS}: {done.stderr.strip().splitlines()[-1:]}")
    return folder


def _fuzz(name: str, folder: Path, library: Path, seconds: float, seed: int) -> dict[str, Any]:
    """Run libFuzzer until the time is up, again after each failure, and count what it ran."""
    started, inputs, failures = time.monotonic(), 0, list[str]()
    path = os.pathsep.join([str(library), *filter(None, [os.environ.get("PYTHONPATH")])])
    while (left := seconds - (time.monotonic() - started)) > 1 and len(failures) < 10:
        with tempfile.TemporaryDirectory() as scratch:
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "benchmarks.fuzz.harness", name, str(folder / "corpus")),
                    *(f"-max_total_time={left:.0f}", f"-seed={seed + len(failures)}", "-timeout=10"),
                    *(
                        "-rss_limit_mb=2048",
                        "-max_len=4096",
                        f"-dict={TOKENS}",
                        f"-artifact_prefix={folder}/",
                        "-verbosity=1",
                    ),
                ],
                env={**os.environ, "PYTHONPATH": path, "TMPDIR": scratch},
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        inputs += max((int(count) for count in re.findall(r"^#(\d+)", done.stderr, re.MULTILINE)), default=0)
        if not done.returncode:
            break
        kept = re.search(r"Test unit written to (\S+)", done.stderr)
        failures.append(kept[1] if kept else done.stderr.strip().splitlines()[-1])
        if not kept:
            break
    return {
        "what": name,
        "seconds": round(time.monotonic() - started, 1),
        "inputs": inputs,
        "failures": failures,
    }
