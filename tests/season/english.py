"""English rows of a sentence or two, for tests."""

from __future__ import annotations

import json
from pathlib import Path

THINGS = ["bridge", "garden", "letter", "window", "market", "winter", "teacher", "recipe"]


def write_rows(path: Path, count: int) -> Path:
    """Write JSON Lines of so many rows."""
    lines = []
    for n in range(count):
        thing, case = THINGS[n % 8], f"case {n + 10}"
        asked = f"Please tell me in a sentence why a {thing} matters to people, {case}."
        answer = f"Because a {thing} brings people together in many small ways, as {case} shows."
        lines.append({"instruction": asked, "output": answer})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
