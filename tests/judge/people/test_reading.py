from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.judge import Sides, outcomes
from polypinch.judge.labels import LABEL_SCHEMA, panel
from polypinch.judge.people import (
    Rated,
    Task,
    decided,
    job_identity,
    job_labels,
    make_job,
    open_job,
    read_ratings,
    verdicts,
    votes,
)
from tests.judge.people.jobs import TAGS, answer_job, pair, pair_job, rate, shown

TEXTS = {(f"i{n}", tag): (f"pinch i{n} {tag}", f"english i{n}") for n in range(6) for tag in TAGS}


def test_sides_are_resolved_whoever_was_shown_first(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job")
    rate(job, lambda place, task: shown(place, "arm"), flags=("first:unsafe",))
    said = read_ratings(job)
    assert {one.choice for one in said} == {"arm"}
    assert {one.arm_first for one in said} == {True, False}
    for one in said:
        assert one.flags == ("arm:unsafe" if one.arm_first else "against:unsafe",)


def test_the_verdict_is_what_most_say_and_the_protocol_reads_it(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job", raters=3)

    def says(place: object, task: Task) -> str:
        number, rater = int(task.item_id[1:]), place.rater  # type: ignore[attr-defined]
        if number == 0:
            return shown(place, "arm")  # type: ignore[arg-type]
        if number == 1:
            return shown(place, "against" if rater.endswith("1") else "arm")  # type: ignore[arg-type]
        if number == 2:
            return {"1": shown(place, "arm"), "2": shown(place, "against"), "3": "tie"}[rater[-1]]  # type: ignore[arg-type]
        return "both_bad"

    rate(job, says)  # type: ignore[arg-type]
    table = verdicts(job, Sides("pinch", "english", 1), TEXTS)
    assert table.num_rows == 2 * 6 * len(TAGS)
    found = {(row["item_id"], row["language"]): row["outcome"] for row in outcomes(table).to_pylist()}
    for tag in TAGS:
        assert [found[f"i{number}", tag] for number in range(4)] == [1.0, 1.0, 0.5, 0.5]
    assert not any(row["flipped"] for row in outcomes(table).to_pylist())
    raw = json.loads(table["raw"][0].as_py())
    assert set(raw) == {f"{table['language'][0].as_py()}-{n}" for n in (1, 2, 3)}
    assert verdicts(job, Sides("pinch", "other", 1), TEXTS).num_rows == 0
    assert verdicts(job, Sides("pinch", "english", 2), TEXTS).num_rows == 0


def test_ratings_of_other_answers_are_refused(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job")
    rate(job, lambda place, task: "tie")
    changed = {key: (f"{ours} now", theirs) for key, (ours, theirs) in TEXTS.items()}
    with pytest.raises(PinchError, match="rated on other answers"):
        verdicts(job, Sides("pinch", "english", 1), changed)
    with pytest.raises(PinchError, match="rated on other answers"):
        verdicts(job, Sides("pinch", "english", 1), {})


def test_identical_answers_are_a_tie_without_a_rater(tmp_path: Path) -> None:
    same = Task("", "i1", "fi", "pinch", "english", 1, "Q?", "same", "same", identical=True)
    make_job(tmp_path / "job", [pair("i0", "fi"), same], Rated.PAIRS, repeats=0)
    job = open_job(tmp_path / "job")
    texts = {**TEXTS, ("i1", "fi"): ("same", "same")}
    assert [row["winner"] for row in verdicts(job, Sides("pinch", "english", 1), texts).to_pylist()] == [
        "tie",
        "tie",
    ]


@given(st.lists(st.sampled_from(["arm", "against", "tie"]), min_size=1, max_size=7), st.randoms())
def test_the_decision_does_not_depend_on_who_spoke_first(choices: list[str], random: object) -> None:
    turned = list(choices)
    random.shuffle(turned)  # type: ignore[attr-defined]
    result = decided(choices)
    assert result == decided(turned)
    exchanged = {"arm": "against", "against": "arm", "tie": "tie"}
    assert exchanged[result] == decided([exchanged[choice] for choice in choices])
    if len(set(choices)) == 1:
        assert result == choices[0] == decided(choices, ["tie"])
    else:
        assert decided(choices, ["against"]) == "against"


def test_grades_of_single_answers_are_compared_within_a_rater(tmp_path: Path) -> None:
    job = answer_job(tmp_path / "job")
    rate(job, lambda place, task: "excellent" if task.arm == "pinch" else "pass")
    assert {vote.choice for vote in votes(job, "english")} == {"arm"}
    assert {(vote.arm, vote.against) for vote in votes(job)} == {("english", "pinch")}
    texts = {(f"i{n}", tag): (f"pinch i{n} {tag}", f"english i{n} {tag}") for n in range(4) for tag in TAGS}
    found = outcomes(verdicts(job, Sides("pinch", "english", 1), texts))
    assert found["outcome"].to_pylist() == [1.0] * 8


def test_labels_hold_each_raters_choice_and_no_repeat(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job")
    with pytest.raises(PinchError, match="no pair is rated yet"):
        job_labels(job)
    rate(job, lambda place, task: shown(place, "against" if place.rater.endswith("1") else "arm"))
    table = job_labels(job)
    assert table.schema.equals(LABEL_SCHEMA)
    laid = panel(table)
    assert laid.codes.shape == (12, 4)
    assert set(laid.clusters) == {f"i{n}" for n in range(6)}
    assert all("known" not in key[0] for key in laid.keys)


def test_identity_changes_with_what_was_said_and_with_nothing_else(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job")
    empty = job_identity(job)
    rate(job, lambda place, task: "tie", seconds=1.0)
    other = pair_job(tmp_path / "other")
    rate(other, lambda place, task: "tie", seconds=9.0, comment="slower")
    assert job_identity(job) == job_identity(other) != empty
