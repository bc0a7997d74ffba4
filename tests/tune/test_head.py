from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from polypinch.tune.head import CHUNK, position_losses, summed_loss


def exact(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    labels: torch.Tensor,
    bias: torch.Tensor | None,
    cap: float | None,
) -> torch.Tensor:
    logits = functional.linear(hidden, weight, bias).float()
    if cap is not None:
        logits = cap * torch.tanh(logits / cap)
    return functional.cross_entropy(logits, labels, reduction="sum")


@pytest.mark.parametrize("cap", [None, 5.0])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("n", [1, CHUNK, CHUNK + 1, 3 * CHUNK - 7])
def test_loss_and_gradients_are_the_exact_ones(n: int, with_bias: bool, cap: float | None) -> None:
    torch.manual_seed(n)
    hidden = torch.randn(n, 16, requires_grad=True)
    weight = torch.randn(50, 16, requires_grad=True)
    bias = torch.randn(50, requires_grad=True) if with_bias else None
    labels = torch.randint(0, 50, (n,))
    leaves = [leaf for leaf in (hidden, weight, bias) if leaf is not None]
    ours = summed_loss(hidden, weight, labels, bias, cap)
    theirs = exact(hidden, weight, labels, bias, cap)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-3)
    for mine, other in zip(
        torch.autograd.grad(ours * 0.37, leaves), torch.autograd.grad(theirs * 0.37, leaves), strict=True
    ):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        position_losses(hidden.detach(), weight.detach(), labels, bias, cap).sum(), theirs
    )


def test_a_frozen_head_gets_no_gradient() -> None:
    hidden = torch.randn(5, 8, requires_grad=True)
    weight = torch.randn(20, 8)
    summed_loss(hidden, weight, torch.arange(5)).backward()
    assert hidden.grad is not None
    assert weight.grad is None


def test_bf16_weights_give_the_gradient_of_rare_tokens_within_their_precision() -> None:
    torch.manual_seed(0)
    hidden, weight = torch.randn(200, 64), torch.randn(3000, 64) / 8
    labels = torch.randint(2900, 3000, (200,))
    low = hidden.bfloat16().requires_grad_()
    summed_loss(low, weight.bfloat16(), labels).backward()
    high = hidden.double().requires_grad_()
    functional.cross_entropy(functional.linear(high, weight.double()), labels, reduction="sum").backward()
    assert low.grad is not None
    assert high.grad is not None
    agreement = functional.cosine_similarity(low.grad.double(), high.grad, dim=1)
    assert agreement.min() > 0.999


def test_measuring_between_training_steps_disturbs_neither() -> None:
    torch.manual_seed(1)
    hidden, weight, labels = torch.randn(9, 8), torch.randn(31, 8), torch.randint(0, 31, (9,))
    before = position_losses(hidden, weight, labels)
    leaf = hidden.clone().requires_grad_()
    summed_loss(leaf, weight, labels).backward()
    torch.testing.assert_close(position_losses(hidden, weight, labels), before)
    assert leaf.grad is not None


@pytest.mark.parametrize("cap", [None, 500.0])
def test_a_token_whose_probability_underflows_has_its_exact_loss(cap: float | None) -> None:
    hidden, weight = torch.tensor([[1.0], [200.0], [1.0]]), torch.tensor([[1.0], [-1.0], [0.5]])
    labels = torch.tensor([0, 1, 1])
    logits = functional.linear(hidden.double(), weight.double())
    if cap is not None:
        logits = cap * torch.tanh(logits / cap)
    expected = functional.cross_entropy(logits, labels, reduction="none")
    assert expected[1] > 300
    found = position_losses(hidden, weight, labels, soft_cap=cap)
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=1e-6)
