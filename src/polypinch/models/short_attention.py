"""Causal attention of one short row on a CPU, with a backward pass made of whole products.

torch's fused attention works through blocks so that a long row's weights are never held at once. Instructions
are short: their weights fit a cache, and the fused passes over them take longer than the products written out
(`python -m benchmarks attention` says by how much).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

# Weights of all heads in fp32 beyond 4 MB fall out of the cache, and the fused passes catch up.
_WEIGHTS = 1 << 20


class _ShortAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int) -> Tensor:
        heads, t, width = query.shape
        shared = len(key)
        stacked = query.reshape(shared, -1, width)
        # Scores in fp32, as fused attention has them: rounded to bf16, large ones would lose their order.
        scores = torch.bmm(stacked.float() * scale, key.float().transpose(1, 2))
        scores.view(heads, t, t).masked_fill_(~band(t, window, query.device), -torch.inf)
        weights = torch.softmax(scores, -1).to(query.dtype)
        ctx.save_for_backward(stacked, key, value, weights)
        ctx.scale = scale
        return torch.bmm(weights, value).view(heads, t, width)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        stacked, key, value, weights = ctx.saved_tensors
        grad = grads[0].reshape(stacked.shape)
        of_value = torch.bmm(weights.transpose(1, 2), grad)
        wide = weights.float()
        of_scores = torch.bmm(grad, value.transpose(1, 2)).float().mul_(wide)
        of_scores.sub_(wide * of_scores.sum(-1, keepdim=True)).mul_(ctx.scale)
        low = of_scores.to(stacked.dtype)
        of_query = torch.bmm(low, key).view(grads[0].shape)
        of_key = torch.bmm(low.transpose(1, 2), stacked)
        return of_query, of_key, of_value, None, None


def is_short(query: Tensor) -> bool:
    """Tell whether :func:`short_attention` is the faster one, for a query as it takes it."""
    heads, t, _ = query.shape
    return query.device.type == "cpu" and heads * t * t <= _WEIGHTS


@lru_cache(maxsize=64)
def band(t: int, window: int, device: torch.device) -> Tensor:
    """Return who sees whom in a row, (t, t): each token itself and ``window - 1`` before it."""
    with torch.inference_mode(False):
        ones = torch.ones(t, t, dtype=torch.bool, device=device)
        return ones.tril().triu(1 - window)


def short_attention(query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None) -> Tensor:
    """Attend within one row.

    Args:
        query: (heads, t, d), on a CPU.
        key: (kv heads, t, d); a divisor of ``heads``, neighbours of which share one.
        value: as ``key``.
        scale: of the scores.
        window: a token sees itself and ``window - 1`` before it; ``None`` sees all.

    Returns:
        (heads, t, d).
    """
    t = query.shape[1]
    # Windows that reach the row's begin share one mask.
    reach = t if window is None else min(window, t)
    result: Tensor = _ShortAttention.apply(query, key, value, scale, reach)
    return result
