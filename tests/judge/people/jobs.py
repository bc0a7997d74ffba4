"""Small jobs of ratings, and raters who choose by a rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from polypinch.judge.people import (
    Assigned,
    Job,
    Rated,
    Rating,
    Ratings,
    Task,
    known_tasks,
    make_job,
    open_job,
)

TAGS = ("fi", "he")


def pair(item: str, tag: str, arm: str = "pinch", against: str = "english", seed: int | None = 1) -> Task:
    return Task(
        "", item, tag, arm, against, seed, f"Q {item} {tag}?", f"{arm} {item} {tag}", f"{against} {item}"
    )


def answer(item: str, tag: str, arm: str, seed: int | None = 1) -> Task:
    return Task("", item, tag, arm, None, seed, f"Q {item} {tag}?", f"{arm} {item} {tag}", None)


def pair_job(
    folder: Path,
    items: int = 6,
    raters: int = 2,
    repeats: int = 2,
    known: int = 2,
    tags: tuple[str, ...] = TAGS,
) -> Job:
    tasks = [pair(f"i{number}", tag) for tag in tags for number in range(items)]
    references = {
        (f"i{number}", tag): (f"Q i{number} {tag}?", f"right {number} {tag}")
        for tag in tags
        for number in range(items)
    }
    for tag in tags:
        tasks += known_tasks(references, tag, known, Rated.PAIRS, 0)
    make_job(folder, tasks, Rated.PAIRS, raters=raters, repeats=repeats, source="test")
    return open_job(folder)


def answer_job(folder: Path, items: int = 4, raters: int = 2) -> Job:
    tasks = [
        answer(f"i{number}", tag, arm)
        for arm in ("pinch", "english")
        for tag in TAGS
        for number in range(items)
    ]
    make_job(folder, tasks, Rated.ANSWERS, raters=raters, repeats=0, source="test")
    return open_job(folder)


Says = Callable[[Assigned, Task], str]


def shown(place: Assigned, side: str) -> str:
    """What a rater presses to choose a side that they see under another name."""
    if side not in ("arm", "against"):
        return side
    return "first" if (side == "arm") == place.arm_first else "second"


def rate(job: Job, says: Says, **more: object) -> None:
    """Let every rater rate all that is left."""
    with Ratings(job.ratings_file) as kept:
        for rater in kept.raters():
            while (place := kept.next(rater.name)) is not None:
                choice = says(place, job.tasks[place.task])
                kept.put(
                    Rating(rater.name, place.position, choice, form=f"{rater.name}-{place.position}", **more)
                )  # type: ignore[arg-type]
