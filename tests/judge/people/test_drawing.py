from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.judge.people import (
    Assigned,
    Rated,
    Rater,
    Ratings,
    Task,
    drawn_items,
    known_tasks,
    lists_of,
    make_job,
    open_job,
)
from tests.judge.people.jobs import TAGS, pair, pair_job


def named(items: int, tags: tuple[str, ...]) -> list[Task]:
    return [replace(pair(f"i{n}", tag), task=f"{tag}{n}") for tag in tags for n in range(items)]


def by_rater(places: list[Assigned]) -> dict[str, list[Assigned]]:
    found: dict[str, list[Assigned]] = defaultdict(list)
    for place in places:
        found[place.rater].append(place)
    return found


@given(items=st.integers(1, 25), raters=st.integers(1, 5), repeats=st.integers(0, 4), seed=st.integers(0, 3))
def test_each_rater_of_a_language_has_each_task_once_and_sides_are_balanced(
    items: int, raters: int, repeats: int, seed: int
) -> None:
    people = [Rater(f"{tag}-{n}", tag) for tag in TAGS for n in range(raters)]
    places = by_rater(lists_of(named(items, TAGS), people, repeats, seed))
    assert set(places) == {rater.name for rater in people}
    for rater in people:
        own = places[rater.name]
        assert [place.position for place in own] == list(range(len(own)))
        first = [place for place in own if not place.repeat]
        assert sorted(place.task for place in first) == sorted(f"{rater.language}{n}" for n in range(items))
        assert abs(2 * sum(bool(place.arm_first) for place in first) - items) <= 1
        at = {place.task: place for place in first}
        again = [place for place in own if place.repeat]
        assert len(again) == min(repeats, (items + 1) // 2)
        for place in again:
            assert place.position > at[place.task].position
            assert place.arm_first is not at[place.task].arm_first


def test_two_raters_see_each_pair_in_both_orders_and_in_orders_of_their_own() -> None:
    people = [Rater("fi-1", "fi"), Rater("fi-2", "fi")]
    places = by_rater(lists_of(named(20, ("fi",)), people, 0, 0))
    one, other = ({place.task: place.arm_first for place in places[rater.name]} for rater in people)
    assert all(one[task] is not other[task] for task in one)
    assert [place.task for place in places["fi-1"]] != [place.task for place in places["fi-2"]]


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 5))
def test_more_items_include_fewer_whatever_the_order(count: int, more: int, seed: int) -> None:
    items = [f"item-{n}" for n in range(60)]
    few = drawn_items(items, count, seed)
    assert few == drawn_items(list(reversed(items)), count + more, seed)[:count]


def test_a_known_answer_is_told_by_whoever_reads() -> None:
    references = {(f"i{n}", "fi"): (f"Q{n}", f"A{n}") for n in range(4)}
    for task in known_tasks(references, "fi", 3, Rated.PAIRS, 0):
        assert task.expected == "arm"
        assert references[task.item_id, "fi"] == (task.prompt, task.arm_text)
        assert task.against_text != task.arm_text
    for task in known_tasks(references, "fi", 3, Rated.ANSWERS, 0):
        assert (task.expected, task.against) == ("fail", None)
        assert references[task.item_id, "fi"][1] != task.arm_text
    same = {(f"i{n}", "fi"): (f"Q{n}", "the same") for n in range(4)}
    assert known_tasks(same, "fi", 3, Rated.PAIRS, 0) == []


def test_a_job_names_no_arm_where_a_rater_could_see_it_and_opens_again(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job")
    assert len(job.tasks) == 2 * (6 + 2)
    assert all("pinch" not in name and "english" not in name for name in job.tasks)
    again = open_job(tmp_path / "job")
    assert again == job
    with Ratings(job.ratings_file) as kept:
        assert [rater.name for rater in kept.raters()] == ["fi-1", "fi-2", "he-1", "he-2"]
        counts = Counter(place.rater for place in kept.lists())
    assert set(counts.values()) == {6 + 2 + 2}


def test_identical_answers_are_not_shown(tmp_path: Path) -> None:
    same = Task("", "i9", "fi", "pinch", "english", 1, "Q?", "the same", "the same", identical=True)
    make_job(tmp_path / "job", [pair("i1", "fi"), same], Rated.PAIRS)
    job = open_job(tmp_path / "job")
    with Ratings(job.ratings_file) as kept:
        assert {job.tasks[place.task].item_id for place in kept.lists()} == {"i1"}


def test_what_cannot_be_a_job_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="nothing to rate"):
        make_job(tmp_path / "none", [], Rated.PAIRS)
    with pytest.raises(PinchError, match="holds no job"):
        open_job(tmp_path)
    job = pair_job(tmp_path / "job")
    with pytest.raises(PinchError, match="not empty"):
        make_job(job.folder, [pair("i1", "fi")], Rated.PAIRS)
    with pytest.raises(PinchError, match="ask for fewer"):
        drawn_items(["a", "b"], 3, 0)
    (job.folder / "job.json").write_text('{"format": 99}')
    with pytest.raises(PinchError, match="another format"):
        open_job(job.folder)
    (job.folder / "job.json").write_text('{"format": 1}')
    with pytest.raises(PinchError, match="what the job is"):
        open_job(job.folder)
