"""A job of ratings: a folder with what is to be rated, by whom, in which order, and what they said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.files import read_json, read_table

JOB_FILE, ITEMS_FILE, RATINGS_FILE, GUIDELINES = "job.json", "items.parquet", "ratings.sqlite", "guidelines"
FORMAT = 1


class Rated(StrEnum):
    """What a rater is shown at a time."""

    PAIRS = "pairs"
    ANSWERS = "answers"


class Choice(StrEnum):
    """What a rater may say: of a pair the first four, of one answer the last three."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    BOTH_BAD = "both_bad"
    EXCELLENT = "excellent"
    PASS = "pass"
    FAIL = "fail"


class Flag(StrEnum):
    """What else is wrong with an answer."""

    WRONG_LANGUAGE = "wrong_language"
    UNSAFE = "unsafe"
    NOT_FLUENT = "not_fluent"


CHOICES: Mapping[Rated, tuple[Choice, ...]] = {
    Rated.PAIRS: (Choice.FIRST, Choice.SECOND, Choice.TIE, Choice.BOTH_BAD),
    Rated.ANSWERS: (Choice.EXCELLENT, Choice.PASS, Choice.FAIL),
}
"""The choices on each, in the order of their buttons and keys."""

ITEM_SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("arm", pa.string()),
        ("against", pa.string()),
        ("seed", pa.int64()),
        ("prompt", pa.string()),
        ("arm_text", pa.string()),
        ("against_text", pa.string()),
        ("expected", pa.string()),
        ("identical", pa.bool_()),
    ]
)
"""One row per pair, or answer, that can be rated. ``task`` names it and tells nothing; ``against`` and its
text are null for single answers, ``seed`` where there was no training. ``expected`` is what an attentive
rater must say of a known answer, ``arm`` or ``fail``; null for all others. ``identical`` pairs are ties that
nobody is asked about."""


@dataclass(frozen=True)
class Task:
    """A row of :data:`ITEM_SCHEMA`; its columns are the attributes."""

    task: str
    item_id: str
    language: str
    arm: str
    against: str | None
    seed: int | None
    prompt: str
    arm_text: str
    against_text: str | None
    expected: str | None = None
    identical: bool = False

    @property
    def pair(self) -> str:
        """The names of what is compared, without the item: ``arm/against/seed``."""
        return "/".join(str(part) for part in (self.arm, self.against, self.seed) if part is not None)


@dataclass(frozen=True)
class Assigned:
    """One place of a rater's list.

    Attributes:
        rater: whose.
        position: in the list, from 0.
        task: what is shown there.
        arm_first: whether the arm's answer is shown first; ``None`` for single answers.
        repeat: whether the rater has had it before.
    """

    rater: str
    position: int
    task: str
    arm_first: bool | None
    repeat: bool = False


@dataclass(frozen=True)
class Rater:
    """Who rates.

    Attributes:
        name: ``he-1``; not a person's.
        language: whose answers they rate.
        adjudicates: whether they decide where the others disagree.
    """

    name: str
    language: str
    adjudicates: bool = False


@dataclass(frozen=True)
class JobFacts:
    """What ``job.json`` says.

    Attributes:
        rated: pairs or single answers.
        languages: of the answers, tags.
        source: where the answers are from, for the reader.
        seed: of all that was drawn.
        fewer: what was left out, by reason: answers that are missing, known ones that could not be made.
        format: of the folder.
    """

    rated: Rated
    languages: tuple[str, ...]
    source: str
    seed: int = 0
    fewer: Mapping[str, int] = field(default_factory=dict)
    format: int = FORMAT


@dataclass(frozen=True)
class Job:
    """A job's folder, opened.

    Attributes:
        folder: where it stands.
        facts: what it is about.
        tasks: by name.
    """

    folder: Path
    facts: JobFacts
    tasks: Mapping[str, Task]

    @property
    def ratings_file(self) -> Path:
        """The file that keeps raters, their lists and what they said."""
        return self.folder / RATINGS_FILE


def is_job(folder: Path) -> bool:
    """Tell whether a folder looks like a job of ratings."""
    return (folder / JOB_FILE).is_file() and (folder / ITEMS_FILE).is_file()


def open_job(folder: Path) -> Job:
    """Open a job's folder.

    Raises:
        PinchError: it holds no job, or one of another format.
    """
    again = "name a folder that polypinch rate make wrote"
    if not is_job(folder):
        raise PinchError(f"{folder} holds no job of ratings", fix=again)
    path = folder / JOB_FILE
    said = read_json(path)
    try:
        if said["format"] != FORMAT:
            raise PinchError(f"{path}: a job of another format ({said['format']})", fix=again)
        facts = JobFacts(
            Rated(said["rated"]),
            tuple(map(str, said["languages"])),
            str(said["source"]),
            int(said["seed"]),
            dict(said["fewer"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PinchError(f"{path} does not say what the job is ({error!r})", fix=again) from error
    return Job(folder, facts, {task.task: task for task in _tasks(folder / ITEMS_FILE)})


def _tasks(path: Path) -> list[Task]:
    table = read_table(path)
    lacking = [name for name in ITEM_SCHEMA.names if name not in table.column_names]
    if lacking:
        raise PinchError(f"{path} has no column {', '.join(lacking)}", fix="make the job again")
    try:
        lines = table.select(ITEM_SCHEMA.names).cast(ITEM_SCHEMA).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PinchError(f"{path}: {error}", fix="make the job again") from error
    return [Task(**line) for line in lines]


def task_table(tasks: Sequence[Task]) -> pa.Table:
    """Return tasks in :data:`ITEM_SCHEMA`."""
    return pa.Table.from_pylist([asdict(task) for task in tasks], schema=ITEM_SCHEMA)
