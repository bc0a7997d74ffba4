from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForCausalLM

from polypinch.errors import PinchError
from polypinch.models.attention import SEGMENTED, Segments, segment_attention, segmented
from tests.tiny import tiny_model


def by_hand(query, key, value, lengths, window, softcap):  # type: ignore[no-untyped-def]
    """One score matrix over everything, with a mask that says who sees whom."""
    owner = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    place = torch.arange(len(owner))
    seen = (owner[:, None] == owner) & (place[:, None] >= place)
    if window is not None:
        seen &= place[:, None] - place < window
    groups = query.shape[1] // key.shape[1]
    key, value = (states.repeat_interleave(groups, 1) for states in (key, value))
    scores = query @ key.transpose(-1, -2) * 0.3
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    return (scores.masked_fill(~seen, -torch.inf).softmax(-1) @ value).transpose(1, 2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=5),
    st.sampled_from([(4, 4), (4, 2), (4, 1)]),
    st.sampled_from([None, 1, 4, 16]),
    st.sampled_from([None, 2.0]),
)
def test_each_row_sees_itself_alone(
    lengths: list[int], heads: tuple[int, int], window: int | None, softcap: float | None
) -> None:
    generator = torch.Generator().manual_seed(sum(lengths))
    query, key, value = (
        torch.randn(1, n, sum(lengths), 8, generator=generator, requires_grad=True)
        for n in (heads[0], heads[1], heads[1])
    )
    found, _ = segment_attention(
        torch.nn.Module(), query, key, value, None, 0.3, 0.0, window, softcap, Segments.of(lengths)
    )
    expected = by_hand(query, key, value, lengths, window, softcap)
    torch.testing.assert_close(found, expected)
    weights = torch.randn(found.shape, generator=generator)
    for one, other in zip(
        torch.autograd.grad((found * weights).sum(), (query, key, value)),
        torch.autograd.grad((expected * weights).sum(), (query, key, value)),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_model_attends_as_before_afterwards(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path))
    before = model.config._attn_implementation
    ids = torch.randint(6, 400, (2, 9))
    alone = model(ids).logits
    with segmented(model):
        assert model.config._attn_implementation == SEGMENTED
        with segmented(model):
            pass
        assert model.config._attn_implementation == SEGMENTED
    assert model.config._attn_implementation == before
    torch.testing.assert_close(model(ids).logits, alone)


def test_a_model_that_does_not_pass_the_segments_on_is_refused_not_mixed(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path))
    with segmented(model), pytest.raises(PinchError, match="rows laid end to end"):
        model(torch.randint(6, 400, (1, 9)))


def test_recurrent_layers_are_refused() -> None:
    config = AutoConfig.for_model(
        "lfm2",
        vocab_size=64,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        layer_types=["conv", "full_attention"],
    )
    model = AutoModelForCausalLM.from_config(config)
    with pytest.raises(PinchError, match="layers of type conv"), segmented(model):
        pass
