"""The pool's table: its columns, and small helpers over one row's messages."""

from __future__ import annotations

from typing import TypedDict

import pyarrow as pa

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))

POOL_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("messages", MESSAGES),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("origin", pa.string()),
        ("split", pa.string()),
    ]
)
"""One row per (item, language). ``origin``: native, translated or model; ``split``: train or heldout."""

SPLITS = ("train", "heldout")
ORIGINS = ("native", "translated", "model")
ROLES = ("system", "user", "assistant")


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
