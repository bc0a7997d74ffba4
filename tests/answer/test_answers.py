from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from polypinch.answer import Completion, Sampling, TransformersEngine, answer
from polypinch.answer.answers import batches
from polypinch.answer.engine import completion
from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.models.finding import find_model
from polypinch.pool.table import POOL_SCHEMA
from polypinch.tune import load_tuned
from tests.pools import row
from tests.tiny import tiny_model, tiny_tokenizer

ROWS = pa.Table.from_pylist([row(f"i{index}" + "x" * index, "en") for index in range(7)], schema=POOL_SCHEMA)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> tuple[TransformersEngine, ChatFormat]:
    model = find_model(tiny_model(tmp_path_factory.mktemp("model")))
    chat = ChatFormat.load(model)
    return TransformersEngine(load_tuned(model, None, "fp32"), chat), chat


class Faulty:
    """An engine that answers, and dies at a given batch."""

    name = "faulty"

    def __init__(self, dies_at: int | None = None) -> None:
        self.calls, self.dies_at = 0, dies_at

    def complete(self, prompts: Sequence[list[int]], sampling: Sampling, seed: int) -> list[Completion]:
        self.calls += 1
        if self.calls - 1 == self.dies_at:
            raise KeyboardInterrupt
        return [Completion(f"{len(prompt)}/{seed}", "stop", len(prompt), 3) for prompt in prompts]


def test_batching_does_not_change_greedy_answers(
    engine: tuple[TransformersEngine, ChatFormat], tmp_path: Path
) -> None:
    texts = []
    for name, tokens in (("one", 1), ("all", 100_000)):
        sampling = Sampling(max_new_tokens=12, batch_tokens=tokens, precision="fp32")
        (tmp_path / name).mkdir()
        texts.append(answer(ROWS, *engine, sampling, tmp_path / name)["text"].to_pylist())
    assert texts[0] == texts[1]
    assert any(texts[0])


def test_an_answer_stops_at_its_end_of_turn_and_says_so(
    engine: tuple[TransformersEngine, ChatFormat],
) -> None:
    chat = engine[1]
    stop = chat.stop_ids[0]
    ended = completion(chat, [50, 51, stop, 60, 0, 0], 9)
    assert (ended.finish_reason, ended.completion_tokens) == ("stop", 3)
    assert ended.text == chat.tokenizer.decode([50, 51]).strip()
    assert completion(chat, [50, 51], 9).finish_reason == "length"


def test_sampling_is_seeded(engine: tuple[TransformersEngine, ChatFormat], tmp_path: Path) -> None:
    def draw(name: str, seed: int) -> list[str]:
        (tmp_path / name).mkdir()
        sampling = Sampling(
            max_new_tokens=8, temperature=1.0, top_p=0.95, samples=2, seed=seed, precision="fp32"
        )
        torch.rand(3)  # whatever was drawn before must not matter
        table = answer(ROWS, *engine, sampling, tmp_path / name)
        assert table["sample"].to_pylist() == [0, 1] * ROWS.num_rows
        return list(table["text"].to_pylist())

    assert draw("a", 1) == draw("b", 1)
    assert draw("c", 2) != draw("d", 3)


@pytest.mark.parametrize("dies_at", [0, 1, 3])
def test_stopped_in_the_middle_it_draws_only_what_is_missing(tmp_path: Path, dies_at: int) -> None:
    chat = ChatFormat(tiny_tokenizer())
    sampling = Sampling(max_new_tokens=8, batch_tokens=80)
    whole = Faulty()
    (tmp_path / "whole").mkdir()
    expected = answer(ROWS, whole, chat, sampling, tmp_path / "whole")
    assert whole.calls > 3
    with pytest.raises(KeyboardInterrupt):
        answer(ROWS, Faulty(dies_at), chat, sampling, tmp_path)
    rest = Faulty()
    assert answer(ROWS, rest, chat, sampling, tmp_path).equals(expected)
    assert rest.calls == whole.calls - dies_at


def test_the_reference_answer_is_not_shown_to_the_model(tmp_path: Path) -> None:
    chat = ChatFormat(tiny_tokenizer())
    table = answer(ROWS, Faulty(), chat, Sampling(), tmp_path)
    for text, messages in zip(table["text"].to_pylist(), ROWS["messages"].to_pylist(), strict=True):
        assert text.startswith(f"{len(chat.encode_prompt(messages[:1]))}/")


def test_several_samples_need_a_temperature(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="set a temperature"):
        answer(ROWS, Faulty(), ChatFormat(tiny_tokenizer()), Sampling(samples=2), tmp_path)


def test_nothing_to_answer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="no prompt"):
        answer(ROWS.slice(0, 0), Faulty(), ChatFormat(tiny_tokenizer()), Sampling(), tmp_path)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=40), st.integers(1, 2000), st.integers(1, 3))
def test_batches_hold_every_request_once_under_the_budget(
    lengths: list[int], budget: int, samples: int
) -> None:
    sampling = Sampling(max_new_tokens=20, batch_tokens=budget, samples=samples, temperature=1.0)
    groups = batches(lengths, sampling)
    drawn = sorted((request.row, request.sample) for group in groups for request in group)
    assert drawn == [(row, sample) for row in range(len(lengths)) for sample in range(samples)]
    for group in groups:
        widest = max(request.tokens for request in group) + 20
        assert len(group) == 1 or widest * len(group) <= budget
