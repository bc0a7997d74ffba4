"""A 5,000-row mixture out of ten million rows: us, datasets and TRL on the same Parquet files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.environments import CannotBuildError, build, cache
from benchmarks.tune import machine

BASE, OTHERS = "en", ("es", "fi", "ru", "hi")
TAGS = (BASE, *OTHERS)
_CHUNK_ITEMS = 20_000
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


@dataclass(frozen=True)
class Mixer:
    """Who mixes: an environment (``None`` is our own), a script, the pool's layout, its choices."""

    script: str
    layout: str
    says: str
    environment: str | None = "trl"
    choices: dict[str, Any] = field(default_factory=dict)
    sample: bool = True


MIXERS: dict[str, Mixer] = {
    "polypinch": Mixer("ours.py", "mixed", "make_mixture, one file", None),
    "datasets": Mixer("hf_datasets.py", "mixed", "load, filter, shuffle, interleave, select"),
    "datasets-pushdown": Mixer(
        "hf_datasets.py", "mixed", "the same, the filter in the Parquet reader", choices={"pushdown": True}
    ),
    "polypinch-by-language": Mixer("ours.py", "by-language", "make_mixture, a file for each language", None),
    "datasets-by-language": Mixer("hf_datasets.py", "by-language", "load, shuffle, interleave, select"),
    "trl-by-language": Mixer(
        "trl_mixture.py", "by-language", "DatasetMixtureConfig with fractions, the first rows of each file"
    ),
    # Not the same work: what is at the front of the files is all that it can choose.
    "streaming": Mixer(
        "hf_datasets.py",
        "by-language",
        "datasets, streaming: the first rows of each file",
        choices={"streaming": True},
        sample=False,
    ),
}
OURS = {"mixed": "polypinch", "by-language": "polypinch-by-language"}


def run(*, rows: int = 10_000_000, mixture: int = 5000, each: int = 10, mixers: str = "") -> dict[str, Any]:
    """Make the mixture by each mixer in a process of its own, twice: before and with its caches.

    Args:
        rows: of the pool, in five languages.
        mixture: rows to select.
        each: how many of them in each of the four other languages.
        mixers: names, separated by commas; by default all.
    """
    chosen = mixers.split(",") if mixers else list(MIXERS)
    unknown = [name for name in chosen if name not in MIXERS]
    if unknown:
        sys.exit(f"no mixer {', '.join(unknown)}; there are {', '.join(MIXERS)}")
    layouts = {MIXERS[name].layout for name in chosen}
    pools = {layout: make_pool(rows, layout) for layout in sorted(layouts)}
    choices = {"rows": mixture, "each": each, "base": BASE, "others": list(OTHERS), "seed": 7}
    runs = {name: one(name, pools[MIXERS[name].layout], choices) for name in chosen}
    return {
        "benchmark": "mix",
        "machine": machine(),
        "pool_rows": rows,
        "pool_mb": {layout: round(_size(path) / 1e6) for layout, path in pools.items()},
        "mixture": choices,
        "runs": runs,
        **compare(runs),
    }


def one(name: str, pool: Path, choices: dict[str, Any]) -> dict[str, Any]:
    """Run a mixer without caches of its own, then with them; what keeps it from running is its result."""
    mixer = MIXERS[name]
    work = cache() / "work" / "mix"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        python = build(mixer.environment) if mixer.environment else Path(sys.executable)
    except CannotBuildError as error:
        return {"failed": f"cannot be installed: {error}"}
    _read_through(pool)
    found: dict[str, Any] = {"says": mixer.says, "layout": mixer.layout}
    for state in ("cold", "warm"):
        print(f"mix: {name}, {state} …", file=sys.stderr, flush=True)
        log, result = work / f"{state}.log", work / f"{state}.json"
        script = Path(__file__).parent / "peers_mix" / mixer.script
        said = json.dumps({**choices, **mixer.choices})
        started = time.monotonic()
        with log.open("w") as output:
            done = subprocess.run(
                [str(python), str(script), str(pool), str(work / "mixture.parquet"), str(result), said],
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                env={**os.environ, "HF_DATASETS_CACHE": str(work / "cache"), "HF_HUB_OFFLINE": "1"},
            )
        wall = round(time.monotonic() - started, 2)
        if done.returncode or not result.is_file():
            lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            found["failed"] = " / ".join(lines[-2:])[:500] or f"exit status {done.returncode}"
            break
        found[state] = {"wall_s": wall, **json.loads(result.read_text())}
        if state == "cold":
            found["cache_mb"] = round(_size(work / "cache") / 1e6)
    shutil.rmtree(work, ignore_errors=True)
    return found


def compare(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return theirs ÷ ours: whole processes, imports included, on the same layout."""
    ratios: dict[str, Any] = {}
    for name, found in runs.items():
        ours = runs.get(OURS[MIXERS[name].layout], {})
        if name in OURS.values() or "failed" in found or "warm" not in ours:
            continue
        ratios[name] = {
            **{state: round(found[state]["wall_s"] / ours[state]["wall_s"], 2) for state in ("cold", "warm")},
            "memory": round(ours["cold"]["peak_mb"] / found["cold"]["peak_mb"], 2),
        }
    same = [name for name in ratios if MIXERS[name].sample]
    best = {state: min(same, key=lambda name: ratios[name][state]) for state in ("cold", "warm") if same}
    return {
        "ratios": ratios,
        "best_peer": {state: {"name": name, "speed": ratios[name][state]} for state, name in best.items()},
    }


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    table: list[tuple[str, ...]] = []
    for name, found in result["runs"].items():
        if "failed" in found:
            table.append(("mix", name, f"not run: {found['failed'][:80]}", ""))
            continue
        cold, warm = found["cold"], found["warm"]
        figure = f"{cold['wall_s']:.1f} s, {cold['peak_mb']:,} MB; again {warm['wall_s']:.1f} s"
        if found["cache_mb"]:
            figure += f" with {found['cache_mb']:,} MB of cache"
        if name in OURS.values():
            table.append(("mix", f"{name}: {found['says']}", figure, "≤ 1,000 MB"))
            continue
        ratio = result["ratios"].get(name)
        if ratio:
            figure += f": we are {ratio['cold']:.1f} × as fast, {ratio['warm']:.1f} × against its cache"
        to_reach = "≥ 10 ×" if MIXERS[name].sample else "not the same work"
        table.append(("mix", f"{name}: {found['says']}", figure, to_reach))
    return table


def make_pool(count: int, layout: str) -> Path:
    """Write a pool of ``count`` rows once: parallel in five languages, items in shuffled order.

    Args:
        count: rows, of about 400 bytes of random text.
        layout: ``mixed``: one file, the languages mixed row by row, so that no row group can be passed over;
            ``by-language``: a folder with a file for each language.
    """
    final = cache() / "pools" / (f"{layout}-{count}" + (".parquet" if layout == "mixed" else ""))
    if final.exists():
        return final
    print(f"mix: writing {final} …", file=sys.stderr, flush=True)
    from polypinch.pool.table import POOL_SCHEMA

    final.parent.mkdir(parents=True, exist_ok=True)
    beside = final.with_name(f".{final.name}")
    shutil.rmtree(beside, ignore_errors=True)
    if layout != "mixed":
        beside.mkdir()
    generator = np.random.default_rng(0)
    order = generator.permutation(count // len(TAGS))
    paths = {tag: beside / f"{tag}.parquet" if layout != "mixed" else beside for tag in TAGS}
    writers = {
        path: pq.ParquetWriter(path, POOL_SCHEMA, compression="zstd")
        for path in dict.fromkeys(paths.values())
    }
    for start in range(0, len(order), _CHUNK_ITEMS):
        tables = [_rows(order[start : start + _CHUNK_ITEMS], tag, generator) for tag in TAGS]
        if layout == "mixed":
            together = pa.concat_tables(tables)
            shuffled = together.take(generator.permutation(together.num_rows))
            writers[beside].write_table(shuffled)
            continue
        for tag, table in zip(TAGS, tables, strict=True):
            writers[paths[tag]].write_table(table)
    for writer in writers.values():
        writer.close()
    beside.rename(final)
    return final


def _rows(items: npt.NDArray[np.int64], tag: str, generator: np.random.Generator) -> pa.Table:
    """Return rows of random text for items in a language."""
    from polypinch.pool.table import MESSAGES, POOL_SCHEMA

    n = len(items)
    numbers = pa.array(items).cast(pa.string())
    asked = pc.binary_join_element_wise("Item ", numbers, ": ", _random_hex(n, 80, generator), "")
    said = _random_hex(n, 280, generator)
    texts = pa.concat_arrays([asked, said]).take(pa.array(np.arange(2 * n).reshape(2, n).T.ravel()))
    roles = pa.array(["user", "assistant"]).take(pa.array(np.tile([0, 1], n)))
    turns = pa.StructArray.from_arrays([roles, texts], names=["role", "content"])
    offsets = pa.array(np.arange(0, 2 * n + 1, 2, dtype=np.int32))
    constant = {"source": "synthetic", "licence": "CC0-1.0", "origin": "native", "split": "train"}
    columns = {
        "item_id": pc.binary_join_element_wise("item", numbers, "-"),
        "language": pa.repeat(tag, n),
        "messages": pa.ListArray.from_arrays(offsets, turns).cast(MESSAGES),
        **{name: pa.repeat(value, n) for name, value in constant.items()},
    }
    return pa.table(columns, schema=POOL_SCHEMA)


def _random_hex(n: int, width: int, generator: np.random.Generator) -> pa.Array:
    drawn = np.frombuffer(generator.bytes(n * width // 2), np.uint8)
    digits = _HEX[np.stack([drawn >> 4, drawn & 15], 1)]
    offsets = np.arange(0, n * width + 1, width, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), n, [None, pa.py_buffer(offsets), pa.py_buffer(digits)])


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _read_through(path: Path) -> None:
    """Read files once, so that nobody has them from the disk and somebody else from memory."""
    for file in [path] if path.is_file() else sorted(path.iterdir()):
        with file.open("rb") as stream:
            while stream.read(1 << 24):
                pass
