"""Token counts of rows, as the mixture needs them; the chat room supplies the counter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from polypinch.conversation import Messages


class TokenCount(NamedTuple):
    """One row's size in tokens, after truncation."""

    tokens: int
    supervised_tokens: int
    truncated: bool


Counter = Callable[[Sequence[Messages]], Iterable[TokenCount]]
"""Counts rows: n conversations in, n counts out, in order; one that cannot be counted raises at its turn."""
