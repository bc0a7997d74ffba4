"""How fast and how lean verdicts are asked for: against a stub that answers in 50 ms, and in volume.

The ideal is as many calls a second as connections over the server's time for one. What the client adds (the
prompt, the reply, the row in SQLite) must hide in the waits.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def run(
    calls: int = 12_000,
    concurrency: int = 64,
    delay: float = 0.05,
    volume: int = 100_000,
    faults: float = 0.0,
) -> dict[str, Any]:
    """Measure throughput at a delay, and memory over a volume without one.

    Args:
        calls: verdicts of the throughput run.
        concurrency: calls under way at a time.
        delay: seconds that the stub takes for each.
        volume: verdicts of the memory run; 0 leaves it out.
        faults: share of replies that fail, in the throughput run.
    """
    import psutil

    with TemporaryDirectory() as folder:
        with stub(delay, faults) as address:
            warm = _judge(Path(folder) / "warm.sqlite", address, concurrency * 10, concurrency, None)
            timed = _judge(Path(folder) / "timed.sqlite", address, calls, concurrency, None)
        memory: list[int] = []
        wide: dict[str, Any] = {}
        if volume:
            process = psutil.Process()
            with stub(0.0, 0.0) as address:
                watch = (max(1, volume // 20), lambda: memory.append(process.memory_info().rss))
                wide = _judge(Path(folder) / "wide.sqlite", address, volume, concurrency, watch)
    ideal = concurrency / delay if delay else None
    rate = timed["calls"] / timed["seconds"]
    result: dict[str, Any] = {
        "benchmark": "judge",
        "options": {
            "calls": calls,
            "concurrency": concurrency,
            "delay": delay,
            "volume": volume,
            "faults": faults,
        },
        "warm_seconds": warm["seconds"],
        "calls_per_s": round(rate, 1),
        "ideal_per_s": ideal,
        "of_ideal": None if ideal is None else round(rate / ideal, 3),
        "cpu_ms_per_call": timed["cpu_ms_per_call"],
        "missing": timed["missing"] + wide.get("missing", 0),
    }
    if memory:
        # From the first tenth on: the pool of connections is full, and caches are.
        settled = [size / 1e6 for size in memory[1:]]
        result |= {
            "volume": wide["calls"],
            "volume_calls_per_s": round(wide["calls"] / wide["seconds"], 1),
            "memory_mb": [round(size, 1) for size in settled],
            "growth_mb": round(settled[-1] - settled[0], 1),
        }
    return result


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    options = result["options"]
    share = "–" if result["of_ideal"] is None else f"{result['of_ideal']:.1%} of ideal"
    lines: list[tuple[str, ...]] = [
        (
            "judge",
            f"{options['concurrency']} at a time, {1000 * options['delay']:.0f} ms each",
            f"{result['calls_per_s']:,} calls/s, {share}, {result['cpu_ms_per_call']} ms CPU a call",
            "≥ 90 %",
        )
    ]
    if "growth_mb" in result:
        first, last = result["memory_mb"][0], result["memory_mb"][-1]
        lines.append(
            (
                "judge",
                f"memory over {result['volume']:,} verdicts",
                f"{first} → {last} MB, {result['volume_calls_per_s']:,} calls/s",
                "flat",
            )
        )
    return lines


@contextmanager
def stub(delay: float, faults: float) -> Iterator[str]:
    """Run a stub in a process of its own; yield its base URL."""
    command = [sys.executable, "-m", "benchmarks.judge_stub", "--delay", str(delay), "--faults", str(faults)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def _judge(path: Path, address: str, calls: int, concurrency: int, watch: Any) -> dict[str, Any]:
    import pyarrow as pa

    from polypinch.judge import (
        PAIR_SCHEMA,
        HttpBackend,
        Limits,
        Sides,
        Spent,
        Terms,
        VerdictStore,
        judge_pairs,
        load_judge,
    )

    pairs = pa.Table.from_pylist(
        [
            {
                "item_id": str(index),
                "language": "fi",
                "prompt": f"Kerro lyhyesti, miksi taivas on sininen, {index}. " * 4,
                "arm_text": f"Taivas on sininen, koska ilma siroaa sinistä valoa, {index}. " * 5,
                "against_text": f"Because air scatters blue light more than red light, {index}. " * 5,
            }
            for index in range(calls // 2)
        ],
        schema=PAIR_SCHEMA,
    )
    spent = Spent()
    store = _watched(path, *watch) if watch else VerdictStore(path)
    begun: dict[str, float] = {}

    class Backend(HttpBackend):
        async def open(self) -> None:
            await super().open()
            begun.update(wall=time.monotonic(), cpu=time.process_time())

        async def close(self) -> None:
            begun.update(seconds=time.monotonic() - begun["wall"], spent=time.process_time() - begun["cpu"])
            await super().close()

    with store:
        verdicts = judge_pairs(
            pairs,
            load_judge("pairwise"),
            Backend("stub", address),
            store,
            Sides("ours", "theirs"),
            Terms(limits=Limits(concurrency)),
            spent=spent,
        )
    return {
        "calls": spent.calls,
        "seconds": begun["seconds"],
        "cpu_ms_per_call": round(1000 * begun["spent"] / spent.calls, 3),
        "missing": verdicts["winner"].null_count,
    }


def _watched(path: Path, every: int, look: Callable[[], None]) -> Any:
    """Return a store that looks at the memory every so many verdicts."""
    from polypinch.judge import Record, VerdictStore

    class Watched(VerdictStore):
        written = 0

        def put(self, *records: Record) -> None:
            super().put(*records)
            before, self.written = self.written, self.written + len(records)
            if self.written // every > before // every:
                look()

    return Watched(path)
