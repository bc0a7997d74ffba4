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
# Bytes of fp32 probabilities at a time on a CPU: they stay in its cache, where passes over them cost little.
_BLOCK_BYTES = 4 << 20

# Below, fp32 loses digits.
_UNDERFLOW = 1e-30


@lru_cache(maxsize=4)
def _scratch(use: str, rows: int, columns: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    # Fresh pages for hundreds of megabytes per chunk cost a CPU as much as the product itself. One buffer
    # serves both training and inference mode, so it must not belong to the latter.
    with torch.inference_mode(False):
        return torch.empty(rows, columns, dtype=dtype, device=device)


def _logits(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return a chunk's logits in the weights' type, in the buffer that the next chunk overwrites."""
    logits = _scratch("logits", CHUNK, len(weight), weight.dtype, weight.device)[: len(hidden)]
    if bias is None:
        torch.mm(hidden, weight.T, out=logits)
    else:
        torch.addmm(bias, hidden, weight.T, out=logits)
    return logits


def _losses(logits: Tensor, labels: Tensor, soft_cap: float | None, gradient: bool) -> Tensor:
    """Return each row's cross-entropy in fp32; with ``gradient``, turn the logits into theirs in place."""
    n, columns = logits.shape
    losses = torch.empty(n, device=logits.device)
    block = n if logits.is_cuda else max(1, _BLOCK_BYTES // (4 * columns))
    full = _scratch("probabilities", min(block, CHUNK), columns, torch.float32, logits.device)
    for start in range(0, n, block):
        part, chosen = logits[start : start + block], labels[start : start + block, None]
        # Each pass is in place, over numbers that the cache still holds.
        wide = full[: len(part)].copy_(part)
        slope = None
        if soft_cap is not None:
            wide.div_(soft_cap).tanh_()
            slope = 1 - wide**2 if gradient else None
            wide.mul_(soft_cap)
        probabilities = torch.softmax(wide, -1, out=wide)
        losses[start : start + block] = _minus_log(probabilities, part, chosen, soft_cap)
        if not gradient:
            continue
        probabilities.scatter_add_(-1, chosen, probabilities.new_full((len(part), 1), -1.0))
        if slope is not None:
            probabilities.mul_(slope)
        part.copy_(probabilities)
    return losses


def _minus_log(probabilities: Tensor, logits: Tensor, chosen: Tensor, soft_cap: float | None) -> Tensor:
    """Return minus the logarithm of the chosen probabilities, (n,), where they have underflown too."""
    of_chosen = probabilities.gather(-1, chosen)[:, 0]
    if not logits.is_cuda and float(of_chosen.min()) > _UNDERFLOW:
        return -of_chosen.log()
    # The greatest probability never underflows, so it gives the normaliser exactly.
    greatest, where = probabilities.max(-1, keepdim=True)
    of_both = logits.gather(-1, torch.cat([where, chosen], -1)).float()
    if soft_cap is not None:
        of_both = of_both.div_(soft_cap).tanh_().mul_(soft_cap)
    return of_both[:, 0] - greatest[:, 0].log() - of_both[:, 1]


class _SummedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, soft_cap: float | None
    ) -> Tensor:
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        grad_hidden = torch.empty_like(hidden) if needs_hidden else None
        grad_weight = torch.zeros_like(weight) if needs_weight else None
        grad_bias = torch.zeros_like(bias, dtype=torch.float32) if needs_bias and bias is not None else None
        needed = needs_hidden or needs_weight or needs_bias
        for start in range(0, len(labels), CHUNK):
            part = slice(start, start + CHUNK)
            logits = _logits(hidden[part], weight, bias)
            total += _losses(logits, labels[part], soft_cap, gradient=needed).sum()
            if grad_bias is not None:
                grad_bias += logits.sum(0, dtype=torch.float32)
            if grad_hidden is not None:
                torch.mm(logits, weight, out=grad_hidden[part])
            if grad_weight is not None:
                # A chunk is summed in fp32, the few chunks of a micro-batch in the weights' type, as
                # micro-batches are: passes over a gradient in fp32 take as long as the product.
                grad_weight.addmm_(logits.T, hidden[part], beta=min(start, 1))
        ctx.save_for_backward(
            grad_hidden,
            grad_weight,
            grad_bias.to(bias.dtype) if grad_bias is not None and bias is not None else None,
        )
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        scale = grads[0]
        # In place, as a trainable head's gradient is as large as the head: no second copy of it.
        scaled = [None if saved is None else saved.mul_(scale) for saved in ctx.saved_tensors]
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
        logits = _logits(hidden[part].to(weight.dtype), weight, bias)
        losses[part] = _losses(logits, labels[part], soft_cap, gradient=False)
    return losses
