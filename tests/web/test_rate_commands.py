from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from polypinch.judge.people import Task, open_job, read_ratings
from polypinch.study import Kind
from tests.judge.people.jobs import rate, shown
from tests.running import polypinch
from tests.web.made import HOSTILE, answer_text, made_study

pytest.importorskip("fastapi", reason="pip install 'polypinch[web]'")

from tests.web.client import Rater


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_study(tmp_path_factory.mktemp("made") / "study")


def make(job: Path, *arguments: object) -> dict[str, Any]:
    done = polypinch("rate", "make", *arguments, "--out", job, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_studys_arms_are_rated_and_told(study: Path, tmp_path: Path) -> None:
    made = make(tmp_path / "job", study, "--arms", "pinch-4", "--languages", "he,fi", "--items", 5)
    assert made["raters"] == ["he-1", "he-2", "fi-1", "fi-2"]
    job = open_job(tmp_path / "job")
    counting = [task for task in job.tasks.values() if task.expected is None]
    assert {(task.arm, task.against, task.seed) for task in counting} == {("pinch-4", "english", 1)}
    assert len({task.item_id for task in counting}) == 5
    for task in counting:
        assert task.arm_text == answer_text("pinch-4", 1, task.item_id, task.language)
        assert task.against_text == answer_text("english", 1, task.item_id, task.language)

    def says(place: Any, task: Task) -> str:
        if task.expected is not None:
            return shown(place, "against" if place.rater == "he-2" else "arm")
        if place.rater == "fi-2" and task.item_id in ("h1", "h2", "h3", "h4"):
            return "both_bad"
        return "first" if place.rater == "he-2" else shown(place, "arm")

    rate(job, says, seconds=4.0)
    found = json.loads(polypinch("rate", "report", job.folder, "--json").stdout)
    by_language = {one["language"]: one for one in found["results"]}
    assert by_language["fi"]["shares"]["arm"]["value"] < 1
    assert by_language["all"]["ratings"] == 20
    raters = {one["rater"]: one for one in found["raters"]}
    assert raters["he-1"]["known"] == [3, 3]
    assert raters["he-2"]["known"] == [0, 3]
    assert raters["he-2"]["first"] == 1.0
    assert raters["he-2"]["repeats"] == [0, 3]  # the sides are changed, and the same place is chosen
    assert raters["he-1"]["seconds"] == 4.0
    unlike = {(one["language"], one["item_id"]) for one in found["disagreements"]}
    assert {item for tag, item in unlike if tag == "fi"} <= {"h1", "h2", "h3", "h4"}
    for one in found["agreement"]:
        assert one["several"] == 5
        assert one["krippendorff"]["value"] < 1
    text = polypinch("rate", "report", job.folder).stdout
    assert "Krippendorff" in text
    assert "he-2" in text


def test_an_adjudicator_decides_and_is_given_each_disagreement_once(study: Path, tmp_path: Path) -> None:
    make(tmp_path / "job", study, "--arms", "pinch-4", "--languages", "fi", "--known", 0, "--repeats", 0)
    job = open_job(tmp_path / "job")
    rate(job, lambda place, task: shown(place, "arm" if place.rater == "fi-1" else "against"))
    added = json.loads(polypinch("rate", "adjudicate", job.folder, "--json").stdout)
    assert added == {"fi-adjudicator": 8}
    assert json.loads(polypinch("rate", "adjudicate", job.folder, "--json").stdout) == {}
    rate(job, lambda place, task: shown(place, "against"))
    (deciding,) = {one.rater for one in read_ratings(job) if one.adjudicates}
    assert deciding == "fi-adjudicator"
    found = json.loads(polypinch("rate", "report", job.folder, "--json").stdout)
    assert found["results"][0]["score"]["value"] == 50.0  # of the raters alone
    assert len(found["disagreements"]) == 8


def test_single_answers_of_all_arms(study: Path, tmp_path: Path) -> None:
    make(
        tmp_path / "job",
        study,
        "--single",
        "--languages",
        "ar",
        "--items",
        2,
        "--raters",
        1,
        "--seeds",
        "1,2",
    )
    job = open_job(tmp_path / "job")
    counting = [task for task in job.tasks.values() if task.expected is None]
    assert sorted({(task.arm, task.seed) for task in counting}, key=str) == [
        ("english", 1),
        ("english", 2),
        ("pinch-4", 1),
        ("pinch-4", 2),
        ("untuned", None),
    ]
    rate(job, lambda place, task: "fail" if task.arm in ("untuned", "known-bad") else "pass")
    found = json.loads(polypinch("rate", "report", job.folder, "--json").stdout)
    shares = {one["arm"]: one["shares"]["pass"]["value"] for one in found["results"]}
    assert shares == {"english": 1.0, "pinch-4": 1.0, "untuned": 0.0}
    assert found["raters"][0]["known"] == [3, 3]


def test_two_files_of_answers(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        lines = [
            {
                "item_id": f"i{n}",
                "language": "fi",
                "prompt": f"Q{n}",
                "text": f"<think>hm</think>{name} {text}",
            }
            for n, text in enumerate(HOSTILE)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    made = make(tmp_path / "job", tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl")
    assert made["fewer"] == {"a known answer needs references": 3}
    job = open_job(tmp_path / "job")
    assert {task.arm_text for task in job.tasks.values()} == {f"ours {text}" for text in HOSTILE}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--arms", "nothing"], "no arm nothing"),
        (["--languages", "sw"], "no language sw"),
        (["--seeds", "9"], "no seed 9"),
        (["--seeds", "x"], "not a whole number"),
        (["--items", 99], "ask for fewer"),
        (["--against", "nothing"], "no arm nothing"),
        (["--model", "other"], "no model other"),
    ],
)
def test_what_a_study_does_not_have_is_named(
    study: Path, tmp_path: Path, arguments: list[object], said: str
) -> None:
    done = polypinch("rate", "make", study, *arguments, "--out", tmp_path / "job")
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "job").exists()


def test_answers_that_are_not_done_cannot_be_rated(tmp_path: Path) -> None:
    study = made_study(tmp_path / "study", unfinished=lambda stage: stage.kind is Kind.ANSWERS, seeds=[1])
    done = polypinch("rate", "make", study, "--out", tmp_path / "job")
    assert "has not answered yet" in done.stderr


def test_a_server_for_others_says_by_which_address_and_when_links_end(study: Path, tmp_path: Path) -> None:
    make(tmp_path / "job", study, "--languages", "fi", "--items", 1)
    done = polypinch("rate", "serve", tmp_path / "job", "--host", "0.0.0.0")
    assert "--url" in done.stderr
    assert "not an address" in polypinch("rate", "serve", tmp_path / "job", "--url", "file:///x").stderr
    assert "holds no job" in polypinch("rate", "serve", tmp_path).stderr


def test_without_the_extra_the_command_says_how_to_install_it(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("polypinch.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    done = polypinch("rate", "serve", tmp_path)
    assert done.returncode == 2
    assert "pip install 'polypinch[web]'" in done.stderr


def test_the_server_says_its_address_once_closes_cleanly_and_links_outlive_it(
    study: Path, tmp_path: Path
) -> None:
    make(tmp_path / "job", study, "--languages", "fi", "--items", 2, "--raters", 1)
    code = "from polypinch.cli import main; main()"
    command = [sys.executable, "-c", code, "rate", "serve", str(tmp_path / "job"), "--port", "0"]

    def serve() -> tuple[subprocess.Popen[str], list[str], int]:
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        assert child.stdout is not None
        lines = []
        while not lines or "Ctrl-C" not in lines[-1]:
            line = child.stdout.readline()
            assert line, "it ended"
            lines.append(line)
        return child, lines, int(re.findall(r":(\d+);", lines[-1])[0])

    child, lines, port = serve()
    assert [line.partition(":")[0] for line in lines[:-1]] == ["fi-1"]
    secret = lines[0].strip().rpartition("/")[2]
    assert Rater(port, secret).rate("tie").status == 303
    child.send_signal(signal.SIGINT)
    rest, _ = child.communicate(timeout=30)
    assert (child.returncode, rest) == (0, "")
    child, lines, port = serve()
    assert secret not in "".join(lines)
    assert Rater(port, secret).get().fields["position"] == "1"
    child.send_signal(signal.SIGTERM)
    rest, _ = child.communicate(timeout=30)
    assert (child.returncode, rest) == (0, "")
