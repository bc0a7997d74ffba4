"""How the time and memory of a whole tuning grow from 1,000 rows to 100,000, on a tiny model."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.children import run_child
from benchmarks.environments import cache
from benchmarks.tune import machine

# Large enough to be a real model of its kind, small enough that 100,000 rows take minutes.
_TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "sliding_window": 64,
    "layer_types": ["sliding_attention", "full_attention"],
    "max_position_embeddings": 1024,
}


def run(*, sizes: str = "1000,10000,100000", batch_rows: int = 64, seed: int = 1) -> dict[str, Any]:
    """Tune on mixtures of growing size, each in a process of its own; each has one epoch.

    Args:
        sizes: rows of each mixture, separated by commas.
        batch_rows: rows in one optimiser step.
        seed: of the order.
    """
    counts = [int(size) for size in sizes.split(",")]
    model = cache() / "tiny-model"
    _child("model", str(model))
    runs = []
    for count in counts:
        print(f"growth: {count:,} rows …", file=sys.stderr, flush=True)
        runs.append(_child("tune", str(model), str(count), str(batch_rows), str(seed)))
    return {"benchmark": "growth", "machine": machine(), "batch_rows": batch_rows, "runs": runs, **fit(runs)}


def fit(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Fit seconds = start + slope × tokens with equal weight of relative errors, and compare memory.

    Returns:
        ``start_s`` and ``us_per_token``, ``greatest_deviation`` from the line relative to what was measured,
        ``slope_growth`` (time per further token over the last interval ÷ over the first: 1 is linear), and
        ``memory_growth`` (peak of the largest ÷ of the smallest: 1 is flat).
    """
    import numpy as np

    tokens = np.array([float(found["tokens"]) for found in runs])
    seconds = np.array([float(found["seconds"]) for found in runs])
    if len(runs) < 2:
        return {}
    design = np.stack([np.ones_like(tokens), tokens], 1) / seconds[:, None]
    start, slope = np.linalg.lstsq(design, np.ones_like(seconds), rcond=None)[0]
    slopes = np.diff(seconds) / np.diff(tokens)
    return {
        "start_s": round(float(start), 2),
        "us_per_token": round(float(slope) * 1e6, 2),
        "greatest_deviation": round(float(np.abs((start + slope * tokens) / seconds - 1).max()), 4),
        "slope_growth": round(float(slopes[-1] / slopes[0]), 3),
        "memory_growth": round(runs[-1]["peak_mb"] / runs[0]["peak_mb"], 3),
    }


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    table = [
        (
            "growth",
            f"{found['rows']:,} rows, {found['tokens']:,} tokens",
            f"{found['seconds']:.1f} s, {found['peak_mb']:,} MB",
            "",
        )
        for found in result["runs"]
    ]
    if "slope_growth" in result:
        largest, smallest = result["runs"][-1]["rows"], result["runs"][0]["rows"]
        line = f"{result['slope_growth']:.2f} × per token, {result['greatest_deviation']:.1%} off a line"
        table.append(("growth", "time", line, "linear: 1 ×"))
        table.append(
            ("growth", f"memory, {largest:,} ÷ {smallest:,}", f"{result['memory_growth']:.2f} ×", "flat: 1 ×")
        )
    return table


def _child(*arguments: str) -> dict[str, Any]:
    return run_child("growth", *arguments)


def make_model(folder: Path) -> dict[str, Any]:
    """Save a tiny random Gemma-3 and a tokenizer learnt from the built-in pool."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    from polypinch.pool import open_pool

    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4000,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    turns = open_pool("pinch12").select(["messages"])["messages"].to_pylist()
    tokenizer.train_from_iterator((turn["content"] for messages in turns for turn in messages), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        additional_special_tokens=special[4:],
    )
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "gemma3_text", vocab_size=len(fast), pad_token_id=0, eos_token_id=1, bos_token_id=2, **_TINY
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return {"vocabulary": len(fast)}


def measure(model: str, count: int, batch_rows: int, seed: int) -> dict[str, Any]:
    """Tune on ``count`` rows, the built-in pool's over and over under new names, and return time and peak."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from polypinch.models.finding import find_model
    from polypinch.pool import open_pool
    from polypinch.tune import TuneRecipe, tune

    pool = open_pool("pinch12").select(["language", "messages"], pc.field("split") == "train")
    again = pa.array([index % pool.num_rows for index in range(count)])
    rows = pool.take(again).append_column("item_id", pa.array([f"item-{index}" for index in range(count)]))
    recipe = TuneRecipe(epochs=1, batch_rows=batch_rows, micro_tokens=8192, checkpoint_every=500)
    with tempfile.TemporaryDirectory() as folder:
        before = _peak_mb()
        started = time.monotonic()
        tune(rows, find_model(model), recipe, seed, Path(folder) / "tuned")
        seconds = time.monotonic() - started
        summary = json.loads((Path(folder) / "tuned" / "summary.json").read_text())
    return {
        "rows": count,
        "steps": summary["steps"],
        "tokens": summary["tokens"],
        "seconds": round(seconds, 2),
        "before_mb": before,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> int:
    """Return this process's greatest resident memory so far."""
    import resource

    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) * 1024 / 1e6)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


if __name__ == "__main__":
    what, place = sys.argv[1], sys.argv[2]
    if what == "model":
        print(json.dumps(make_model(Path(place))))
    else:
        print(json.dumps(measure(place, *(int(value) for value in sys.argv[3:]))))
