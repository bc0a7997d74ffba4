"""Whether what a study evaluates its models on fits their contexts; training rows are checked one by one."""

from __future__ import annotations

from collections.abc import Iterator

from polypinch.chat import ChatFormat, Problem
from polypinch.conversation import prompt
from polypinch.study.inputs import Inputs


def beyond_contexts(inputs: Inputs) -> list[Problem]:
    """Return what a model could not take in: a held-out item, or a prompt with its answer."""
    problems = []
    for name, chat in inputs.chats.items():
        room = chat.context
        too_long = (one for one in _put_before(inputs, chat) if room is not None and one[-1] > room)
        for what, item, tag, tokens in too_long:
            message = f"{what} {item} in {tag} takes {tokens:,} tokens, and {name} takes in {room:,}"
            fix = "take the item out, shorten it, or lower answering.max_new_tokens"
            problems.append(Problem("error", "heldout", message, fix))
    return problems


def _put_before(inputs: Inputs, chat: ChatFormat) -> Iterator[tuple[str, str, str, int]]:
    """Yield what is put before a model: what it is, its item, its language, its tokens; the longest first."""
    answers = inputs.study.answering.max_new_tokens
    rows = inputs.answered
    asked = map(prompt, rows["messages"].to_pylist())
    prompts = [len(chat.encode_prompt(messages)) + answers for messages in asked]
    whole = inputs.heldout
    texts = (
        [len(row) for row in chat.encode_each(whole["messages"].to_pylist())] if inputs.has_references else []
    )
    for what, table, counts in (
        ("the prompt and answer of", rows, prompts),
        ("held-out item", whole, texts),
    ):
        if counts:
            at = max(range(len(counts)), key=counts.__getitem__)
            yield what, table["item_id"][at].as_py(), table["language"][at].as_py(), counts[at]
