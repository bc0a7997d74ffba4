"""How near tuning comes to the machine's limit: FLOPs that the work needs ÷ the bf16 GEMM peak beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.children import run_child
from benchmarks.environments import cache
from benchmarks.tune import OURS, WARM_UP, machine, one, prepared

SQUARES = (2048, 4096)


def run(
    *,
    full: bool = False,
    steps: int = 20,
    stop: int = 12,
    rows: str = "pinch12",
    language: str = "en",
    model: str = "gemma-3-270m",
    batch_rows: int = 16,
    seed: int = 1,
) -> dict[str, Any]:
    """Measure the peak, tune, measure the peak again, and divide.

    Args:
        full: tune all weights instead of adapters.
        steps: optimiser steps that the schedule is made for.
        stop: end after so many.
        rows: a pool's name or file.
        language: of its training rows.
        model: to tune.
        batch_rows: rows in one optimiser step.
        seed: of order and adapters.
    """
    work = cache() / "work" / "limit"
    settings = prepared(work, model, rows, language, steps, batch_rows, full, seed)
    before = _child("peak", work)
    ours = one(OURS, work, {"stop": stop})
    after = _child("peak", work)
    if "failed" in ours:
        return {"benchmark": "limit", "failed": ours["failed"]}
    need: list[dict[str, float]] = _child("need", work)["steps"]
    counted = range(WARM_UP, len(ours["steps"]))
    flops = {part: sum(need[step][part] for step in counted) for part in need[0]}
    seconds = sum(ours["steps"][step]["seconds"] for step in counted)
    # The machine is shared and drifts: the peak is the best of both sides.
    shapes = {name: max(before["gflops"][name], after["gflops"][name]) for name in before["gflops"]}
    peak = max(shapes.values())
    achieved = sum(flops.values()) / seconds / 1e9
    return {
        "benchmark": "limit",
        "machine": machine(),
        "method": "full" if settings["full"] else "lora",
        "tokens_per_s": ours["tokens_per_s"],
        "gflop_per_token": round(
            sum(flops.values()) / sum(settings["tokens"][step] for step in counted) / 1e9, 3
        ),
        "parts": {part: round(value / sum(flops.values()), 4) for part, value in flops.items()},
        "achieved_gflops": round(achieved, 1),
        "peak_gflops": peak,
        "peak_gflops_by_shape": shapes,
        "share": round(achieved / peak, 4),
        "threads": before["threads"],
    }


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    if "failed" in result:
        return [("limit", "", f"failed: {result['failed']}", "")]
    figure = (
        f"{result['share']:.1%}: {result['achieved_gflops']:,.0f} of {result['peak_gflops']:,.0f} GFLOP/s"
    )
    return [("limit", "share of the bf16 GEMM peak", figure, "≥ 30 % (AMX), ≥ 45 % (GPU)")]


def _child(what: str, work: Path) -> dict[str, Any]:
    return run_child("limit", what, str(work))


def _config(work: Path) -> tuple[dict[str, Any], Any]:
    from transformers import AutoConfig

    settings: dict[str, Any] = json.loads((work / "settings.json").read_text())
    return settings, AutoConfig.from_pretrained(settings["model"]).get_text_config()


def _linears(settings: dict[str, Any], config: Any) -> list[tuple[int, int]]:
    """Return (outputs, inputs) of every linear layer of the body, without loading its weights."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        body = AutoModelForCausalLM.from_config(config).get_decoder()
    return [tuple(layer.weight.shape) for layer in body.modules() if isinstance(layer, torch.nn.Linear)]


def attended(length: int, window: int | None) -> int:
    """Return how many (query, key) pairs causal attention has in a row, in a window of ``window`` keys."""
    if window is None or window >= length:
        return length * (length + 1) // 2
    return window * (window + 1) // 2 + (length - window) * window


def needed(work: Path) -> list[dict[str, float]]:
    """Return the FLOPs that each step needs, by part; a multiplication with its addition is two.

    Per token and weight of the body's linear layers: 2 forward, 2 for the gradient of the input, and in full
    tuning 2 for that of the weight. An adapter's weights need all six. Per supervised position and weight of
    the head: 4, or 6 in full tuning. Attention, per pair, head and dimension: 4 forward (scores, values),
    8 backward. What could be left out is not counted: padding, the head where nothing is supervised, anything
    computed twice.
    """
    settings, config = _config(work)
    steps = json.loads((work / "steps.json").read_text())
    rank = json.loads((work / "recipe.json").read_text())["rank"]
    linears = _linears(settings, config)
    weights = sum(outputs * inputs for outputs, inputs in linears)
    adapters = 0 if settings["full"] else sum(rank * (outputs + inputs) for outputs, inputs in linears)
    per_weight = 6 if settings["full"] else 4
    dimension = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    kinds = getattr(config, "layer_types", None) or ["full_attention"] * config.num_hidden_layers
    windows = [config.sliding_window if kind == "sliding_attention" else None for kind in kinds]
    found = []
    for step in steps:
        lengths = [len(row["input_ids"]) for row in step]
        supervised = sum(label != -100 for row in step for label in row["labels"])
        pairs = sum(attended(length, window) for length in lengths for window in windows)
        found.append(
            {
                "body": float(per_weight * weights * sum(lengths)),
                "adapters": float(6 * adapters * sum(lengths)),
                "attention": float(12 * pairs * config.num_attention_heads * dimension),
                "head": float(per_weight * config.vocab_size * config.hidden_size * supervised),
            }
        )
    return found


def peak(work: Path, seconds: float = 1.0) -> dict[str, Any]:
    """Return the GFLOP/s of bf16 products, squares and the model's own shapes: each one's best repetition."""
    import time

    import torch

    settings, config = _config(work)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokens = max(settings["tokens"])
    supervised = min(256, max(settings["supervised"]))
    shapes = {f"square {side}": (side, side, side) for side in SQUARES}
    shapes["feed-forward"] = (tokens, config.hidden_size, config.intermediate_size)
    shapes["head"] = (supervised, config.hidden_size, config.vocab_size)
    shapes["head, backward"] = (supervised, config.vocab_size, config.hidden_size)
    dtype = torch.bfloat16 if settings["bf16"] else torch.float32
    found = {}
    for name, (m, k, n) in shapes.items():
        # Weights lie as (outputs, inputs); which way they are read makes a difference.
        a, b = torch.randn(m, k).to(device, dtype), torch.randn(n, k).to(device, dtype)
        out = torch.empty(m, n, dtype=dtype, device=device)
        best, until = float("inf"), time.perf_counter() + seconds
        repetitions = 0
        while repetitions < 3 or time.perf_counter() < until:
            before = time.perf_counter()
            torch.mm(a, b.T, out=out)
            if device.type == "cuda":
                torch.cuda.synchronize()
            best, repetitions = min(best, time.perf_counter() - before), repetitions + 1
        found[name] = round(2 * m * k * n / best / 1e9, 1)
    return {"gflops": found, "threads": torch.get_num_threads(), "dtype": str(dtype)}


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    print(json.dumps(peak(folder) if sys.argv[1] == "peak" else {"steps": needed(folder)}))
