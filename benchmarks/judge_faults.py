"""Whether judging loses, doubles or invents verdicts, where its server does its worst and it is killed.

Each run is a process of its own, which is killed with SIGKILL whenever another part of the verdicts is
stored; the last ones go on until none is left that failed.

    python -m benchmarks.judge_faults ADDRESS STORE PAIRS [retry]

is one such process.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from benchmarks.hostile_stub import FALSE, TRUE, HostileStub
from benchmarks.judge_stub import FAULTS, Stub, chosen, served
from polypinch.judge import (
    PAIR_SCHEMA,
    HttpBackend,
    Limits,
    Sides,
    Terms,
    VerdictStore,
    judge_pairs,
    load_judge,
)
from polypinch.openai_server import Patience

CALLS, LOOKS_S, _MOST_RUNS = 64, 0.02, 50
_SIDES = Sides("ours", "theirs", 1)


def run(verdicts: int = 10_000, faults: float = 0.3, kills: int = 3, seed: int = 0) -> dict[str, Any]:
    """Judge, kill, go on, and compare each verdict with what the server decides.

    Args:
        verdicts: two for each pair, one an order.
        faults: share of replies that are hostile or fail.
        kills: how often it is killed.
        seed: of the faults, and of when it is killed.
    """
    return survive(HostileStub(faults=faults, seed=seed, slow=2.0), verdicts // 2, kills, seed)


def survive(stub: Stub, count: int, kills: int, seed: int = 0) -> dict[str, Any]:
    """Judge pairs by a stub, with kills; return what became of each verdict, and what it took.

    Args:
        stub: the server.
        count: pairs.
        kills: how often it is killed.
        seed: of when.
    """
    chance, started, most, runs = random.Random(seed), time.monotonic(), 0, 0
    with TemporaryDirectory() as folder, served(stub) as address:
        store = Path(folder) / "v.sqlite"
        command = [sys.executable, "-m", "benchmarks.judge_faults", address, str(store), str(count)]
        for kill in range(kills):
            between = (2 * count * kill // (kills + 1), 2 * count * (kill + 1) // (kills + 1))
            most = max(most, _killed_at(command, store, chance.randrange(*between)))
        while _stored(store) < 2 * count or _failed(store):
            again = ["retry"] if runs else []
            most = max(most, _peak(subprocess.Popen([*command, *again], stderr=subprocess.DEVNULL)))
            runs += 1
            if runs > _MOST_RUNS:
                raise RuntimeError(f"{_stored(store)} verdicts after {runs} runs, {_failed(store)} failed")
        calls = stub.counts["requests"]
        found = [row for row in _kept(address, store, count) if row["winner"] is not None]
        asked_again = stub.counts["requests"] - calls
    keys = Counter((row["item_id"], row["order"]) for row in found)
    hostile = sum(stub.counts[name] for name in (*FAULTS, *TRUE, *FALSE))
    return {
        "benchmark": "judge-faults",
        "verdicts": 2 * count,
        "kinds": sum(stub.counts[name] > 0 for name in (*FAULTS, *TRUE, *FALSE)),
        "hostile": hostile,
        "lost": 2 * count - len(keys),
        "doubled": sum(times - 1 for times in keys.values()),
        "invented": sum(row["winner"] != expected(int(row["item_id"]), row["order"]) for row in found),
        "asked_again": asked_again,
        "kills": kills,
        "runs": kills + runs,
        "peak_mb": round(most / 1e6),
        "seconds": round(time.monotonic() - started, 1),
    }


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    what = f"{result['verdicts']:,} verdicts, {result['kinds']} kinds of ill replies, {result['kills']} kills"
    told = (
        f"{result['lost']} lost, {result['doubled']} doubled, {result['invented']} invented,"
        f" {result['asked_again']} asked for again at the end; {result['hostile']:,} ill replies,"
        f" {result['runs']} runs, {result['seconds']} s"
    )
    return [
        ("judge-faults", what, told, "0, 0, 0, 0"),
        ("judge-faults", "largest process", f"{result['peak_mb']:,} MB", "< 1,000 MB"),
    ]


def texts(number: int) -> tuple[str, str]:
    """Return both answers of a pair."""
    return f"Koska valo siroaa, {number}.", f"Because light scatters, {number}."


def expected(number: int, order: str) -> str:
    """Return what the stub decides of a pair's answers, in an order."""
    ours, theirs = texts(number)
    return chosen(ours, theirs) if order == "arm_first" else chosen(theirs, ours)


def _pairs(count: int) -> pa.Table:
    made = []
    for number in range(count):
        ours, theirs = texts(number)
        prompt = f"Miksi taivas on sininen? {number}"
        made.append(
            {
                "item_id": str(number),
                "language": "fi" if number % 2 else "en",
                "prompt": prompt,
                "arm_text": ours,
                "against_text": theirs,
            }
        )
    return pa.Table.from_pylist(made, schema=PAIR_SCHEMA)


def _backend(address: str) -> HttpBackend:
    return HttpBackend("stub", address, patience=Patience(timeout_s=1.5, backoff_s=0.01))


def _kept(address: str, path: Path, count: int) -> list[dict[str, Any]]:
    with VerdictStore(path) as store:
        table = judge_pairs(_pairs(count), load_judge("pairwise"), _backend(address), store, _SIDES)
    kept: list[dict[str, Any]] = table.to_pylist()
    return kept


def _stored(path: Path) -> int:
    if not path.exists():
        return 0
    with sqlite3.connect(path, timeout=30) as db:
        try:
            return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # the table is not there yet


def _failed(path: Path) -> int:
    with VerdictStore(path) as store:
        return int(store.totals()["failed"])


def _killed_at(command: list[str], store: Path, verdicts: int) -> int:
    """Run a command and kill it when so many verdicts are stored; return its greatest memory in bytes."""
    most = 0
    while True:
        child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while _stored(store) < verdicts and _lives(child):
            time.sleep(LOOKS_S)
        if _lives(child):
            child.send_signal(signal.SIGKILL)
            return max(most, _peak(child))
        most = max(most, _peak(child))  # a server whose very first reply sends it on is refused


def _lives(child: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _peak(child: subprocess.Popen[bytes]) -> int:
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(address: str, path: str, count: str, *retry: str) -> None:
    """Judge pairs by a server until none is left: a process to be killed."""
    terms = Terms(limits=Limits(concurrency=CALLS), retry_failed=bool(retry))
    with VerdictStore(Path(path)) as store:
        judge_pairs(_pairs(int(count)), load_judge("pairwise"), _backend(address), store, _SIDES, terms)


if __name__ == "__main__":
    main(*sys.argv[1:])
