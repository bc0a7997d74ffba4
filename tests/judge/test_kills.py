"""Volume, faults and kills together: what comes out is whole, and nobody's invention."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.judge_stub import Stub, served
from polypinch.judge import HttpBackend, Sides, VerdictStore, judge_pairs, load_judge
from tests.judge.pairs import expected, pairs

PAIRS, KILLS = 5000, 2  # ten thousand verdicts


def stored(path: Path) -> int:
    if not path.exists():
        return 0
    with sqlite3.connect(path, timeout=30) as db:
        try:
            return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # the table is not there yet


def failed(path: Path) -> int:
    with VerdictStore(path) as store:
        return int(store.totals()["failed"])


def test_ten_thousand_verdicts_with_faults_and_kills_are_complete_and_true(tmp_path: Path) -> None:
    path, stub, chance = tmp_path / "v.sqlite", Stub(faults=0.3, slow=2.0), random.Random(0)
    with served(stub) as address:
        command = [sys.executable, "-m", "tests.judge.worker", address, str(path), str(PAIRS)]
        for kill in range(KILLS):
            enough = chance.randrange(1000, 3000) + kill * 3000
            child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 600
            while stored(path) < enough and child.poll() is None and time.monotonic() < deadline:
                time.sleep(chance.uniform(0.01, 0.05))
            child.send_signal(signal.SIGKILL)
            child.wait()
            assert enough <= stored(path) < 2 * PAIRS
        subprocess.run(command, check=True, capture_output=True)
        # A call that met eight faults in a row has failed, and is stored as that.
        while failed(path):
            subprocess.run([*command, "retry"], check=True, capture_output=True)
        assert stored(path) == 2 * PAIRS
        before = stub.counts["requests"]
        table = pairs(PAIRS)
        with VerdictStore(path) as store:
            verdicts = judge_pairs(
                table,
                load_judge("pairwise"),
                HttpBackend("stub", address),
                store,
                Sides("ours", "theirs", 1),
            )
        assert stub.counts["requests"] == before
    of = {row["item_id"]: row for row in table.to_pylist()}
    rows = verdicts.to_pylist()
    assert len({(row["item_id"], row["order"]) for row in rows}) == len(rows) == 2 * PAIRS
    assert all(row["winner"] == expected(row, of[row["item_id"]]) for row in rows)
