"""What the scripts of the mixing benchmark share: arguments, clock, memory and the result.

Each is run as ``SCRIPT POOL OUT RESULT CHOICES``: the pool (a Parquet file, or a folder with one for each
language), the mixture's file to write, the file for what it cost, and the choices as JSON: ``rows`` of the
mixture, ``each`` of them in every other language, the ``base`` language and the ``others``, ``seed``.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_STARTED = time.perf_counter()


def arguments() -> tuple[Path, Path, dict[str, Any]]:
    """Return the pool, the file to write, and the choices."""
    return Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[4])


def finish(marks: dict[str, float], languages: list[str], packages: tuple[str, ...]) -> None:
    """Write what it cost: seconds from mark to mark, greatest memory, rows by language.

    Args:
        marks: ``time.perf_counter()`` at the end of each part, the first that of the imports.
        languages: of the mixture's rows.
        packages: whose versions are told.
    """
    ends = [_STARTED, *marks.values()]
    result = {
        "seconds": round(ends[-1] - ends[1], 2),
        "parts": {name: round(ends[i + 1] - ends[i], 2) for i, name in enumerate(marks)},
        "peak_mb": round(peak_mb()),
        "rows": {tag: languages.count(tag) for tag in sorted(set(languages))},
        "versions": {name: found for name in packages if (found := _version(name))},
    }
    Path(sys.argv[3]).write_text(json.dumps(result))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def peak_mb() -> float:
    """Return this process's greatest resident memory so far in MB, mapped files included."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
