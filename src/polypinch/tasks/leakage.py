"""No task may be trained on, in any language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.mix import normalised
from polypinch.tasks.sets import TaskSet

Place = tuple[str, str, str]
"""(task, item, language)."""


def asked(tasks: Sequence[TaskSet]) -> dict[str, Place]:
    """Return where each prompt of some tasks is from, and each bare question and premise; normalised."""
    found: dict[str, Place] = {}
    for one in tasks:
        for item in one.items:
            for text in (item.bare, *(turn["content"] for turn in item.messages if turn["role"] == "user")):
                found.setdefault(normalised(text), (one.name, item.item_id, item.language))
    found.pop("", None)
    return found


def refuse_trained(mixture: pa.Table, texts: Mapping[str, Place]) -> None:
    """Refuse a mixture in which a user turn is a task's prompt, question or premise.

    Case, spacing and ASCII punctuation aside. A question within a longer text is not found.

    Args:
        mixture: rows with ``item_id``, ``language`` and ``messages``.
        texts: what :func:`asked` returns.

    Raises:
        PinchError: naming how many rows, and the first of them.
    """
    found = []
    columns = (mixture[name].to_pylist() for name in ("item_id", "language", "messages"))
    for item, tag, messages in zip(*columns, strict=True) if texts else ():
        for turn in messages:
            place = texts.get(normalised(turn["content"])) if turn["role"] == "user" else None
            if place is not None:
                found.append((item, tag, place))
    if found:
        item, tag, (task, other, language) = found[0]
        raise PinchError(
            f"{len(found)} turns of the mixture are asked in tasks: row {item!r} in {tag!r} asks what item"
            f" {other!r} in {language!r} of task {task} does",
            fix="remove them from the pool, or the task from the study",
        )
