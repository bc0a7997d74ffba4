"""Errors that translators make, planted in good translations."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from polypinch.translate import marks

Turns = Sequence[str]
Row = tuple[Turns, Turns]
"""The English turns, and their translation."""

_DIGITS = re.compile(r"[0-9٠-٩०-९]")
_CODE = "\n\n```\nwhile x > 3:\n    x = x - 1\n```"
_MARKUP = "\n\n- A\n- B\n- C"


def with_code(row: Row) -> Row:
    """Let a row hold a block of code."""
    return (*row[0][:-1], row[0][-1] + _CODE), (*row[1][:-1], row[1][-1] + _CODE)


def with_list(row: Row) -> Row:
    """Let a row hold a list."""
    return (*row[0][:-1], row[0][-1] + _MARKUP), (*row[1][:-1], row[1][-1] + _MARKUP)


def has_number(row: Row) -> bool:
    """Whether there is a number to lose."""
    return any(marks(turn).numbers for turn in row[0])


def lose_number(turns: Turns, source: Turns) -> Turns:
    """Leave out every digit of the first turn with a number that must be kept."""
    place = next(index for index, turn in enumerate(source) if marks(turn).numbers)
    return tuple(_DIGITS.sub("", turn) if index == place else turn for index, turn in enumerate(turns))


def cut(turns: Turns, source: Turns) -> Turns:
    """End the last turn in the middle."""
    return (*turns[:-1], turns[-1][: len(turns[-1]) // 2])


def can_be_cut(row: Row) -> bool:
    """Whether what is left of the last turn is not perhaps the whole of a short one."""
    return len(row[0][-1]) >= 40


ERRORS: dict[str, Callable[[Turns, Turns], Turns]] = {
    "cut": cut,
    "preface": lambda turns, _: (*turns[:-1], f"Here is the translation:\n\n{turns[-1]}"),
    "lost number": lose_number,
    "lost code": lambda turns, _: (*turns[:-1], turns[-1].replace(_CODE, "")),
    "swapped": lambda turns, _: (turns[1], turns[0]),
    "copied": lambda turns, source: source,
    "refusal": lambda turns, _: (*turns[:-1], "I'm sorry, but I can't help with that."),
    "doubled": lambda turns, _: (*turns[:-1], f"{turns[-1]}\n\n{turns[-1]}"),
    "markup lost": lambda turns, _: (*turns[:-1], turns[-1].replace(_MARKUP, " A, B, C.")),
    "empty": lambda turns, _: (*turns[:-1], ""),
}
"""By name: what a translator makes of a good translation and its source. Two more need other languages' rows:
a wrong language, and another script."""


def drawn(count: int, keys: Sequence[tuple[str, str]], seed: int = 0) -> list[tuple[str, str]]:
    """Draw items and languages."""
    return random.Random(seed).sample(list(keys), count)
