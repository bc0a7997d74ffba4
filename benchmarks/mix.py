"""How long, and in how much memory, a 5,000-row mixture comes out of a large pool.

    python benchmarks/mix.py --rows 10000000

Writes the pool once (--folder), then makes the mixture in a process of its own and prints its time and
its greatest resident memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TAGS = ("en", "es", "fi", "ru", "hi")


def write_pool(path: Path, rows: int) -> None:
    """Write ``rows`` rows of about 400 bytes, parallel in five languages, in shuffled order."""
    from polypinch.pool.table import POOL_SCHEMA

    generator = np.random.default_rng(0)
    order = generator.permutation(rows // len(TAGS))
    chunk = 100_000
    with pq.ParquetWriter(path, POOL_SCHEMA, compression="zstd") as writer:
        for start in range(0, len(order), chunk):
            for tag in TAGS:
                items = order[start : start + chunk]
                n = len(items)
                messages = [
                    [
                        {"role": "user", "content": f"Item {item}: {generator.bytes(40).hex()}"},
                        {"role": "assistant", "content": generator.bytes(140).hex()},
                    ]
                    for item in items
                ]
                constant = {"source": "synthetic", "licence": "CC0-1.0", "origin": "native", "split": "train"}
                columns = {
                    "item_id": [f"item-{item}" for item in items],
                    "language": [tag] * n,
                    "messages": messages,
                    **{name: [value] * n for name, value in constant.items()},
                }
                writer.write_table(pa.table(columns, schema=POOL_SCHEMA))


def make(path: Path) -> None:
    """Make the mixture, and print its cost as JSON."""
    from polypinch.mix import Budget, Dose, MixPlan, make_mixture
    from polypinch.pool import Pool

    dose = Dose(languages=TAGS[1:], count=40)
    plan = MixPlan(pool=str(path), budget=Budget(examples=5000), doses=(dose,), seed=7)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pool = Pool.from_parquet(path)
    started = time.monotonic()
    mixture = make_mixture(plan, pool)
    cost = {
        "rows": mixture.table.num_rows,
        "seconds": round(time.monotonic() - started, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "imports_mb": round(before / 1024),
    }
    print(json.dumps(cost))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(options.make)
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / f"pool-{options.rows}.parquet"
    if not path.exists():
        print(f"writing {path} …", flush=True)
        beside = path.with_suffix(".tmp")
        write_pool(beside, options.rows)
        beside.rename(path)
    done = subprocess.run(
        [sys.executable, __file__, "--make", str(path)], check=True, capture_output=True, text=True
    )
    print(f"{options.rows:,} rows, {path.stat().st_size / 1e6:.0f} MB on disk: {done.stdout.strip()}")


if __name__ == "__main__":
    main()
