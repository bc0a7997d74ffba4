"""Checkpoints of a tuning: which are whole, and the newest that is."""

from __future__ import annotations

import shutil
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.files import file_sha256, read_json, sync, write_json
from polypinch.progress import say

_WHOLE = "complete"


def mark_whole(folder: Path) -> None:
    """Mark a checkpoint as whole, once all of it is on the disk, with what each file holds."""
    held = {}
    for path in sorted(folder.rglob("*")):
        sync(path)
        if path.is_file():
            held[str(path.relative_to(folder))] = file_sha256(path)
    write_json(folder / _WHOLE, held)
    sync(folder)


def newest_whole(folder: Path) -> Path | None:
    """Return the newest checkpoint that is whole; those that are not, newer than it, are removed."""
    there = sorted(folder.glob("checkpoint-*"), key=_step, reverse=True)
    for path in there:
        why = _torn(path)
        if why is None:
            return path
        if why:
            say(f"{path.name}: {why}; it goes on from the checkpoint before")
        shutil.rmtree(path)
    return None


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _torn(path: Path) -> str | None:
    """Return what is wrong with a checkpoint; nothing is to be said of one that a kill left unfinished."""
    if not (path / _WHOLE).exists():
        return ""
    try:
        held = dict(read_json(path / _WHOLE))
    except (PinchError, TypeError, ValueError):
        return f"its file {_WHOLE} cannot be read"
    for name, sha256 in held.items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file_sha256(file) != sha256:
            return f"{name} is not what was written"
    return None
