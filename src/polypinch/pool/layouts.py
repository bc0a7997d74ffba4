"""Turning rows of the usual layouts into conversations."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import takewhile
from typing import Any

from polypinch.errors import PinchError

Row = dict[str, Any]
Turns = list[tuple[str, str]]
"""A conversation: (role, text) pairs."""

_ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
}
_PAIRS = (
    ("instruction", "output"),
    ("instruction", "response"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
)


class RowError(ValueError):
    """What is wrong with one row; the caller knows which."""


def _said(turns: Any, role: str, text: str, where: str) -> Turns:
    if not isinstance(turns, list):
        raise RowError(f"{where} is not a list of turns")
    try:
        return [(turn[role], turn[text]) for turn in turns]
    except (KeyError, TypeError) as error:
        raise RowError(f"{where}: every turn needs {role!r} and {text!r}") from error


def _messages(row: Row) -> Turns:
    return _said(row["messages"], "role", "content", "messages")


def _sharegpt(row: Row) -> Turns:
    turns = _said(row["conversations"], "from", "value", "conversations")
    return [("system", row["system"]), *turns] if row.get("system") else turns


def with_context(instruction: Any, context: Any) -> Any:
    """Return an instruction with its input, if any, after a blank line."""
    return f"{instruction}\n\n{context}" if isinstance(context, str) and context.strip() else instruction


def _alpaca(row: Row) -> Turns:
    answer = row["output"] if "output" in row else row.get("response")
    return _pair(with_context(row["instruction"], row.get("input")), answer)


def _pair(asked: Any, answer: Any) -> Turns:
    """Pair a prompt with a response; an empty or missing response makes a prompt alone."""
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        return [("user", asked)]
    return [("user", asked), ("assistant", answer)]


def _prompt(row: Row) -> Turns:
    for asked, answer in _PAIRS[2:]:
        if asked in row:
            return _pair(row[asked], next((row[key] for key in (answer, "response") if key in row), None))
    raise RowError("there is no prompt or question")


def _fastchat(row: Row) -> Turns:
    """Take FastChat's question: its first turn, since a second one needs an answer to the first."""
    turns = row["turns"] if "turns" in row else [row.get("text")]
    if not isinstance(turns, list) or not turns:
        raise RowError("turns is not a list of texts")
    return [("user", turns[0])]


def with_answers(row: Row, answers: list[str]) -> Turns:
    """Join a FastChat question's turns with the answers to them, up to the first that has none."""
    turns = row["turns"] if "turns" in row else [row.get("text")]
    answered = takewhile(lambda answer: isinstance(answer, str) and answer.strip(), answers)
    pairs = zip(turns, answered, strict=False)
    return [turn for asked, said in pairs for turn in (("user", asked), ("assistant", said))]


LAYOUTS: dict[str, tuple[frozenset[str], Callable[[Row], Turns]]] = {
    "messages": (frozenset({"messages"}), _messages),
    "sharegpt": (frozenset({"conversations"}), _sharegpt),
    "alpaca": (frozenset({"instruction"}), _alpaca),
    "prompt": (frozenset(), _prompt),
    "fastchat": (frozenset({"question_id"}), _fastchat),
}
"""By name: the keys that a row must have, and what turns it into a conversation."""

KNOWN = (
    "messages (role, content); conversations (from, value); instruction, input, output; prompt, completion;"
    " prompt, response; question, answer; question_id with turns or text"
)


def detect_layout(row: Row) -> str:
    """Tell the layout from a first row's keys.

    Raises:
        RowError: none fits.
    """
    if "messages" in row:
        return "messages"
    if "conversations" in row:
        return "sharegpt"
    if "question_id" in row and ("turns" in row or "text" in row):
        return "fastchat"
    if "instruction" in row and ("output" in row or "response" in row):
        return "alpaca"
    if any(asked in row and answer in row for asked, answer in _PAIRS) or set(row) & {"prompt", "question"}:
        return "prompt"
    raise RowError(f"no known layout in the keys {', '.join(map(repr, row)) or '(none)'}")


def converter(layout: str) -> Callable[[Row], Turns]:
    """Return what turns a row of a layout into a conversation; it raises :class:`RowError`.

    Raises:
        PinchError: there is no such layout.
    """
    if layout not in LAYOUTS:
        raise PinchError(f"unknown layout {layout!r}", fix=f"known: {', '.join(LAYOUTS)}")
    needed, convert = LAYOUTS[layout]

    def checked(row: Row) -> Turns:
        if not needed <= row.keys():
            raise RowError(f"layout {layout} needs {', '.join(sorted(needed - row.keys()))}")
        return convert(row)

    return checked


def clean(text: Any, turn: int) -> str:
    """Return a turn's text in NFC without white space around it.

    Raises:
        RowError: it is no text, empty, or holds half a surrogate pair.
    """
    if not isinstance(text, str):
        raise RowError(
            f"turn {turn}: {'missing' if text is None else type(text).__name__} where text is needed"
        )
    trimmed: str = text.strip()
    if not trimmed:
        raise RowError(f"turn {turn}: empty text")
    if trimmed.isascii():
        return trimmed
    try:
        trimmed.encode()
    except UnicodeEncodeError as error:
        raise RowError(f"turn {turn}: half a surrogate pair at character {error.start + 1}") from error
    return unicodedata.normalize("NFC", trimmed)


def conversation(turns: Turns, prompt_alone: bool) -> Turns:
    """Check and clean a conversation: an optional system turn, then user and assistant in turn.

    Args:
        turns: as a layout gave them.
        prompt_alone: whether it may end with the user.

    Raises:
        RowError: a text is missing or empty, a role unknown, or the roles do not alternate.
    """
    cleaned: Turns = []
    expected = "user"
    for number, (role, text) in enumerate(turns, start=1):
        known = _ROLES.get(role) if isinstance(role, str) else None
        if known is None:
            raise RowError(f"turn {number}: unknown role {role!r}")
        if known == "system" and number == 1:
            if isinstance(text, str) and text.strip():
                cleaned.append((known, clean(text, number)))
            continue
        if known != expected:
            raise RowError(
                f"turn {number} is the {known}'s, the {expected}'s was expected: turns have to alternate"
            )
        cleaned.append((known, clean(text, number)))
        expected = "assistant" if known == "user" else "user"
    if not any(role == "user" for role, _ in cleaned):
        raise RowError("a conversation without a turn")
    if cleaned[-1][0] == "user" and not prompt_alone:
        raise RowError("there is no response (prompts alone are taken with --split heldout)")
    return cleaned
