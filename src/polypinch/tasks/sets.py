"""A task opened: the same items in every language, each with its prompt and what is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.conversation import Messages, instruction, prompt, response
from polypinch.errors import PinchError
from polypinch.files import fingerprint
from polypinch.languages import languages
from polypinch.pool import MESSAGES, open_pool
from polypinch.seeded import ranks
from polypinch.tasks.layouts import Row, find_languages, read_rows
from polypinch.tasks.numbers import last_number
from polypinch.tasks.prompts import fill, template
from polypinch.tasks.spec import Metric, Task

# Which items are taken must not change with a study's seeds.
_FIXED_SEED = 0


@dataclass(frozen=True)
class Item:
    """One item in one language.

    Attributes:
        item_id: joins its translations.
        language: its tag.
        messages: what the model is asked.
        right: the right answers.
        choices: what is chosen from; empty where the answer is written freely.
        label: position of the right choice.
        bare: its question or premise without our wording around it.
    """

    item_id: str
    language: str
    messages: Messages
    right: tuple[str, ...]
    choices: tuple[str, ...]
    label: int | None
    bare: str


@dataclass(frozen=True)
class TaskSet:
    """A task's items, each in every language.

    Attributes:
        task: the declaration.
        languages: in the order asked for.
        items: by item, then by language.
        wording: by language where its wording is from: ``own``, ``built-in``, ``neutral``, or ``pool``.
        left_out: items that lack a language.
    """

    task: Task
    languages: tuple[str, ...]
    items: tuple[Item, ...]
    wording: Mapping[str, str]
    left_out: int

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.name

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All that is measured, what is drawn first."""
        return self.task.metrics

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Ids of the items, in their order."""
        return tuple(dict.fromkeys(item.item_id for item in self.items))

    @property
    def is_choice(self) -> bool:
        """Whether one of some choices is right, so that nothing is generated."""
        return bool(self.items[0].choices)

    @property
    def chance(self) -> float | None:
        """What guessing finds, 0 to 1; ``None`` where answers are written freely."""
        shares = [1 / len(item.choices) for item in self.items if item.choices]
        return sum(shares) / len(shares) if shares else None

    @cached_property
    def fingerprint(self) -> str:
        """64 hex digits of all that is asked, and of what is right."""
        return fingerprint(
            [
                [one.item_id, one.language, one.messages, one.right, one.choices, one.label]
                for one in self.items
            ]
        )

    def prompts(self) -> pa.Table:
        """Return the prompts, one row per (item, language): item_id, language, messages."""
        columns = {
            "item_id": pa.array([one.item_id for one in self.items], pa.string()),
            "language": pa.array([one.language for one in self.items], pa.string()),
            "messages": pa.array([one.messages for one in self.items], MESSAGES),
        }
        return pa.table(columns)


def open_task(task: Task, evaluated: Sequence[str] | None = None) -> TaskSet:
    """Read a task, in the languages that are asked for.

    Args:
        task: the declaration.
        evaluated: a study's languages, to which the task's are restricted; ``None``: all that the task has.

    Raises:
        PinchError: naming the file, row and fix; or a language is not there, or no item is in all of them.
    """
    rows = _pool_rows(task) if task.pool is not None else None
    files = {} if rows is not None else find_languages(Path(task.path or ""), task.kind)
    tags = _chosen(task, evaluated, sorted(rows if rows is not None else files))
    by_tag = {tag: rows[tag] if rows is not None else read_rows(files[tag], task.kind) for tag in tags}
    if task.layout == "mgsm" and len({len(one) for one in by_tag.values()}) > 1:
        counts = ", ".join(f"{files[tag]} {len(one)}" for tag, one in by_tag.items())
        raise PinchError(
            f"task {task.name}: lines join translations, and the files have unlike numbers of them: {counts}",
            fix="give files that are parallel line by line",
        )
    ids, left_out = _shared(task, by_tag)
    wording: dict[str, str] = {}
    items = {(tag, row.item_id): _item(task, tag, row, wording) for tag in tags for row in by_tag[tag]}
    if "number_match" in task.metrics:
        _refuse_wordy(task, list(items.values()))
    return TaskSet(
        task, tuple(tags), tuple(items[tag, one] for one in ids for tag in tags), wording, left_out
    )


def _chosen(task: Task, evaluated: Sequence[str] | None, there: list[str]) -> list[str]:
    wanted = list(task.languages or evaluated or there)
    missing = [tag for tag in wanted if tag not in there]
    if missing and task.languages:
        raise PinchError(
            f"task {task.name}: no {', '.join(missing)} in {task.path or task.pool}, only {', '.join(there)}",
            fix="name languages that it has",
        )
    apart = [tag for tag in wanted if evaluated is not None and tag not in evaluated]
    if apart:
        raise PinchError(
            f"task {task.name}: the study does not evaluate {', '.join(apart)}",
            fix="add it to the study's languages (seen or unseen), or remove it from the task's",
        )
    chosen = [tag for tag in wanted if tag in there]
    if not chosen:
        raise PinchError(
            f"task {task.name}: {task.path or task.pool} has {', '.join(there)}, and the study evaluates none"
            " of them",
            fix="evaluate one of them, or remove the task",
        )
    if evaluated is not None:
        chosen.sort(key=list(evaluated).index)
    return chosen


def _pool_rows(task: Task) -> dict[str, list[Row]]:
    pool = open_pool(task.pool or "")
    where = pc.field("split") == "heldout" if "heldout" in pool.split_languages() else None
    found: dict[str, list[Row]] = {}
    for row in pool.select(["item_id", "language", "messages"], where).to_pylist():
        right = (response(row["messages"]) or "").strip()
        if not right:
            raise PinchError(
                f"task {task.name}: pool {pool.name}: item {row['item_id']!r} in {row['language']!r} has no"
                " response, and so no right answer",
                fix="add the right answers as responses",
            )
        asked = Row(row["item_id"], {"messages": row["messages"]}, (right,))
        found.setdefault(row["language"], []).append(asked)
    if not found:
        raise PinchError(f"task {task.name}: pool {pool.name} has no rows", fix="name another pool")
    return {tag: found[tag] for tag in languages(list(found))}


def _shared(task: Task, by_tag: Mapping[str, list[Row]]) -> tuple[list[str], int]:
    """Return the ids that every language has, in a fixed random order, and how many are left out."""
    sets = [{row.item_id for row in rows} for rows in by_tag.values()]
    shared = sorted(set.intersection(*sets))
    if not shared:
        raise PinchError(
            f"task {task.name}: no item is in all of {', '.join(by_tag)}",
            fix="give translations the same id (or line, or idx), or name fewer languages",
        )
    order = ranks(pa.array(shared, pa.string()), _FIXED_SEED, "task").argsort(kind="stable")
    ids = [shared[place] for place in order]
    if task.items is not None and len(ids) < task.items:
        raise PinchError(
            f"task {task.name}: {task.items} items asked for, {len(ids)} are in all of {', '.join(by_tag)}",
            fix="ask for fewer",
        )
    return ids[: task.items], len(set.union(*sets)) - len(shared)


def _item(task: Task, tag: str, row: Row, wording: dict[str, str]) -> Item:
    if task.layout is None:
        messages: Messages = row.fields["messages"]  # type: ignore[assignment]
        wording[tag] = "pool"
        return Item(row.item_id, tag, prompt(messages), row.right, (), None, instruction(messages))
    text, wording[tag] = template(task.layout, tag, row.kind, task.prompts)
    asked = fill(text, row.fields)
    bare = row.fields.get("question", row.fields.get("premise", ""))
    messages = [{"role": "user", "content": asked}]
    return Item(row.item_id, tag, messages, row.right, row.choices, row.label, bare)


def _refuse_wordy(task: Task, items: Sequence[Item]) -> None:
    for one in items:
        if not last_number(one.right[0], one.language):
            raise PinchError(
                f"task {task.name}: the right answer to item {one.item_id!r} in {one.language!r} holds no"
                f" number: {one.right[0]!r}",
                fix="choose another metric",
            )
