"""The output head and its cross-entropy, paid for at supervised positions only, chunk by chunk.

With a vocabulary of 262,144, the logits of 1,000 positions are a gigabyte in fp32, and their gradient
another. Here a chunk's logits live just long enough to give its loss and its gradient (the idea of
Liger Kernel, Hsu et al. 2024, arXiv 2410.10989, and of Cut Cross-Entropy, Wijmans et al. 2024, arXiv
2411.09009); matrix products run in the weights' type, the softmax in fp32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

CHUNK = 256


@lru_cache(maxsize=4)
def _scratch(rows: int, columns: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    # Fresh pages for hundreds of megabytes per chunk cost a CPU as much as the product itself. One buffer
    # serves both training and inference mode, so it must not belong to the latter.
    with torch.inference_mode(False):
        return torch.empty(rows, columns, dtype=dtype, device=device)


def _buffers(vocabulary: int, n: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    low = _scratch(CHUNK, vocabulary, dtype, device)[:n]
    return low, low if dtype is torch.float32 else _scratch(CHUNK, vocabulary, torch.float32, device)[:n]


def _logits(hidden: Tensor, weight: Tensor, bias: Tensor | None, low: Tensor, full: Tensor) -> None:
    """Fill ``full`` with a chunk's logits in fp32, through ``low`` in the weights' type."""
    if bias is None:
        torch.mm(hidden, weight.T, out=low)
    else:
        torch.addmm(bias, hidden, weight.T, out=low)
    if full is not low:
        full.copy_(low)


def _losses_in_place(full: Tensor, labels: Tensor) -> Tensor:
    """Turn logits into probabilities in place; return each row's cross-entropy."""
    rows = torch.arange(len(labels), device=full.device)
    greatest = full.amax(-1, keepdim=True)
    chosen = full[rows, labels]
    total = full.sub_(greatest).exp_().sum(-1, keepdim=True)
    full.div_(total)
    losses: Tensor = total.log().squeeze(-1) + greatest.squeeze(-1) - chosen
    return losses


class _SummedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, soft_cap: float | None
    ) -> Tensor:
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        grad_hidden = torch.empty_like(hidden) if needs_hidden else None
        grad_weight = torch.zeros_like(weight, dtype=torch.float32) if needs_weight else None
        grad_bias = torch.zeros_like(bias, dtype=torch.float32) if needs_bias and bias is not None else None
        for start in range(0, len(labels), CHUNK):
            part = slice(start, start + CHUNK)
            n = len(labels[part])
            low, full = _buffers(len(weight), n, weight.dtype, weight.device)
            _logits(hidden[part], weight, bias, low, full)
            slope = None
            if soft_cap is not None:
                full.div_(soft_cap).tanh_()
                slope = 1 - full**2
                full.mul_(soft_cap)
            total += _losses_in_place(full, labels[part]).sum()
            if grad_hidden is None and grad_weight is None and grad_bias is None:
                continue
            full[torch.arange(n, device=full.device), labels[part]] -= 1
            if slope is not None:
                full.mul_(slope)
            if grad_bias is not None:
                grad_bias += full.sum(0)
            if low is not full:
                low.copy_(full)
            if grad_hidden is not None:
                grad_hidden[part] = low @ weight
            if grad_weight is not None:
                grad_weight += (low.T @ hidden[part]).float()
        ctx.save_for_backward(
            grad_hidden,
            grad_weight.to(weight.dtype) if grad_weight is not None else None,
            grad_bias.to(bias.dtype) if grad_bias is not None and bias is not None else None,
        )
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        scale = grads[0]
        scaled = [None if saved is None else saved * scale.to(saved.dtype) for saved in ctx.saved_tensors]
        return (*scaled, None, None)


def summed_loss(
    hidden: Tensor, weight: Tensor, labels: Tensor, bias: Tensor | None = None, soft_cap: float | None = None
) -> Tensor:
    """Return the cross-entropy in nats, summed over positions.

    Under autocast the matrix products run in its type.

    Args:
        hidden: (n, d) states at the positions whose next token is supervised.
        weight: (v, d) the head's weight, tied or not, frozen or trainable.
        labels: (n,) the next tokens.
        bias: (v,) the head's bias, if it has one.
        soft_cap: logits become ``c · tanh(logits / c)``, as in Gemma 2.

    Returns:
        A scalar in fp32; its gradient reaches ``hidden``, ``weight`` and ``bias`` as they require it.
    """
    dtype = weight.dtype
    if torch.is_autocast_enabled(weight.device.type):
        dtype = torch.get_autocast_dtype(weight.device.type)
    with torch.autocast(weight.device.type, enabled=False):
        low_bias = None if bias is None else bias.to(dtype)
        result: Tensor = _SummedLoss.apply(hidden.to(dtype), weight.to(dtype), low_bias, labels, soft_cap)
    return result


@torch.inference_mode()
def position_losses(
    hidden: Tensor, weight: Tensor, labels: Tensor, bias: Tensor | None = None, soft_cap: float | None = None
) -> Tensor:
    """Return the cross-entropy in nats of each position, (n,) in fp32; see :func:`summed_loss`."""
    losses = torch.empty(len(labels), device=weight.device)
    for start in range(0, len(labels), CHUNK):
        part = slice(start, start + CHUNK)
        low, full = _buffers(len(weight), len(labels[part]), weight.dtype, weight.device)
        _logits(hidden[part].to(weight.dtype), weight, bias, low, full)
        if soft_cap is not None:
            full.div_(soft_cap).tanh_().mul_(soft_cap)
        losses[part] = _losses_in_place(full, labels[part])
    return losses
