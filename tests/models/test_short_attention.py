from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from polypinch.models.attention import Segments, segment_attention
from polypinch.models.short_attention import is_short, short_attention


def states(t: int, heads: int, shared: int, width: int, dtype: torch.dtype) -> list[Tensor]:
    """Return query, key and value as a model's projections leave them: token by token."""
    generator = torch.Generator().manual_seed(t)
    return [
        torch.randn(t, n, width, generator=generator).to(dtype).transpose(0, 1).requires_grad_()
        for n in (heads, shared, shared)
    ]


def fused(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    return scaled_dot_product_attention(
        query[None], key[None], value[None], is_causal=True, scale=scale, enable_gqa=True
    )[0]


@pytest.mark.parametrize(("heads", "shared", "width"), [(4, 1, 256), (8, 2, 64), (3, 3, 16)])
@pytest.mark.parametrize("t", [1, 7, 100, 300])
def test_bf16_gradients_are_as_near_to_the_exact_ones_as_the_fused_ones(
    t: int, heads: int, shared: int, width: int
) -> None:
    low = states(t, heads, shared, width, torch.bfloat16)
    high = [state.detach().double().requires_grad_() for state in low]
    weights = torch.randn(heads, t, width, generator=torch.Generator().manual_seed(1))
    scale = width**-0.5
    exact_out = fused(*high, scale)
    exact = torch.autograd.grad(exact_out, high, weights.double())
    ours_out, fused_out = short_attention(*low, scale, None), fused(*low, scale)
    assert (ours_out.double() - exact_out).norm() <= 0.005 * exact_out.norm()
    ours = torch.autograd.grad(ours_out, low, weights.bfloat16())
    theirs = torch.autograd.grad(fused_out, low, weights.bfloat16())
    size = max(gradient.norm() for gradient in exact)
    for mine, other, truth in zip(ours, theirs, exact, strict=True):
        error, allowed = (mine.double() - truth).norm(), (other.double() - truth).norm()
        assert error <= 2 * allowed + 1e-5 * size


def test_gradients_can_be_asked_for_twice() -> None:
    query, key, value = states(9, 4, 2, 8, torch.float32)
    out = short_attention(query, key, value, 0.3, 4)
    first = torch.autograd.grad(out.sum(), (query, key, value), retain_graph=True)
    again = torch.autograd.grad(out.sum(), (query, key, value))
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one, other)


def test_short_and_long_rows_of_one_batch_agree_with_what_is_measured_without_gradients() -> None:
    lengths = [3, 600, 400]
    query, key, value = (state[None] for state in states(sum(lengths), 4, 2, 8, torch.float32))
    assert [is_short(query[0, :, :length]) for length in lengths] == [True, False, True]

    def attended(window: int | None) -> Tensor:
        return segment_attention(
            torch.nn.Module(), query, key, value, None, 0.3, 0.0, window, None, Segments.of(lengths)
        )[0]

    for window in (None, 50):
        tuned = attended(window)
        with torch.no_grad():
            torch.testing.assert_close(tuned, attended(window))
