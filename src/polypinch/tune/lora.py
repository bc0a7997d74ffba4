"""peft's LoRA layer with its products in the base weights' type and one backward pass of its own.

peft multiplies in the adapters' fp32: it casts every input up and keeps that copy for the backward pass,
and products with a dimension of 16 run at a hundredth of a CPU's peak in fp32. Here adapters stay fp32
parameters, as the optimiser needs them, and are cast down when they multiply, as under autocast. With base
weights in fp32 nothing is cast and the results are peft's. What is saved loads everywhere as any LoRA
adapter does.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora.layer import Linear as PeftLinear
from torch import Tensor


class _LoraLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, down: Tensor, up: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        narrow = flat @ down.T
        out = flat @ weight.T if bias is None else torch.addmm(bias, flat, weight.T)
        out.addmm_(narrow, up.T, alpha=scale)
        ctx.save_for_backward(flat, narrow, weight, down, up)
        ctx.scale, ctx.shape = scale, x.shape
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        flat, narrow, weight, down, up = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1])
        grad_narrow = (grad @ up).mul_(ctx.scale)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad @ weight).addmm_(grad_narrow, down).view(ctx.shape)
        grad_down = grad_narrow.T @ flat
        # Of the two ways to multiply, this one reads both long matrices row by row.
        grad_up = (narrow.T @ grad).mul_(ctx.scale).T
        return grad_x, None, None, grad_down, grad_up, None


class LoraLinear(PeftLinear):
    """A linear layer with one low-rank adapter; register it with ``LoraConfig._register_custom_module``."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Return ``x Wᵀ + s (x Aᵀ) Bᵀ``; (…, inputs) to (…, outputs)."""
        names = self.active_adapters
        plain = (
            len(names) == 1
            and names[0] in self.lora_A
            and names[0] not in self.lora_variant
            and not (self.disable_adapters or self.merged or args or kwargs)
            and isinstance(self.lora_dropout[names[0]], torch.nn.Identity)
        )
        if not plain:
            result: Tensor = super().forward(x, *args, **kwargs)
            return result
        name = names[0]
        base = self.get_base_layer()
        dtype = base.weight.dtype
        result = _LoraLinear.apply(
            x.to(dtype),
            base.weight,
            base.bias,
            self.lora_A[name].weight.to(dtype),
            self.lora_B[name].weight.to(dtype),
            self.scaling[name],
        )
        return result
