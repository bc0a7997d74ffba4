from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

from polypinch.answer import Sampling, TransformersEngine
from polypinch.answer.decode import decodable, decode
from polypinch.answer.draw import draw
from polypinch.chat import ChatFormat
from tests.tiny import KINDS, tiny_model, tiny_tokenizer

NEW = 24


def load(folder: Path, kind: str) -> Any:
    return AutoModelForCausalLM.from_pretrained(tiny_model(folder, kind), dtype=torch.float32).eval()


def prompts(lengths: tuple[int, ...] = (3, 40, 9, 1, 25, 17, 60)) -> list[list[int]]:
    """Some are longer than the tiny models' window of 16, and some become so while being answered."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(6, 480, (length,), generator=generator).tolist() for length in lengths]


def generated(model: Any, prompt: list[int]) -> list[int]:
    """What generate() answers to one prompt alone, stopped by nothing."""
    model.generation_config = GenerationConfig()
    config = GenerationConfig(max_new_tokens=NEW, do_sample=False, pad_token_id=0)
    ids = torch.tensor([prompt])
    drawn = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
    return list(drawn[0, len(prompt) :].tolist())


def until(tokens: list[int], stops: set[int]) -> list[int]:
    end = next((index for index, token in enumerate(tokens) if token in stops), len(tokens))
    return tokens[: end + 1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", [1024, 30])
def test_greedy_answers_are_those_of_generate_row_by_row(
    tmp_path: Path, kind: str, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polypinch.answer.decode._READ", read)
    model = load(tmp_path, kind)
    assert decodable(model)
    whole = [generated(model, prompt) for prompt in prompts()]
    sampling = Sampling(max_new_tokens=NEW)
    assert decode(model, prompts(), sampling, 0, set()) == whole
    # Rows end at different times, in the middle of the batch and at its end, and one at once.
    stops = {whole[0][5], whole[2][0], whole[4][11]}
    expected = [until(tokens, stops) for tokens in whole]
    assert len({len(tokens) for tokens in expected}) >= 3
    assert decode(model, prompts(), sampling, 0, stops) == expected


def test_a_short_prompt_beside_a_very_long_one_is_answered_as_alone(tmp_path: Path) -> None:
    # More columns stand empty before it than the fused attention takes at a time.
    model = load(tmp_path, "llama")
    both = prompts((700, 2))
    sampling = Sampling(max_new_tokens=6)
    assert decode(model, both, sampling, 0, ()) == [generated(model, prompt)[:6] for prompt in both]


def test_a_model_attends_as_before_afterwards(tmp_path: Path) -> None:
    model = load(tmp_path, "llama")
    before = model.config._attn_implementation
    decode(model, prompts(), Sampling(max_new_tokens=2), 0, set())
    assert model.config._attn_implementation == before


def test_sampling_is_seeded_and_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    model = load(tmp_path, "qwen3")
    sampling = Sampling(max_new_tokens=8, temperature=1.5, top_p=0.95)
    state = torch.get_rng_state()
    first = decode(model, prompts(), sampling, 7, {50})
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    assert decode(model, prompts(), sampling, 7, {50}) == first
    assert decode(model, prompts(), sampling, 8, {50}) != first


@pytest.mark.parametrize("columns", [600, 1024])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_greedy_takes_the_first_of_the_likeliest(columns: int, dtype: torch.dtype) -> None:
    # Few values, so that every row has its maximum in many places.
    logits = torch.randint(0, 4, (50, columns), generator=torch.Generator().manual_seed(0)).to(dtype)
    logits[0, 300:302] = 9
    found = draw(logits, Sampling(), torch.Generator())
    expected = [row.index(max(row)) for row in logits.tolist()]
    assert found.tolist() == expected


@pytest.mark.parametrize("usual", [2, 1024])
@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (1.0, 0.7), (0.5, 0.95), (2.0, 0.01)])
def test_tokens_are_drawn_from_the_nucleus_in_its_proportions(
    temperature: float, top_p: float, usual: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polypinch.answer.draw._USUAL", usual)
    logits = torch.tensor([2.0, 0.5, 1.5, -1.0, 0.0, -3.0])
    every = (logits / temperature).softmax(-1).tolist()
    nucleus: list[int] = []
    for token in sorted(range(6), key=lambda index: -every[index]):
        if sum(every[index] for index in nucleus) < top_p:
            nucleus.append(token)
    mass = sum(every[index] for index in nucleus)
    expected = torch.tensor([every[token] / mass if token in nucleus else 0.0 for token in range(6)])
    sampling = Sampling(temperature=temperature, top_p=top_p)
    drawn = draw(logits.expand(40_000, -1), sampling, torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=6) / len(drawn)
    assert bool((shares[expected == 0] == 0).all())
    torch.testing.assert_close(shares, expected, rtol=0, atol=0.012)


def test_a_model_that_the_loop_does_not_know_is_answered_by_generate() -> None:
    torch.manual_seed(0)
    shared = {"vocab_size": 600, "hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    config = AutoConfig.for_model(
        "lfm2", **shared, num_hidden_layers=2, num_key_value_heads=1, layer_types=["conv", "full_attention"]
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    assert not decodable(model)
    engine = TransformersEngine(model, ChatFormat(tiny_tokenizer()))
    found = engine.complete(prompts((5, 9)), Sampling(max_new_tokens=4), 0)
    assert [completion.prompt_tokens for completion in found] == [5, 9]


def test_a_model_whose_logits_are_scaled_is_not_taken_for_one_whose_are_not() -> None:
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "cohere",
        vocab_size=600,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        logit_scale=0.25,
    )
    assert not decodable(AutoModelForCausalLM.from_config(config).eval())
