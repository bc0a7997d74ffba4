"""What a conversation is: roles that alternate, and the forms in which people write its turns down."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any, TypedDict

from polypinch.decoding import LONGEST_LINE

Turns = list[tuple[str, Any]]
"""A conversation: (role, text) pairs."""

UNEVEN = 0.05
"""Languages whose shares of rows with a system turn differ by more are told."""

ROLES = ("system", "user", "assistant")
NAMES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
}
"""A role by each of its names, in small letters."""

_ROLE_KEYS, _TEXT_KEYS = ("role", "from"), ("content", "value")
_CALLS = ("tool_calls", "function_call")
_TURN_KEYS = frozenset({*_ROLE_KEYS, *_TEXT_KEYS, *_CALLS, "weight", "train", "loss"})


class RowError(ValueError):
    """What is wrong with one row; the caller knows which."""


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


Messages = list[Message]


def instruction(messages: Messages) -> str:
    """Return the first user turn's text."""
    return next((message["content"] for message in messages if message["role"] == "user"), "")


def response(messages: Messages) -> str | None:
    """Return the last assistant turn's text, or ``None`` where there is none."""
    if messages and messages[-1]["role"] == "assistant":
        return messages[-1]["content"]
    return None


def prompt(messages: Messages) -> Messages:
    """Return the messages that a model is asked to answer: all but a final assistant turn."""
    return messages[:-1] if messages and messages[-1]["role"] == "assistant" else messages


def uneven_systems(systems: Mapping[str, int], rows: Mapping[str, int]) -> str | None:
    """Say where system turns are in one language and not in others, which tells a model the language.

    Args:
        systems: by language, how many rows have a system turn.
        rows: by language, how many there are.
    """
    shares = {tag: systems.get(tag, 0) / count for tag, count in rows.items() if count}
    if len(shares) < 2 or max(shares.values()) - min(shares.values()) <= UNEVEN:
        return None
    most, least = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
    return (
        f"a system turn is in {shares[most]:.0%} of the rows in {most} and in {shares[least]:.0%} of those in"
        f" {least}: it marks the language"
    )


def is_missing(value: Any) -> bool:
    """Tell whether a value is none: null, NaN, white space, an empty list, or pandas' text ``nan``."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    if isinstance(value, str):
        return not value.strip() or value in ("nan", "NaN")
    return isinstance(value, list | dict) and not value


def turns_of(value: Any, where: str) -> Turns:
    """Read turns in any of their usual forms: a list of objects, the same as JSON text, a struct of lists.

    Args:
        value: with ``role`` and ``content`` or ``from`` and ``value`` for each turn; a content is a text or
            a list of parts of type text.
        where: the column, for errors.

    Raises:
        RowError: it is none of these, or holds what a conversation can't: calls of tools, other parts than
            text, turns that are not to be trained on.
    """
    listed = _listed(value, where)
    turns: Turns = []
    for number, turn in enumerate(listed, start=1):
        role, text = ([key for key in keys if key in turn] for keys in (_ROLE_KEYS, _TEXT_KEYS))
        if len(role) != 1 or len(text) != 1:
            raise RowError(f"{where}: turn {number} needs role and content, or from and value")
        if any(not is_missing(turn.get(key)) for key in _CALLS):
            raise RowError(f"turn {number} calls tools, which a pool can't hold")
        if any(turn.get(key) == 0 for key in ("weight", "train", "loss")):
            raise RowError(f"turn {number} is marked as not to be trained on, which a pool can't hold")
        turns.append((turn[role[0]], content(turn[text[0]], number)))
    return turns


def content(value: Any, turn: int) -> Any:
    """Return a turn's content as text where it is parts of text.

    Raises:
        RowError: a part is not text.
    """
    if not isinstance(value, list):
        return value
    texts = []
    for part in value:
        kind = part.get("type", "text") if isinstance(part, dict) else type(part).__name__
        text = part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None
        if kind not in ("text", "str", "input_text", "output_text") or not isinstance(text, str):
            raise RowError(f"turn {turn} holds a part of type {kind!r}, only text can be used")
        texts.append(text)
    return "\n".join(texts)


def other_keys(value: Any) -> set[str]:
    """Return the keys of turns, as ``reasoning_content``, that no conversation holds and are not empty."""
    try:
        listed = _listed(value, "")
    except RowError:
        return set()
    return {str(key) for turn in listed for key in turn.keys() - _TURN_KEYS if not is_missing(turn[key])}


def _listed(value: Any, where: str) -> list[dict[str, Any]]:
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") and len(value) < LONGEST_LINE:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise RowError(f"{where} is a text that is not JSON: {error}") from error
    if isinstance(value, dict) and value and all(isinstance(column, list) for column in value.values()):
        lengths = {len(column) for column in value.values()}
        if len(lengths) > 1:
            raise RowError(f"{where} is a struct of lists of different lengths")
        value = [dict(zip(value, cells, strict=True)) for cells in zip(*value.values(), strict=True)]
    if not isinstance(value, list):
        raise RowError(f"{where} is not a list of turns")
    for number, turn in enumerate(value, start=1):
        if not isinstance(turn, dict):
            raise RowError(
                f"{where}: turn {number} is a {type(turn).__name__}, not an object with role and content"
            )
    return value


def role_of(name: Any) -> str | None:
    """Return the role that a name means, or ``None``."""
    return NAMES.get(name.strip().lower()) if isinstance(name, str) else None


def clean(text: Any, turn: int) -> str:
    """Return a turn's text in NFC without white space around it.

    Raises:
        RowError: it is no text, empty, or holds half a surrogate pair.
    """
    if text is None or (isinstance(text, float) and math.isnan(text)):
        raise RowError(f"turn {turn}: missing where text is needed")
    if not isinstance(text, str):
        raise RowError(f"turn {turn}: {type(text).__name__} where text is needed")
    trimmed: str = text.strip()
    if not trimmed:
        raise RowError(f"turn {turn}: empty text")
    if trimmed.isascii():
        return trimmed
    return unicodedata.normalize("NFC", encodable(trimmed, f"turn {turn}"))


def encodable(text: str, where: str) -> str:
    """Return a text that UTF-8 can hold.

    Raises:
        RowError: it holds half a surrogate pair, as cut text does.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RowError(f"{where}: half a surrogate pair at character {error.start + 1}") from error
    return text


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
        known = role_of(role)
        if known is None:
            raise RowError(f"turn {number}: unknown role {role!r}")
        if known == "system" and number == 1:
            if not is_missing(text):
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
