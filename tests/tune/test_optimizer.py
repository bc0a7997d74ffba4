from __future__ import annotations

import copy

import pytest
import torch

from polypinch.tune import optimizer as room
from polypinch.tune.optimizer import MasterAdamW

SETTINGS = {"lr": 1e-3, "weight_decay": 0.1}


def weights() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(30, 7), (11,)]
    return [torch.nn.Parameter(torch.randn(shape, generator=generator).bfloat16()) for shape in shapes]


def draw_gradients(params: list[torch.nn.Parameter], step: int) -> None:
    generator = torch.Generator().manual_seed(100 + step)
    for param in params:
        param.grad = torch.randn(param.shape, generator=generator).to(param.dtype)


@pytest.mark.parametrize("size", [8, 1 << 22])
def test_weights_are_the_rounded_ones_of_adamw_in_fp32(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SLICE", size)
    low = weights()
    high = [torch.nn.Parameter(weight.detach().float()) for weight in low]
    ours, theirs = MasterAdamW(low, **SETTINGS), torch.optim.AdamW(high, **SETTINGS, fused=True)
    for step in range(5):
        draw_gradients(low, step)
        for one, other in zip(low, high, strict=True):
            assert one.grad is not None
            other.grad = one.grad.float()
        ours.step()
        theirs.step()
    for one, other in zip(low, high, strict=True):
        torch.testing.assert_close(ours.state[one]["master"], other.detach(), rtol=1e-6, atol=1e-7)
        assert torch.equal(one, ours.state[one]["master"].bfloat16())


def test_updates_too_small_for_bf16_add_up() -> None:
    ours, plain = torch.nn.Parameter(torch.ones(4).bfloat16()), torch.nn.Parameter(torch.ones(4).bfloat16())
    steps = [MasterAdamW([ours], lr=1e-4), torch.optim.AdamW([plain], lr=1e-4, weight_decay=0.0)]
    for _ in range(200):
        for param, step in zip((ours, plain), steps, strict=True):
            param.grad = torch.ones_like(param)
            step.step()
    assert torch.equal(plain, torch.ones(4).bfloat16())
    torch.testing.assert_close(ours.float(), torch.full((4,), 0.98), atol=4e-3, rtol=0)


def test_what_is_saved_continues_bit_for_bit() -> None:
    whole, first = weights(), weights()
    undisturbed, begun = MasterAdamW(whole, **SETTINGS), MasterAdamW(first, **SETTINGS)
    for step in range(3):
        draw_gradients(whole, step)
        draw_gradients(first, step)
        undisturbed.step()
        begun.step()
    second = [torch.nn.Parameter(weight.detach().clone()) for weight in first]
    resumed = MasterAdamW(second, **SETTINGS)
    resumed.load_state_dict(copy.deepcopy(begun.state_dict()))
    for step in range(3, 6):
        draw_gradients(whole, step)
        draw_gradients(second, step)
        undisturbed.step()
        resumed.step()
    for one, other in zip(whole, second, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(undisturbed.state[one]["master"], resumed.state[other]["master"])
