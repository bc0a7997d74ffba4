"""Jobs that go out to Label Studio and Argilla, and come back as these write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from polypinch.judge.people import CHOICES, Flag, Job, Rated, Ratings, read_ratings
from tests.judge.people.jobs import answer_job, pair_job
from tests.running import polypinch


def exported(job: Job, to: str, out: Path) -> Path:
    done = polypinch("rate", "export", job.folder, "--to", to, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def imported(job: Job, source: str, *files: Path) -> dict[str, int]:
    done = polypinch("rate", "import", job.folder, *files, "--from", source, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def pressed(data: dict[str, str]) -> str:
    return "first" if data["first"].startswith("pinch") else "second"


def annotated(tasks: list[dict[str, Any]], people: list[Any]) -> list[dict[str, Any]]:
    """Return tasks as Label Studio exports them once each of some people has annotated all."""

    def result(task: dict[str, Any]) -> list[dict[str, Any]]:
        about = {"to_name": "prompt", "origin": "manual"}
        return [
            {
                **about,
                "id": "a",
                "type": "choices",
                "from_name": "choice",
                "value": {"choices": [pressed(task["data"])]},
            },
            {
                **about,
                "id": "b",
                "type": "choices",
                "from_name": "second_flags",
                "value": {"choices": ["unsafe"]},
            },
            {**about, "id": "c", "type": "textarea", "from_name": "comment", "value": {"text": ["a", "b"]}},
        ]

    return [
        {
            **task,
            "id": number,
            "annotations": [
                {
                    "id": 1,
                    "completed_by": by,
                    "was_cancelled": False,
                    "lead_time": 2.5,
                    "result": result(task),
                }
                for by in people
            ]
            + [{"id": 2, "completed_by": 9, "was_cancelled": True, "result": []}],
            "predictions": [],
        }
        for number, task in enumerate(tasks)
    ]


def test_label_studio_and_back(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job", items=8, raters=1, known=0)
    out = exported(job, "label-studio", tmp_path / "out")
    config = ElementTree.fromstring((out / "he" / "config.xml").read_text(encoding="utf-8"))
    choices = [one.get("alias") for one in config.find("Choices") or ()]
    assert choices == [choice.value for choice in CHOICES[Rated.PAIRS]]
    tasks = json.loads((out / "he" / "tasks.json").read_text())
    assert len(tasks) == 8
    written = (out / "he" / "tasks.json").read_text()
    assert not any(name in written for name in job.tasks)
    file = tmp_path / "export.json"
    file.write_text(json.dumps(annotated(tasks, [7, {"id": 8, "email": "who@example.org"}])))
    assert imported(job, "label-studio", file) == {"he-label-studio-7": 8, "he-label-studio-8": 8}
    assert imported(job, "label-studio", file) == {"he-label-studio-7": 0, "he-label-studio-8": 0}
    said = read_ratings(job)
    assert len(said) == 16
    assert {one.choice for one in said} == {"arm"}
    assert {(one.comment, one.seconds) for one in said} == {("a\nb", 2.5)}
    for one in said:
        assert one.flags == ("against:unsafe" if one.arm_first else "arm:unsafe",)
    assert b"who@example.org" not in job.ratings_file.read_bytes()
    with Ratings(job.ratings_file) as kept:
        assert kept.without_link() == ["fi-1", "he-1"]
    found = json.loads(polypinch("rate", "report", job.folder, "--json").stdout)
    agreement = {one["language"]: one["same"]["value"] for one in found["agreement"]}
    assert agreement["he"] == 1.0


def test_argilla_and_back(tmp_path: Path) -> None:
    job = answer_job(tmp_path / "job", items=2, raters=2)
    out = exported(job, "argilla", tmp_path / "out")
    settings = json.loads((out / "fi" / ".argilla" / "settings.json").read_text())
    questions = {one["name"]: one for one in settings["questions"]}
    options = [one["value"] for one in questions["choice"]["settings"]["options"]]
    assert options == [choice.value for choice in CHOICES[Rated.ANSWERS]]
    assert {one["value"] for one in questions["first_flags"]["settings"]["options"]} == set(Flag)
    assert [one["name"] for one in settings["fields"]] == ["prompt", "first"]
    assert settings["distribution"] == {"strategy": "overlap", "min_submitted": 2}
    records = json.loads((out / "fi" / "records.json").read_text())
    user = "11111111-1111-1111-1111-111111111111"
    for record in records[:3]:
        record["responses"] = {
            "choice": [{"value": "pass", "user_id": user}],
            "first_flags": [{"value": ["not_fluent"], "user_id": user}],
        }
    records[3]["responses"] = {"comment": [{"value": "a draft", "user_id": user}]}
    (out / "fi" / "records.json").write_text(json.dumps(records))
    assert imported(job, "argilla", out / "fi") == {f"fi-argilla-{user}": 3}
    said = read_ratings(job)
    assert {(one.choice, one.flags, one.seconds) for one in said} == {("pass", ("arm:not_fluent",), None)}


@pytest.mark.parametrize(
    ("source", "content", "said"),
    [
        ("label-studio", {"a": 1}, "not a list"),
        (
            "label-studio",
            [{"annotations": [{"completed_by": 1, "result": []}]}],
            "record 1 is not as label-studio",
        ),
        (
            "label-studio",
            [{"data": {"place": "x/1"}, "annotations": [{"completed_by": 1, "result": []}]}],
            "no place",
        ),
        (
            "argilla",
            [{"id": "fi-1/0", "responses": {"choice": [{"value": "great", "user_id": "u"}]}}],
            "no choice",
        ),
        ("argilla", [3], "record 1 is not as argilla"),
        ("elsewhere", [], "no such tool"),
    ],
)
def test_what_is_not_of_the_job_is_refused_and_nothing_is_kept(
    tmp_path: Path, source: str, content: Any, said: str
) -> None:
    job = pair_job(tmp_path / "job", items=2, raters=1)
    good = {"id": "fi-1/1", "responses": {"choice": [{"value": "first", "user_id": "u"}]}}
    rows = [good, *content] if source == "argilla" and isinstance(content[0], dict) else content
    (tmp_path / "file.json").write_text(json.dumps(rows))
    done = polypinch("rate", "import", job.folder, tmp_path / "file.json", "--from", source)
    assert done.returncode == 2
    assert said in done.stderr
    assert read_ratings(job) == []
