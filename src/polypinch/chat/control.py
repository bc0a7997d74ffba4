"""Control tokens: those of a chat format, and those that stand in people's texts."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from polypinch.conversation import Message, Messages
from polypinch.thoughts import split_thought

# U+FDD0 to U+FDEF are no characters and never will be: no text that is exchanged holds them.
_MARKS = tuple(map(chr, range(0xFDD0, 0xFDF0)))
_SHORTEST = 3  # a token of one or two letters is how a word may begin


class ControlTokens:
    """The tokens that a tokenizer reads as one wherever they stand, and that mean something to a model.

    These are its special tokens, and of the added ones that are not special those that the chat template
    writes or that look like ``<|…|>``. Others that are merely added (runs of spaces, HTML tags) are text.

    Attributes:
        all: their contents.
    """

    def __init__(self, tokenizer: Any, template: str) -> None:
        added = tokenizer.added_tokens_decoder.values()
        special = {*tokenizer.all_special_tokens, *(token.content for token in added if token.special)}
        written = {
            token.content
            for token in added
            if token.content.strip() and (token.content in template or token.content.startswith("<|"))
        }
        self.all = frozenset(filter(None, special | written))
        # Some tokenizers hold thousands of them, but of few lengths.
        self._lengths = sorted({len(token) for token in self.all}, reverse=True)
        firsts = {token[0] for token in self.all if len(token) >= _SHORTEST}
        self._first = re.compile(f"[{re.escape(''.join(sorted(firsts)))}]") if firsts else None

    def at(self, text: str, place: int) -> str | None:
        """Return the longest one that stands at a place of a text."""
        for length in self._lengths:
            token = text[place : place + length]
            if token in self.all and len(token) == length:
                return token
        return None

    def places(self, text: str) -> list[int]:
        """Return where those begin that a text of somebody's holds."""
        return [
            match.start()
            for match in (self._first.finditer(text) if self._first else ())
            if len(self.at(text, match.start()) or "") >= _SHORTEST
        ]

    def within(self, text: str) -> list[str]:
        """Return those that a text of somebody's holds, in order."""
        return [str(self.at(text, place)) for place in self.places(text)]

    def broken(self, messages: Messages) -> tuple[Messages, str | None]:
        """Return a conversation in which no text holds one: a mark stands after the first letter of each.

        Returns:
            The conversation, and the mark; the conversation itself and ``None`` where there is nothing to
            break. The marks around a thought of an answer are left: they are meant.
        """
        if not any(self.places(spoken(message)) for message in messages):
            return messages, None
        everything = "".join(message["content"] for message in messages)
        mark = next(mark for mark in _MARKS if mark not in everything)
        return [self._broken(message, mark) for message in messages], mark

    def _broken(self, message: Message, mark: str) -> Message:
        text = spoken(message)
        head = message["content"][: len(message["content"]) - len(text)]
        cuts = [0, *(place + 1 for place in self.places(text)), len(text)]
        parts = [text[begin:end] for begin, end in pairwise(cuts)]
        return {**message, "content": head + mark.join(parts)}


def spoken(message: Message) -> str:
    """Return a message's text, in an answer without the thought before it."""
    if message["role"] != "assistant":
        return message["content"]
    text = message["content"]
    said = split_thought(text)
    if not said.thought and said.answer == text:
        return text
    # As it stands there, with the space after it.
    return text[text.rindex(said.answer) :] if said.answer else ""
