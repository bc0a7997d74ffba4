"""Attention of one short row, forward and backward on a CPU: ours against torch's fused one."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.tune import machine

# Query heads, key heads and width: gemma-3-270m's, and those of Llama-3.2-1B.
SHAPES = ((4, 1, 256), (32, 8, 64))


def run(*, lengths: str = "24,64,100,180,256,512", seconds: float = 0.5, seed: int = 1) -> dict[str, Any]:
    """Time both in bf16, one after the other, and tell how far each is from fp32.

    Args:
        lengths: tokens of a row, separated by commas.
        seconds: of repetitions for each measurement.
        seed: of the numbers.
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    from polypinch.models.short_attention import short_attention

    def fused(query: Any, key: Any, value: Any, scale: float) -> Any:
        return scaled_dot_product_attention(
            query[None], key[None], value[None], is_causal=True, scale=scale, enable_gqa=True
        )[0]

    def ours(query: Any, key: Any, value: Any, scale: float) -> Any:
        return short_attention(query, key, value, scale, None)

    torch.manual_seed(seed)
    runs = []
    for heads, shared, width in SHAPES:
        for length in map(int, lengths.split(",")):
            # Rows of a batch lie token by token, as a model's projections leave them.
            states = [
                torch.randn(length, n, width).bfloat16().transpose(0, 1).requires_grad_()
                for n in (heads, shared, shared)
            ]
            weights = torch.randn(heads, length, width)
            exact = _gradients(fused, [state.detach().float().requires_grad_() for state in states], weights)
            found: dict[str, Any] = {"heads": heads, "key_heads": shared, "width": width, "tokens": length}
            for name, attention in (("fused", fused), ("ours", ours)):
                gradients = _gradients(attention, states, weights)
                apart = [
                    float((mine.float() - other).norm() / other.norm())
                    for mine, other in zip(gradients, exact, strict=True)
                ]
                found[name] = {"error": round(max(apart), 5)}
                repetitions, started = 0, time.perf_counter()
                while time.perf_counter() < started + seconds:
                    _gradients(attention, states, weights)
                    repetitions += 1
                found[name]["ms"] = round((time.perf_counter() - started) / repetitions * 1000, 3)
            found["speed"] = round(found["fused"]["ms"] / found["ours"]["ms"], 2)
            runs.append(found)
    return {"benchmark": "attention", "machine": machine(), "runs": runs}


def _gradients(attention: Any, states: list[Any], weights: Any) -> Any:
    import torch

    out = attention(*states, states[0].shape[-1] ** -0.5)
    return torch.autograd.grad(out, states, weights.to(out.dtype))


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    return [
        (
            "attention",
            f"{found['tokens']} tokens, {found['heads']} heads over {found['key_heads']} of {found['width']}",
            f"{found['ours']['ms']:.2f} ms, fused {found['fused']['ms']:.2f} ms: {found['speed']:.2f} ×;"
            f" gradients {found['ours']['error']:.2%} from fp32, fused {found['fused']['error']:.2%}",
            "",
        )
        for found in result["runs"]
    ]
