"""Drawing a job: the same items for each rater of a language, sides by chance and balanced."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.files import write_json, write_table, write_text
from polypinch.judge.people.job import (
    GUIDELINES,
    ITEMS_FILE,
    JOB_FILE,
    RATINGS_FILE,
    Assigned,
    Job,
    JobFacts,
    Rated,
    Rater,
    Task,
    task_table,
)
from polypinch.judge.people.ratings import Ratings
from polypinch.seeded import ranks

KNOWN_ARM, KNOWN_BAD = "known", "known-bad"
_MOST_RATERS = 200


def drawn_items(items: Sequence[str], count: int | None, seed: int) -> list[str]:
    """Draw items; more of them include fewer.

    Raises:
        PinchError: there are fewer than are asked for.
    """
    unlike = list(dict.fromkeys(items))
    if count is None:
        return unlike
    if count > len(unlike):
        raise PinchError(f"{count} items asked for, there are {len(unlike)}", fix="ask for fewer (--items)")
    order = ranks(pa.array(unlike, pa.string()), seed, "ratings").argsort(kind="stable")
    return [unlike[place] for place in order[:count]]


def known_tasks(
    references: Mapping[tuple[str, str], tuple[str, str]], language: str, count: int, rated: Rated, seed: int
) -> list[Task]:
    """Make tasks whose answer is known: a reference response, and one to another request.

    Args:
        references: prompt and reference response by (item, language).
        language: in which.
        count: how many, at most.
        rated: of pairs the right one must win; a single answer to another request must fail.
        seed: of the draw.
    """
    own = sorted((key, said) for key, said in references.items() if key[1] == language)
    random.Random(f"{seed}/known/{language}").shuffle(own)
    tasks: list[Task] = []
    for place, ((item, tag), (prompt, right)) in enumerate(own):
        wrong = own[(place + 1) % len(own)][1][1]
        if len(tasks) == count or wrong.strip() == right.strip():
            continue
        task = Task("", item, tag, KNOWN_ARM, KNOWN_BAD, None, prompt, right, wrong, "arm")
        if rated is Rated.ANSWERS:
            task = replace(
                task, arm=KNOWN_BAD, against=None, arm_text=wrong, against_text=None, expected="fail"
            )
        tasks.append(task)
    return tasks


def named(tasks: Sequence[Task], salt: str) -> list[Task]:
    """Give tasks names that tell nothing of what they hold."""

    def name(task: Task) -> str:
        told = f"{salt}/{task.pair}/{task.item_id}/{task.language}/{task.expected}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    return [replace(task, task=name(task)) for task in tasks]


def lists_of(tasks: Sequence[Task], raters: Sequence[Rater], repeats: int, seed: int) -> list[Assigned]:
    """Lay out each rater's list.

    Each rater of a language has every task of it once, in an order of their own, and some of them again later
    with the sides changed. Half of the tasks show the arm first; the second rater of two has the sides of the
    first one changed, so that each pair is seen in both orders.

    Args:
        tasks: of all languages.
        raters: of all languages.
        repeats: how many each rater has again.
        seed: of all that is drawn.
    """
    places = []
    count: dict[str, int] = {}
    for rater in raters:
        number = count[rater.language] = count.get(rater.language, -1) + 1
        own = [task for task in tasks if task.language == rater.language and not task.identical]
        sides = _sides(own, f"{seed}/sides/{rater.language}/{number // 2}", turned=bool(number % 2))
        order = random.Random(f"{seed}/order/{rater.name}")
        shuffled = [(task, False) for task in order.sample(own, len(own))]
        # Only what came in the first half comes again, and in the second, so that it is not remembered.
        half = (len(shuffled) + 1) // 2
        again = [task for task, _ in shuffled[:half] if task.expected is None][:repeats]
        for task in again:
            shuffled.insert(order.randint(half, len(shuffled)), (task, True))
        for position, (task, repeat) in enumerate(shuffled):
            first = sides[task.task]
            shown = None if first is None else first != repeat
            places.append(Assigned(rater.name, position, task.task, shown, repeat))
    return places


def _sides(tasks: Sequence[Task], seed: str, turned: bool) -> dict[str, bool | None]:
    sides = [place % 2 == 0 for place in range(len(tasks))]
    random.Random(seed).shuffle(sides)
    return {
        task.task: None if task.against is None else side != turned
        for task, side in zip(tasks, sides, strict=True)
    }


def make_job(
    folder: Path,
    tasks: Sequence[Task],
    rated: Rated,
    *,
    raters: int = 2,
    repeats: int = 3,
    seed: int = 0,
    source: str = "",
    fewer: Mapping[str, int] | None = None,
    guidelines: Mapping[str, str] | None = None,
) -> list[Rater]:
    """Write a job's folder.

    Args:
        folder: to be made, or empty.
        tasks: what is rated, known ones among them; their names are given here.
        rated: pairs or answers.
        raters: how many in each language.
        repeats: how many tasks each rater has twice.
        seed: of all that is drawn.
        source: where the answers are from.
        fewer: what was left out, by reason.
        guidelines: Markdown by language, to be edited.

    Returns:
        The raters; their links are made when the job is served.

    Raises:
        PinchError: the folder is not empty, there is nothing to rate, or too many raters.
    """
    if folder.exists() and any(folder.iterdir()):
        raise PinchError(f"{folder} is not empty", fix="choose another folder")
    if not 1 <= raters <= _MOST_RATERS:
        raise PinchError(f"{raters} raters in each language", fix=f"ask for 1 to {_MOST_RATERS}")
    if not any(not task.identical and task.expected is None for task in tasks):
        raise PinchError("there is nothing to rate: all pairs are identical, or missing", fix="choose others")
    languages = tuple(dict.fromkeys(task.language for task in tasks))
    known = named(tasks, f"{seed}/{source}")
    people = [Rater(f"{tag}-{number + 1}", tag) for tag in languages for number in range(raters)]
    folder.mkdir(parents=True, exist_ok=True)
    for tag, text in (guidelines or {}).items():
        write_text(folder / GUIDELINES / f"{tag}.md", text)
    write_table(folder / ITEMS_FILE, task_table(known))
    with Ratings(folder / RATINGS_FILE) as ratings:
        ratings.add(people, lists_of(known, people, repeats, seed))
    # Last, so that a folder that was left half-made is no job.
    write_json(folder / JOB_FILE, asdict(JobFacts(rated, languages, source, seed, dict(fewer or {}))))
    return people


def adjudicator_list(job: Job, rater: Rater, tasks: Sequence[str], start: int) -> list[Assigned]:
    """Lay out what an adjudicator decides, sides by chance and balanced.

    Args:
        job: of the tasks.
        rater: the adjudicator.
        tasks: names of what the raters disagree on.
        start: the first free place of the list.
    """
    own = [job.tasks[task] for task in tasks]
    sides = _sides(own, f"{job.facts.seed}/sides/{rater.name}/{start}", turned=False)
    return [Assigned(rater.name, start + place, task, sides[task]) for place, task in enumerate(tasks)]
