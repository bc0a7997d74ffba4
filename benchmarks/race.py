"""Whether processes that make the same artifacts at once make any twice, lose one, or show one unfinished."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import DONE, artifact, is_done
from polypinch.locks import Busy


def run(writers: int = 8, artifacts: int = 2000) -> dict[str, Any]:
    """Let all writers make all artifacts, in the same order, while a reader looks on.

    Args:
        writers: processes.
        artifacts: each is made by whoever is first; the others wait for it.
    """
    context = multiprocessing.get_context("spawn")
    started = time.monotonic()
    with TemporaryDirectory() as name:
        folder, over = Path(name) / "store", context.Event()
        folder.mkdir()
        said = context.Queue()
        reader = context.Process(target=_read, args=(folder, artifacts, over, said))
        makers = [context.Process(target=_make, args=(folder, artifacts, said)) for _ in range(writers)]
        for process in (reader, *makers):
            process.start()
        told = [said.get() for _ in makers]
        over.set()
        told.append(said.get())
        for process in (reader, *makers):
            process.join()
        there = sum(is_done(folder / f"a-{number}") for number in range(artifacts))
        left = len(list(folder.glob("*partial*"))) + len(list(folder.glob(".aside*")))
    made = Counter(number for one in told for number in one.get("made", ()))
    return {
        "benchmark": "race",
        "writers": writers,
        "artifacts": artifacts,
        "there": there,
        "twice": sum(times > 1 for times in made.values()),
        "vanished": told[-1]["vanished"],
        "errors": [error for one in told for error in one.get("errors", ())][:5],
        "left_over": left,
        "shares": sorted(len(one.get("made", ())) for one in told[:-1]),
        "seconds": round(time.monotonic() - started, 1),
    }


def _make(folder: Path, artifacts: int, said: Any) -> None:
    made, errors = [], []
    for number in range(artifacts):
        path = folder / f"a-{number}"
        while not is_done(path):
            try:
                with artifact(path, {"number": number}, kind="race") as beside:
                    (beside / "data").write_text(str(os.getpid()))
                made.append(number)
            except Busy:
                time.sleep(0.001)
            except PinchError as error:
                if not is_done(path):  # between the look and the lock another finished it
                    errors.append(str(error))
                    break
    said.put({"made": made, "errors": errors})


def _read(folder: Path, artifacts: int, over: Event, said: Any) -> None:
    seen: set[int] = set()
    vanished = 0
    while not over.is_set():
        for number in range(artifacts):
            is_there = (folder / f"a-{number}" / DONE).is_file()
            vanished += number in seen and not is_there
            if is_there:
                seen.add(number)
    said.put({"vanished": vanished})


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    what = f"{result['artifacts']:,} artifacts by {result['writers']} processes at once"
    told = (
        f"{result['there']:,} made, {result['twice']} twice, {result['vanished']} vanished from a reader,"
        f" {len(result['errors'])} errors, {result['left_over']} left over; {result['seconds']} s"
    )
    return [("race", what, told, "0, 0, 0, 0")]
