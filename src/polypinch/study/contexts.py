"""Whether what a study evaluates its models on fits their contexts; training rows are checked one by one."""

from __future__ import annotations

from polypinch.chat import Problem
from polypinch.conversation import prompt
from polypinch.study.inputs import Inputs


def beyond_contexts(inputs: Inputs) -> list[Problem]:
    """Return what a model could not take in: the longest held-out item or prompt with its answer."""
    problems = []
    shorter = "take the item out, or shorten it"
    answers = inputs.study.answering.max_new_tokens
    asked = [prompt(messages) for messages in inputs.answered["messages"].to_pylist()]
    whole = inputs.heldout["messages"].to_pylist() if inputs.has_references else []
    for name, chat in inputs.chats.items():
        if chat.context is None:
            continue
        prompts = [len(chat.encode_prompt(messages)) + answers for messages in asked]
        texts = [len(row) for row in chat.encode_each(whole)]
        for what, table, counts, fix in (
            ("the prompt and answer of", inputs.answered, prompts, f"{shorter}, or lower max_new_tokens"),
            ("held-out item", inputs.heldout, texts, shorter),
        ):
            tokens = max(counts, default=0)
            if tokens > chat.context:
                at = counts.index(tokens)
                place = f"{table['item_id'][at].as_py()} in {table['language'][at].as_py()}"
                message = f"{what} {place} takes {tokens:,} tokens, and {name} takes in {chat.context:,}"
                problems.append(Problem("error", "heldout", message, fix))
    return problems
