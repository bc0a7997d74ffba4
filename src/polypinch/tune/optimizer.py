"""AdamW for weights in bf16: what it adds up is kept in fp32.

An update of AdamW is about 1e-5 of a weight, and bf16 holds three digits: added to a bf16 weight it would
vanish. The usual way, fp32 weights under autocast, casts each weight at each use and keeps activations in
fp32 where no matrix product makes them. Here the model is bf16 and an fp32 copy of its weights lives beside
the moments (mixed-precision training's master weights, Micikevicius et al. 2018, arXiv 1710.03740).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

# Elements at a time on a CPU: little beside the weights, and much beside what starting its threads costs.
_SLICE = 1 << 22


class MasterAdamW(torch.optim.Optimizer):
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) with fp32 master weights and moments.

    Args:
        params: weights or groups of them, in bf16.
        lr: the learning rate.
        betas: how fast the moments forget.
        eps: added to the root of the second moment.
        weight_decay: times ``lr``, the share that a weight loses per step.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take one step with the gradients that are there."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["step"] = torch.zeros((), dtype=torch.float32, device=weight.device)
                    state["master"] = weight.float()
                    state["exp_avg"] = torch.zeros_like(state["master"])
                    state["exp_avg_sq"] = torch.zeros_like(state["master"])
                _update(weight, weight.grad, state, group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what :meth:`state_dict` gave, in fp32: torch would cast it to the weights' type."""
        super().load_state_dict(state_dict)
        weights = [weight for group in self.param_groups for weight in group["params"]]
        for number, saved in state_dict["state"].items():
            weight = weights[number]
            self.state[weight] = {name: value.to(weight.device) for name, value in saved.items()}


def _update(weight: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
    moving = (weight, grad, state["master"], state["exp_avg"], state["exp_avg_sq"])
    flat = [tensor.view(-1) if tensor is not grad else grad.reshape(-1) for tensor in moving]
    size = _SLICE if weight.device.type == "cpu" else weight.numel()
    begun = state["step"].clone()
    for parts in zip(*(tensor.split(size) for tensor in flat), strict=True):
        low, low_grad, master, first, second = parts
        state["step"].copy_(begun)
        adamw(
            [master],
            [low_grad.float()],
            [first],
            [second],
            [],
            [state["step"]],
            fused=weight.device.type != "mps",
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
        low.copy_(master)
