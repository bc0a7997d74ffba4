"""A benchmark's own module, run in a process of its own: what it measures is then its own memory and time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def run_child(module: str, *arguments: str) -> dict[str, Any]:
    """Run ``python -m benchmarks.MODULE ARGUMENTS`` and return the JSON object of its last line."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
