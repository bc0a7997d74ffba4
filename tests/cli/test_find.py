from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from polypinch.cli import app
from polypinch.files import read_json
from tests.running import polypinch
from tests.studies import write_study


@pytest.fixture(scope="module")
def searched(tiny_study: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("searched")
    arms = [
        {"name": "english"},
        *(
            {"name": f"pinch-{count}", "doses": [{"languages": ["es", "fi"], "count": count}]}
            for count in (2, 4, 8, 12)
        ),
    ]
    # No dose is worth a whole bit per byte: the search stops at its first look.
    changes = {"arms": arms, "seeds": [1, 2, 3], "loss_margin": 1.0}
    study = write_study(folder / "study.yaml", tiny_study, **changes)
    done = polypinch("find", study, "--out", folder / "out")
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_find_trains_what_it_needs_whatever_the_files_design(searched: Path) -> None:
    assert len(list((searched / "store" / "tune").glob("[!.]*"))) == 6
    assert len(list((searched / "store" / "answers").glob("[!.]*"))) == 7  # the untuned base's, too
    with (searched / "tables" / "loss.csv").open() as file:
        arms = {line["arm"] for line in csv.DictReader(file)}
    assert arms == {"untuned", "english", "pinch-4", "pinch-12"}


def test_check_says_how_many_trainings_a_search_takes(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    arms = [*tiny_study["arms"][:2], {"name": "pinch-8", "doses": [{"languages": ["es", "fi"], "count": 8}]}]
    study = write_study(tmp_path / "s.yaml", tiny_study, arms=arms, design="adaptive", seeds=[1, 2, 3])
    printed = CliRunner().invoke(app, ["check", str(study), "--no-time", "--out", str(tmp_path), "--json"])
    checked = json.loads(printed.stdout)
    assert any("items are cheap" in one["message"] for one in checked["problems"])  # 4 items, 3 seeds
    trainings = checked["trainings"]
    assert trainings["most"] == 9
    assert 6 <= trainings["expected"] <= 9
    assert 6 <= trainings["where_nothing_works"] <= 9


def test_page_and_files_show_the_looks(searched: Path) -> None:
    page = (searched / "report.html").read_text()
    assert "6 trainings of the 15" in page
    assert "no dose tried is worth the margin" in page
    assert "Not trained, as nothing hung on it: pinch-2, pinch-8." in page
    looks = read_json(searched / "findings.json")["models"][0]["looks"]
    assert [(one["trainings"], one["most"], one["decision"]) for one in looks] == [(6, 15, "nothing")]
    with (searched / "tables" / "looks.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [(line["look"], line["dose"], line["seeds"]) for line in lines] == [
        ("1", "4", "2"),
        ("1", "12", "2"),
    ]


def test_what_was_searched_is_read_again_from_its_folder(searched: Path) -> None:
    before = read_json(searched / "findings.json")
    printed = CliRunner().invoke(app, ["report", str(searched), "--json"])
    assert {key: value for key, value in json.loads(printed.stdout).items() if key != "report"} == before
    status = CliRunner().invoke(app, ["status", str(searched), "--json"])
    steps = json.loads(status.stdout)
    assert {one["state"] for one in steps} == {"done"}
    assert [one["kind"] for one in steps].count("look") == 1
    assert [one["kind"] for one in steps].count("tune") == 6
