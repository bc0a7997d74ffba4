"""People as the judge of a study: scores and endpoints come from the ratings of a job."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from polypinch.errors import PinchError
from polypinch.judge.people import Job, open_job
from polypinch.publish import gather
from polypinch.results import read_results
from polypinch.specs import validate
from polypinch.study import Graph, Inputs, Record, Store, Study, read_record, write_record
from polypinch.study.people import People
from polypinch.study.spec import PeopleJudge
from polypinch.study.verdicts import comparisons
from tests.judge.people.jobs import rate, shown
from tests.running import polypinch
from tests.web.made import made_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_study(tmp_path_factory.mktemp("people") / "study", items=14)


@pytest.fixture(scope="module")
def job(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("people") / "job"
    made = polypinch(
        "rate", "make", study, "--languages", "fi,he", "--items", 12, "--seeds", "1,2", "--out", folder
    )
    assert made.returncode == 0, made.stderr
    opened = open_job(folder)
    # All are of one mind but for the untuned base, of whom they are not.
    rate(
        opened,
        lambda place, task: (
            "both_bad"
            if task.arm == "untuned" and place.rater.endswith("2")
            else shown(place, "arm" if task.arm == "pinch-4" else "against")
        ),
    )
    return opened


def judged(study: Path, job: Job) -> tuple[Record, Graph, Store]:
    """Lay the study out anew with people as its judge; its answers stay."""
    record, graph, store = read_record(study)
    spec = validate(
        {
            **record.study.model_dump(),
            "comparison": {"against": "english", "judge": {"people": str(job.folder)}},
        },
        Study,
        "test",
    )
    people = People(PeopleJudge(people=str(job.folder)))
    inputs = Inputs(
        spec,
        record.heldout,
        (),
        record.chat_names,
        people.facts,
        {},
        {},
        None,
        None,
        None,
        people,  # type: ignore[arg-type]
    )
    return inputs, Graph(graph.tuned, tuple(comparisons(inputs, store, graph.tuned, []))), store


def test_scores_come_from_ratings_and_say_so(study: Path, job: Job, tmp_path: Path) -> None:
    inputs, graph, store = judged(study, job)
    for one in graph.compared:
        assert store.make(one.verdicts)
    outcome = {result.arm: result.outcome for result in read_results(inputs, graph, store)}
    languages = list(inputs.study.evaluated)
    fi, es = languages.index("fi"), languages.index("es")
    pinch, untuned = outcome["pinch-4"], outcome["untuned"]
    assert pinch is not None
    assert untuned is not None
    assert pinch.shape == (2, 14, 5)
    rated = pinch[:, :, fi]
    assert (rated == 1).sum() == 24
    assert np.isnan(rated).sum() == 4  # what was not drawn is not known
    assert np.isnan(pinch[:, :, es]).all()
    assert set(untuned[:, :, fi][untuned[:, :, fi] >= 0]) == {0.5}
    write_record(tmp_path, inputs, graph, store)
    again, graph, store = read_record(tmp_path)
    data = gather(again, graph, store)
    assert any("people: 4 raters" in note for note in data.caveats)
    assert not any("language model" in note or "LLM judge" in note for note in data.caveats)
    assert {row.language for row in data.scores if row.arm == "pinch-4"} >= {"fi", "he"}


def test_more_ratings_are_other_verdicts_and_the_same_ones_are_the_same(study: Path, job: Job) -> None:
    first, second = (judged(study, job)[1].compared[0].verdicts.fingerprint for _ in range(2))
    assert first == second
    before = People(PeopleJudge(people=str(job.folder))).identity
    polypinch("rate", "adjudicate", job.folder)
    assert People(PeopleJudge(people=str(job.folder))).identity == before
    rate(job, lambda place, task: "tie")
    assert People(PeopleJudge(people=str(job.folder))).identity != before


def test_a_job_that_is_not_there_or_of_nobody_is_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="no job of ratings") as error:
        People(PeopleJudge(people=str(tmp_path)))
    assert "rate make" in str(error.value)
    polypinch("rate", "make", study, "--languages", "fi", "--out", tmp_path / "job")
    (problem,) = People(PeopleJudge(people=str(tmp_path / "job"))).problems()
    assert (problem.level, "nothing is rated" in problem.message) == ("error", True)


def test_a_job_is_labels_to_hold_a_judge_against(job: Job) -> None:
    done = polypinch("judge", "validate", "--labels", job.folder, "--json")
    assert done.returncode == 0, done.stderr
    people = {one["language"]: one for one in json.loads(done.stdout)["people"]}
    assert set(people) == {"fi", "he"}
    assert people["fi"]["n_pairs"] == 48
