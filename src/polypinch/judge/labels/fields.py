"""Fields of a row of votes, however a file writes them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from polypinch.conversation import RowError

Row = dict[str, Any]


def text(row: Row, name: str) -> str:
    """Return a field that has to be text; a number or truth value (an answer "True", say) becomes text.

    Raises:
        RowError: it is missing or something else.
    """
    value = row.get(name)
    if isinstance(value, bool | int | float):
        return str(value)
    if not isinstance(value, str):
        raise RowError(f"{name} is {'missing' if value is None else type(value).__name__}, text is needed")
    return value


def is_empty(value: Any) -> bool:
    """Tell whether a field holds nothing: null, an empty text or not a number."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def coded(row: Row, name: str, codes: Mapping[Any, str | None]) -> str | None:
    """Return the winner that a coded field stands for; ``None`` where it is empty.

    Raises:
        RowError: the code is unknown.
    """
    value = row.get(name)
    if is_empty(value):
        return None
    code: Any = value.strip().lower() if isinstance(value, str) else value
    with suppress(TypeError, ValueError):
        code = near_whole(float(code))
    with suppress(TypeError):
        if code in codes:
            return codes[code]
    if not isinstance(value, str) or _letters(value) not in _TIES or "tie" not in codes:
        raise RowError(f"{name} is {value!r}, not one of {', '.join(str(known) for known in codes)}")
    return "tie"


_TIES = frozenset((
    "tie", "tied", "ties", "tiebothbad", "bothbad", "tiebothgood", "bothgood", "tieinconsistent",
    "inconsistent", "draw", "equal", "bothequal", "same", "neither",
))  # fmt: skip


def _letters(value: str) -> str:
    return "".join(char for char in value.casefold() if char.isalnum())


def near_whole(number: float) -> float:
    """Return a number, or the whole one that it was before it went through another program."""
    is_near = math.isfinite(number) and abs(number - round(number)) < 1e-6
    return float(round(number)) if is_near else number


def by_models(row: Row, name: str, models: Sequence[str], codes: Mapping[Any, str | None]) -> str | None:
    """Return the winner that a field names by its code, or by the model's own name.

    Raises:
        RowError: it is neither.
    """
    if models[0] != models[1] and row.get(name) in models:
        return ("first", "second")[models.index(row[name])]
    return coded(row, name, codes)


def turn_of(row: Row) -> int:
    """Return which turn a row is about; the first, where it does not say.

    Raises:
        RowError: it is no whole number from 1.
    """
    value: Any = row.get("turn")
    if is_empty(value):
        return 1
    try:
        number = near_whole(float(value))
    except (TypeError, ValueError, OverflowError):
        number = 0.0
    if isinstance(value, bool) or number < 1 or not number.is_integer():
        raise RowError(f"turn is {value!r}, not a whole number from 1")
    return int(number)


def turned(winner: str | None) -> str | None:
    """Return the same choice with the two answers exchanged."""
    return {"first": "second", "second": "first"}.get(winner or "", winner)


def number(row: Row, name: str) -> float | None:
    """Return a field that has to be a number, or ``None`` where it is empty.

    Raises:
        RowError: it is something else.
    """
    value: Any = row.get(name)
    if is_empty(value):
        return None
    try:
        amount = float(value)
    except (TypeError, ValueError, OverflowError):
        amount = math.nan
    if not math.isfinite(amount):
        raise RowError(f"{name} is {str(value)[:40]!r}, a number is needed")
    return amount


def conversation(row: Row, name: str, turns: int | None) -> tuple[str | None, str | None]:
    """Return what was asked and what was answered, up to a turn or in all; ``None`` without texts."""
    if name not in row:
        return None, None
    said = row[name]
    if isinstance(said, str):
        with suppress(ValueError, RecursionError):
            said = json.loads(said)
    if not isinstance(said, list):
        raise RowError(f"{name} is {type(said).__name__}, messages are needed")
    if turns is None:
        said = [turn for turn in said if not (isinstance(turn, dict) and turn.get("role") == "system")]
        turns = max(1, len(said) // 2)
    if len(said) < 2 * turns:
        raise RowError(f"{name} does not hold {2 * turns} messages, as turn {turns} needs")
    contents = [content(message, name) for message in said[: 2 * turns]]
    return "\n\n".join(contents[::2]), "\n\n".join(contents[1::2])


def content(message: Any, name: str) -> str:
    """Return a message's text; of one in parts, those that are text."""
    if isinstance(message, str):
        return message
    if not isinstance(message, dict):
        raise RowError(f"{name} holds {type(message).__name__}, messages are needed")
    said = message.get("content")
    if isinstance(said, list):
        texts = [part.get("text") for part in said if isinstance(part, dict)]
        return "\n".join(part for part in texts if isinstance(part, str))
    return text(message, "content")


OF_TWO: dict[Any, str | None] = {
    **dict.fromkeys(("model_a", "a", "[[a]]", "assistant_a", "left"), "first"),
    **dict.fromkeys(("model_b", "b", "[[b]]", "assistant_b", "right"), "second"),
    **{"tie": "tie", "c": "tie", "[[c]]": "tie"},
}


def judge_name(row: Row) -> str | None:
    """Return who judged (FastChat's model and its prompt as one name), or ``None`` where none is said."""
    judge = next(
        (row[name] for name in ("judge", "judge_id", "judge_name") if not is_empty(row.get(name))), None
    )
    if judge is None:
        return None
    return "/".join(map(str, judge)) if isinstance(judge, list) else str(judge)
