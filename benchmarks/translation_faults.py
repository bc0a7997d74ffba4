"""Whether translating loses or doubles rows, or pays twice, where it is killed and its server often fails.

``polypinch translate`` is run as a user would, killed with SIGKILL whenever another part of the rows is on
the disk, and run again until nothing is left open.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.judge_stub import FAULTS, served
from benchmarks.translating_stub import TranslatingStub, numbered
from polypinch.languages import language
from polypinch.pool import POOL_SCHEMA, open_pool
from polypinch.translate import MOST_TRIES

TAGS = ("cs", "es", "et", "fi", "hi", "it", "ru", "zh")
_LOOKS_S = 0.02
_RUNS = 5

Key = tuple[int, str]
"""A case, and the language that it is translated into."""


def run(rows: int = 10_000, faults: float = 0.3, kills: int = 2, concurrency: int = 64) -> dict[str, Any]:
    """Translate, kill, go on, and compare what the server sent with what is on the disk.

    Args:
        rows: translations that are wanted, in eight languages.
        faults: share of replies that fail.
        kills: how often it is killed.
        concurrency: calls under way at a time.
    """
    stub = TranslatingStub(faults=faults, slow=0.05)
    cases = -(-rows // len(TAGS))
    wanted = {(case, tag) for case in range(cases) for tag in TAGS}
    again: Counter[Key] = Counter()
    started = time.monotonic()
    with TemporaryDirectory() as name, served(stub) as address:
        pool, out = Path(name) / "pool.parquet", Path(name) / "out"
        pq.write_table(_english(cases), pool)
        command = [sys.executable, "-c", "from polypinch.cli import main; main()", "translate", str(pool)]
        command += ["--to", ",".join(TAGS), "--out", str(out), "--model", "m", "--base-url", address]
        command += ["--concurrency", str(concurrency)]
        settled: set[Key] = set()
        sent: Counter[Key] = Counter()
        for stop in range(1, kills + 1):
            _kill_at(command, out / "tries.jsonl", len(wanted) * stop // (kills + 1))
            again += _more(stub, sent, settled)
            settled, sent = _settled(_tries(out)), _sent(stub)
        runs = 1
        while _run(command) and runs < _RUNS:  # what no attempt of a call reached is open, and told
            runs += 1
        again += _more(stub, sent, settled)
        tries = _tries(out)
        made = Counter(_keys(pq.read_table(out / "pool.parquet")))
    recorded = sum(map(len, tries.values()))
    refused = {key for key, each in tries.items() if not any(map(_is_good, each))}
    return {
        "benchmark": "translation-faults",
        "options": {"rows": rows, "faults": faults, "kills": kills, "concurrency": concurrency},
        "wanted": len(wanted),
        "translated": len(made),
        "left_out": len(refused),
        "lost": len(wanted - made.keys() - refused),
        "doubled": sum(count - 1 for count in made.values()),
        "asked_again": again.total(),
        "sent": sum(_sent(stub).values()),
        "recorded": recorded,
        "failures": sum(stub.counts[fault] for fault in FAULTS),
        "runs": kills + runs,
        "seconds": round(time.monotonic() - started, 1),
    }


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    options = result["options"]
    what = f"{result['wanted']:,} rows, {options['faults']:.0%} of replies fail, {options['kills']} kills"
    most = options["kills"] * options["concurrency"]
    under_way = result["sent"] - result["recorded"]
    return [
        (
            "translation-faults",
            what,
            f"{result['lost']} lost, {result['doubled']} doubled, {result['asked_again']} asked for again"
            f" when on the disk; {result['translated']:,} translated, {result['left_out']} left out,"
            f" {result['failures']:,} failures, {result['runs']} runs, {result['seconds']} s",
            "0, 0, 0",
        ),
        (
            "translation-faults",
            "replies under way when it was killed, which no disk has",
            f"{under_way}",
            f"≤ {most} ({options['kills']} kills × {options['concurrency']} calls)",
        ),
    ]


def _english(cases: int) -> pa.Table:
    """Return rows of the built-in pool, each with a number, as often as it takes."""
    items = open_pool("pinch12").select(where=pc.field("language") == "en").to_pylist()
    made = []
    for case in range(cases):
        item = items[case % len(items)]
        first, *others = item["messages"]
        first = {**first, "content": numbered(first["content"], case)}
        made.append({**item, "item_id": str(case), "messages": [first, *others], "split": "train"})
    return pa.Table.from_pylist(made, schema=POOL_SCHEMA)


def _run(command: list[str]) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


def _kill_at(command: list[str], journal: Path, lines: int) -> None:
    """Run a command, and kill it when so many tries are on the disk."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") >= lines:
            process.kill()
            break
        time.sleep(_LOOKS_S)
    if process.wait() != -signal.SIGKILL:
        raise RuntimeError("it ended before it could be killed: ask for more rows, or fewer kills")


def _tries(out: Path) -> dict[Key, list[dict[str, Any]]]:
    content = (out / "tries.jsonl").read_bytes()
    tries: dict[Key, list[dict[str, Any]]] = {}
    for line in content[: content.rfind(b"\n") + 1].splitlines():
        one = json.loads(line)
        tries.setdefault((int(one["item_id"]), one["language"]), []).append(one)
    return tries


def _is_good(one: dict[str, Any]) -> bool:
    return not one.get("doubts") and one.get("error") is None


def _settled(tries: dict[Key, list[dict[str, Any]]]) -> set[Key]:
    return {key for key, made in tries.items() if len(made) >= MOST_TRIES or any(map(_is_good, made))}


def _sent(stub: TranslatingStub) -> Counter[Key]:
    tags = {language(tag).name: tag for tag in TAGS}
    return Counter({(case, tags[name]): count for (case, name), count in stub.sent.items()})


def _more(stub: TranslatingStub, before: Counter[Key], settled: set[Key]) -> Counter[Key]:
    """Return how often what was settled before was sent since."""
    now = _sent(stub)
    return Counter({key: now[key] - before[key] for key in settled if now[key] > before[key]})


def _keys(table: pa.Table) -> list[Key]:
    return [
        (int(row["item_id"]), row["language"]) for row in table.select(["item_id", "language"]).to_pylist()
    ]
