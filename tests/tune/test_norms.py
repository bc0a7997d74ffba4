from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from polypinch.chat import Encoded
from polypinch.models.attention import segmented
from polypinch.tune.batches import flatten
from polypinch.tune.loss import batch_loss
from polypinch.tune.memory import saved_bytes
from polypinch.tune.norms import lean_norms
from tests.tiny import KINDS, tiny_model

BATCH = flatten([Encoded.of(list(range(6, 6 + n)), [True] * n) for n in (9, 30)])


def norms(model: torch.nn.Module) -> list[torch.nn.Module]:
    return [module for module in model.modules() if type(module).__name__.endswith("RMSNorm")]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_losses_and_gradients_are_the_models_own_and_less_is_kept(tmp_path: Path, kind: str) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path, kind), dtype=torch.float32)
    body = model.get_decoder()
    found = {}
    kept = {}
    with segmented(model):
        for lean in (False, True):
            model.zero_grad()
            with lean_norms(body, lean):
                assert all(("forward" in vars(norm)) == lean for norm in norms(model))
                kept[lean] = saved_bytes(model, BATCH)
                loss = batch_loss(model, BATCH)
                loss.backward()
            found[lean] = [loss.detach(), *(weight.grad.clone() for weight in model.parameters())]
    assert not any("forward" in vars(norm) for norm in norms(model))
    assert kept[True] < kept[False]
    for one, other in zip(found[True], found[False], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_bf16_rounds_no_more_than_the_models_own(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path), dtype=torch.bfloat16)
    norm = model.get_decoder().layers[0].input_layernorm
    x = torch.randn(40, 32, generator=torch.Generator().manual_seed(1))
    grads = {}
    for lean in (False, True):
        leaf = x.bfloat16().requires_grad_()
        with lean_norms(model, lean):
            norm(leaf).square().sum().backward()
        grads[lean] = leaf.grad
    exact = x.bfloat16().double().requires_grad_()
    unit = exact * torch.rsqrt(exact.square().mean(-1, keepdim=True) + norm.eps)
    (unit * (1 + norm.weight.double())).square().sum().backward()
    errors = {lean: (grad.double() - exact.grad).abs().mean() for lean, grad in grads.items()}
    assert errors[True] <= 1.1 * errors[False]


def test_a_norm_of_another_formula_is_left_alone() -> None:
    class CubedRMSNorm(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.eps = torch.nn.Parameter(torch.ones(8)), 1e-6

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.weight * x**3 * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps)

    norm = CubedRMSNorm()
    with lean_norms(norm):
        assert "forward" not in vars(norm)
