from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from polypinch.cli import app
from polypinch.errors import PinchError
from polypinch.files import read_table
from tests.results.test_harness import BASE, BETTER, results
from tests.studies import tiny_study, write_study
from tests.study.test_run import run_to_report
from tests.tasks.data import mgsm, xcopa

__all__ = ["tiny_study"]


def polypinch(*arguments: object) -> Result:
    """Call a command in this process: another would spend seconds on its imports."""
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def folder(tiny_study, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    made = tmp_path_factory.mktemp("tasks")
    arms = tiny_study["arms"][:2]
    out = made / "out"
    study = write_study(made / "study.yaml", tiny_study, arms=arms, seeds=[1])
    store = run_to_report(study, out)
    record = {"study": {**tiny_study, "arms": arms, "seeds": [1]}, "store": str(store.root)}
    (out / "study.json").write_text(json.dumps(record))
    (made / "model").symlink_to(tiny_study["models"][0])
    return made


def test_one_model_is_scored_by_language_with_intervals(folder: Path, tmp_path: Path) -> None:
    data = xcopa(tmp_path / "xcopa")
    arguments = (
        "tasks",
        "run",
        folder / "model",
        "--layout",
        "xcopa",
        "--path",
        data,
        "--languages",
        "en,fi",
    )
    found = polypinch(*arguments, "--items", 4, "--json")
    assert found.exit_code == 0, found.exception
    scores = json.loads(found.stdout)["scores"]
    assert {(one["metric"], one["language"]) for one in scores} == {
        (metric, name) for metric in ("accuracy", "accuracy_by_length") for name in ("en", "fi", "all")
    }
    assert all(one["low"] <= one["value"] <= one["high"] and one["n_items"] == 4 for one in scores)
    plain = polypinch(*arguments)
    assert "guessing finds 50%" in plain.stdout
    assert "6 items" in plain.stdout


def test_a_tuning_is_scored_in_its_own_chat_format_and_kept(folder: Path, tmp_path: Path) -> None:
    data = mgsm(tmp_path / "mgsm")
    tuned = next((folder / "out" / "store" / "tune").glob("pinch-4-*"))
    arguments = ("tasks", "run", tuned, "--layout", "mgsm", "--path", data, "--max-new-tokens", 4)
    (tmp_path / "own.yaml").write_text('default: "{question} ?"\n')
    own = ("--prompts", tmp_path / "own.yaml", "--out", tmp_path / "scores")
    found = polypinch(*arguments, "--items", 2, *own, "--json")
    assert found.exit_code == 0, found.exception
    assert set(json.loads(found.stdout)["wording"].values()) == {"own"}
    assert read_table(tmp_path / "scores" / "scores.parquet").num_rows == 2 * 4
    again = polypinch(*arguments, *own).exception
    assert isinstance(again, PinchError)
    assert "exists already" in again.message


def test_a_task_that_cannot_be_is_refused_with_the_fix(folder: Path) -> None:
    for arguments, says in (
        ((), "give path"),
        (("--layout", "mgsm", "--path", folder / "gone"), "no such file"),
        (("--layout", "mgsm", "--path", folder, "--prompts", folder / "study.yaml"), "prompts"),
    ):
        error = polypinch("tasks", "run", folder / "model", *arguments).exception
        assert isinstance(error, PinchError)
        assert says in str(error)


def test_an_arm_goes_to_the_harness_and_its_results_come_back(folder: Path, tmp_path: Path) -> None:
    out = folder / "out"
    handed = polypinch("tasks", "export", out, "--arm", "pinch-4", "--seed", 1, "--out", tmp_path / "handed")
    assert handed.exit_code == 0, handed.exception
    assert handed.stdout.startswith("lm_eval --model hf --model_args pretrained=")
    assert "--apply_chat_template" in handed.stdout
    came = polypinch("tasks", "import", out, results(tmp_path / "e", BASE), "--arm", "english")
    assert came.exit_code == 0, came.exception
    results(tmp_path / "p" / "model", BETTER)
    back = polypinch("tasks", "import", out, tmp_path / "p", "--arm", "pinch-4", "--json")
    assert back.exit_code == 0, back.exception
    found = json.loads(back.stdout)
    assert [(one["task"], one["language"], one["samples"]) for one in found["scores"]] == [
        ("copa", "en", 4),
        ("copa", "fi", 4),
    ]
    assert "pinch-4" in (out / "tables" / "tasks.csv").read_text()
    assert "0.25" in (out / "tables" / "tasks.csv").read_text()
