from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.thoughts import TAGS, Said, answer_of, split_thought

PLAIN = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="<[◁"), max_size=30)


@given(PLAIN)
def test_a_text_without_a_thought_is_the_answer_as_it_is(text: str) -> None:
    assert split_thought(text) == Said("", text)


@given(st.sampled_from(TAGS), PLAIN, PLAIN)
def test_a_thought_between_marks_is_told_from_the_answer(
    tags: tuple[str, str], thought: str, answer: str
) -> None:
    opening, closing = tags
    for text in (f"{opening}\n{thought}\n{closing}\n\n{answer}", f" {opening}{thought}{closing}{answer}"):
        assert split_thought(text) == Said(thought.strip(), answer.strip())
    assert split_thought(f"{opening}{thought}") == Said(thought.strip(), "")
    # Opened by the chat template: the model writes the closing mark alone.
    assert answer_of(f"{thought}\n{closing}\n\n{answer}") == answer.strip()


@pytest.mark.parametrize(
    "text",
    [
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Blue.",
        "analysishmassistantfinalBlue.",
        "<|channel|>final<|message|>Blue.",
        "<think>hm</think><think></think>Blue.",
    ],
)
def test_channels_and_several_thoughts(text: str) -> None:
    assert answer_of(text) == "Blue."


@pytest.mark.parametrize(
    "text",
    [
        "A model writes </think> where its thought ends.",
        "Use <think> for thoughts.",
        "analysis of the data shows that",
        "Write:\n<think>\nx\n</think>",
    ],
)
def test_marks_that_are_spoken_of_are_no_thought(text: str) -> None:
    assert split_thought(text) == Said("", text)


def test_endless_marks_are_read_in_linear_time() -> None:
    text = "<think>" * 100_000
    assert split_thought(text).answer == ""
    assert split_thought("<think></think>" * 2_000 + "a").answer == "a"
