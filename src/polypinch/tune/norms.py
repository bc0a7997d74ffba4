"""Norms that keep less for the backward pass.

A model's RMS norm, written out in fp32, keeps three or four fp32 copies of its input for autograd. Here it
keeps the input as it came and one number a token, and does the rest twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float, shift: float, late: bool) -> Tensor:
        wide = x.float()
        scale = torch.linalg.vecdot(wide, wide).div_(x.shape[-1]).add_(epsilon).rsqrt_()[..., None]
        ctx.save_for_backward(x, weight, scale)
        ctx.shift = shift
        wide = wide * scale if wide is x else wide.mul_(scale)
        if late:
            return weight * wide.to(x.dtype)
        return wide.mul_(weight.float() + shift).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, scale = ctx.saved_tensors
        unit = x.float() * scale
        grad = grads[0].float()
        needs_x, needs_weight = ctx.needs_input_grad[:2]
        of_weight = None
        if needs_weight:
            of_weight = (grad * unit).flatten(0, -2).sum(0).to(weight.dtype)
        if not needs_x:
            return None, of_weight, None, None, None
        grad = grad * (weight.float() + ctx.shift)
        along = torch.linalg.vecdot(grad, unit).div_(x.shape[-1])[..., None]
        return grad.sub_(unit.mul_(along)).mul_(scale).to(x.dtype), of_weight, None, None, None


def _norm(module: Any, epsilon: float, shift: float, late: bool, x: Tensor) -> Tensor:
    result: Tensor = _RMSNorm.apply(x, module.weight, epsilon, shift, late)
    return result


def _forms(module: Any) -> Iterator[Callable[[Tensor], Tensor]]:
    """Yield what the norm may be: Gemma's, with the weight's distance from 1, or Llama's, cast before it."""
    epsilon = getattr(module, "variance_epsilon", getattr(module, "eps", None))
    if isinstance(epsilon, float) and isinstance(getattr(module, "weight", None), Tensor):
        for shift, late in ((1.0, False), (0.0, True), (0.0, False)):
            yield partial(_norm, module, epsilon, shift, late)


@torch.no_grad()
def _same(module: Any) -> Callable[[Tensor], Tensor] | None:
    """Return the form that gives what the module gives, to the bit or nearly; ``None`` if none does."""
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or weight.dim() != 1:
        return None
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, len(weight), generator=generator).mul_(3).to(weight.device, weight.dtype)
    close = 2 * torch.finfo(x.dtype).eps
    for form in _forms(module):
        if torch.allclose(form(x), module(x), rtol=close, atol=close):
            return form
    return None


@contextmanager
def lean_norms(body: Any, wanted: bool = True) -> Iterator[None]:
    """Let a model's RMS norms keep less; those whose formula is not known stay as they are."""
    changed = []
    for module in body.modules() if wanted else ():
        if type(module).__name__.endswith("RMSNorm") and (form := _same(module)) is not None:
            module.forward = form
            changed.append(module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward
