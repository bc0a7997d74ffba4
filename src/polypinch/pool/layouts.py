"""Turning rows of the usual layouts into conversations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from polypinch.conversation import RowError, Turns, is_missing, other_keys, role_of, turns_of
from polypinch.errors import PinchError

Row = dict[str, Any]

_SYSTEM = ("system", "system_prompt", "system_message")
_CONTEXT = ("input", "context")


@dataclass(frozen=True)
class Layout:
    """A layout of data sets: how it is known, and what its turns are.

    Attributes:
        told_by: sets of keys; a row that has all of one is of this layout.
        needs: keys that every row must have.
        turns: makes a row a conversation, without what any layout may have beside it (a system prompt,
            a history); raises :class:`~polypinch.conversation.RowError`.
        uses: keys whose content ``turns`` takes up.
        named: how an error lists it.
    """

    told_by: tuple[frozenset[str], ...]
    needs: frozenset[str]
    turns: Callable[[Row], Turns]
    uses: frozenset[str]
    named: str


def with_context(instruction: Any, context: Any) -> Any:
    """Return an instruction with its input, if any, after a blank line.

    Raises:
        RowError: the input is neither a text nor a number.
    """
    if is_missing(context) or not isinstance(instruction, str):
        return instruction
    if isinstance(context, bool) or not isinstance(context, str | int | float):
        raise RowError(f"its input is a {type(context).__name__}, text is needed")
    return f"{instruction}\n\n{context}"


def _asked(row: Row, name: str) -> Any:
    asked = row[name]
    for column in _CONTEXT:
        asked = with_context(asked, row.get(column))
    return asked


def _pair(asked: Any, answer: Any) -> Turns:
    """Pair a prompt with a response; an empty or missing response makes a prompt alone."""
    turns = turns_of(asked, "prompt") if isinstance(asked, list) else [("user", asked)]
    if is_missing(answer):
        return turns
    return [
        *turns,
        *(turns_of(answer, "completion") if isinstance(answer, list) else [("assistant", answer)]),
    ]


def pair(asked: str, *answers: str) -> Layout:
    """Return the layout of a prompt in one column and its response in another, the first there is.

    ``input`` and ``context`` come after the prompt; either side may be a list of turns.
    """

    def turns(row: Row) -> Turns:
        return _pair(_asked(row, asked), next((row[name] for name in answers if name in row), None))

    return Layout(
        (*(frozenset({asked, answer}) for answer in answers), frozenset({asked})),
        frozenset({asked}),
        turns,
        frozenset({asked, *answers, *_CONTEXT}),
        f"{asked}, {' or '.join(answers)}",
    )


def _either(row: Row) -> Turns:
    name = next((name for name in _EITHER if name in row), None)
    if name is None:
        raise RowError("there is no prompt or question")
    return _EITHER[name].turns(row)


def _turns_in(column: str) -> Layout:
    names = frozenset({column})
    return Layout(
        (names,),
        names,
        lambda row: turns_of(row[column], column),
        names,
        f"{column} (role, content; from, value)",
    )


def _asked_in_turns(row: Row) -> list[Any]:
    turns = row["turns"] if "turns" in row else [row.get("text")]
    turns = [turns] if isinstance(turns, str) else turns
    if not isinstance(turns, list) or not turns:
        raise RowError("turns is not a list of texts")
    return turns


def _fastchat(row: Row) -> Turns:
    """Take FastChat's question: its first turn, since a second one needs an answer to the first."""
    return [("user", _asked_in_turns(row)[0])]


def with_answers(row: Row, answers: list[str]) -> Turns:
    """Join a FastChat question's turns with the answers to them, up to the first that has none."""
    answered = takewhile(lambda answer: isinstance(answer, str) and answer.strip(), answers)
    pairs = zip(_asked_in_turns(row), answered, strict=False)
    return [turn for asked, said in pairs for turn in (("user", asked), ("assistant", said))]


_EITHER = {
    "prompt": pair("prompt", "completion", "response"),
    "question": pair("question", "answer", "response"),
}

LAYOUTS: dict[str, Layout] = {
    "messages": _turns_in("messages"),
    "sharegpt": _turns_in("conversations"),
    "fastchat": Layout(
        (frozenset({"question_id", "turns"}), frozenset({"question_id", "text"})),
        frozenset({"question_id"}),
        _fastchat,
        frozenset({"question_id", "turns", "text"}),
        "question_id with turns or text",
    ),
    "alpaca": pair("instruction", "output", "response", "answer", "completion"),
    "prompt": Layout(
        (frozenset({"prompt"}), frozenset({"question"})),
        frozenset(),
        _either,
        _EITHER["prompt"].uses | _EITHER["question"].uses,
        "prompt, completion or response; question, answer or response",
    ),
}
"""By name, in the order in which a row is compared with them."""


def detect_layout(row: Row) -> str:
    """Tell the layout from a first row's keys.

    Raises:
        RowError: none fits.
    """
    for name, layout in LAYOUTS.items():
        if any(keys <= row.keys() for keys in layout.told_by):
            return name
    known = "; ".join(layout.named for layout in LAYOUTS.values())
    raise RowError(f"no known layout in the keys {', '.join(map(repr, row)) or '(none)'} (known: {known})")


def converter(name: str) -> Callable[[Row], Turns]:
    """Return what turns a row of a layout into a conversation; it raises :class:`RowError`.

    Raises:
        PinchError: there is no such layout.
    """
    if name not in LAYOUTS:
        raise PinchError(f"unknown layout {name!r}", fix=f"known: {', '.join(LAYOUTS)}")
    layout = LAYOUTS[name]

    def checked(row: Row) -> Turns:
        if not layout.needs <= row.keys():
            raise RowError(f"layout {name} needs {', '.join(sorted(layout.needs - row.keys()))}")
        return around(row, layout.turns(row))

    return checked


def around(row: Row, turns: Turns) -> Turns:
    """Put what a row says beside its turns around them: a system prompt and earlier turns.

    Raises:
        RowError: there are two system prompts, the history is not pairs of texts, or the row's weight is 0.
    """
    if not row.keys() & _BESIDE:
        return turns
    if row.get("weight") == 0 and row["weight"] is not None:
        raise RowError("its weight is 0: it is not to be trained on")
    said = [row[name] for name in _SYSTEM if not is_missing(row.get(name))]
    if turns and role_of(turns[0][0]) == "system":
        said += [] if is_missing(turns[0][1]) else [turns[0][1]]
        turns = turns[1:]
    if len({str(text).strip() for text in said}) > 1:
        raise RowError("it has two different system prompts")
    history = row.get("history")
    earlier = [] if is_missing(history) else _history(history)
    return [*(("system", text) for text in said[:1]), *earlier, *turns]


_BESIDE = frozenset({*_SYSTEM, "history", "weight"})


def _history(history: Any) -> Turns:
    if not isinstance(history, list):
        raise RowError("its history is not a list of pairs of texts")
    if all(isinstance(turn, dict) for turn in history):
        return turns_of(history, "history")
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in history):
        raise RowError("its history is not a list of pairs of texts")
    return [turn for asked, said in history for turn in (("user", asked), ("assistant", said))]


def unused(row: Row, name: str) -> set[str]:
    """Return the columns of a row, and keys of its turns, that hold something which its layout leaves out."""
    layout = LAYOUTS[name]
    columns = row.keys() - layout.uses - _BESIDE
    within = {"messages", "conversations"} & layout.uses
    inside = {f"{column}[].{key}" for column in within for key in other_keys(row.get(column))}
    return {column for column in columns if not is_missing(row[column])} | inside
