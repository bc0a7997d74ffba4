"""What people said of a study's answers stands on its page."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from polypinch.judge.people import open_job, with_judge
from tests.judge.people.jobs import rate, shown
from tests.running import polypinch
from tests.web.made import made_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_study(tmp_path_factory.mktemp("rated") / "study", items=14)


def job_of(study: Path, folder: Path, *more: str) -> Path:
    made = polypinch(
        "rate", "make", study, "--languages", "fi,he", "--items", 8, "--seeds", "1", "--out", folder, *more
    )
    assert made.returncode == 0, made.stderr
    return folder


def rows(study: Path, name: str) -> list[dict[str, str]]:
    with (study / "tables" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_grades_of_single_answers_stand_by_arm_and_language(study: Path, tmp_path: Path) -> None:
    job = job_of(study, tmp_path / "graded", "--single", "--arms", "english,pinch-4")
    rate(open_job(job), lambda place, task: "excellent" if task.arm == "pinch-4" else "fail")
    done = polypinch("report", study, "--ratings", job)
    assert done.returncode == 0, done.stderr
    told = {(row["arm"], row["language"], row["choice"]): row for row in rows(study, "ratings")}
    for tag in ("fi", "he", "all"):
        assert float(told["pinch-4", tag, "excellent"]["value"]) == 1
        assert float(told["english", tag, "fail"]["value"]) == 1
        assert float(told["english", tag, "pass"]["value"]) == 0
        assert float(told["english", tag, "pass"]["high"]) > 0.05  # a few items leave room
    page = (study / "report.html").read_text()
    assert "What do people say? (graded)" in page
    assert "Cohen" in page


def test_people_and_the_judge_agree_where_they_choose_alike(study: Path, tmp_path: Path) -> None:
    job = open_job(job_of(study, tmp_path / "pairs", "--arms", "pinch-4"))
    rate(job, lambda place, task: shown(place, "arm"))
    scores = {
        (task.arm, task.against or "", task.seed, task.item_id, task.language): (
            1.0 if task.language == "fi" else 0.25
        )
        for task in job.tasks.values()
    }
    fi, he = with_judge(job, scores)
    assert (fi.language, fi.same.value, fi.people, fi.judge) == ("fi", 1.0, 100.0, 100.0)
    assert (he.language, he.same.value, he.people, he.judge) == ("he", 0.0, 100.0, 0.0)
    assert fi.same.low < 0.8 < fi.same.high == 1.0  # a few items leave room, even where all agree


def test_a_score_is_of_the_arm_that_the_judge_scores_whichever_way_round_people_saw_the_pair(
    study: Path, tmp_path: Path
) -> None:
    # Single grades pair arms in the order of their names: english first, though the study scores pinch-4.
    job = open_job(job_of(study, tmp_path / "grades", "--single", "--arms", "english,pinch-4"))
    rate(job, lambda place, task: "excellent" if task.arm == "pinch-4" else "fail")
    items = {(task.item_id, task.language, task.seed) for task in job.tasks.values() if task.arm == "english"}
    scores = {("pinch-4", "english", seed, item, tag): 0.75 for item, tag, seed in items}
    for one in with_judge(job, scores):
        assert (one.arm, one.against) == ("pinch-4", "english")
        assert (one.people, one.judge, one.same.value) == (100.0, 100.0, 1.0)
    told = {("english", "pinch-4", seed, item, tag): 0.25 for item, tag, seed in items}
    for one in with_judge(job, told):
        assert (one.arm, one.people, one.judge, one.same.value) == ("english", 0.0, 0.0, 1.0)


def test_arms_that_people_see_otherwise_stand_apart(study: Path, tmp_path: Path) -> None:
    job = open_job(job_of(study, tmp_path / "several", "--arms", "pinch-4,untuned"))
    rate(job, lambda place, task: shown(place, "arm" if task.arm == "pinch-4" else "against"))
    scores = {
        (task.arm, task.against or "", task.seed, task.item_id, task.language): 1.0
        for task in job.tasks.values()
    }
    people = {(one.arm, one.language): one.people for one in with_judge(job, scores)}
    liked = {("pinch-4", tag): 100.0 for tag in ("fi", "he")}
    assert people == {**liked, **{("untuned", tag): 0.0 for tag in ("fi", "he")}}


def test_a_folder_that_is_no_job_is_refused(study: Path, tmp_path: Path) -> None:
    done = polypinch("report", study, "--ratings", tmp_path)
    assert done.returncode == 2
    assert "no job of ratings" in done.stderr
