from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polypinch.errors import PinchError
from polypinch.specs import load_yaml
from polypinch.study import Study
from polypinch.tracking import TrackedRun, Tracker, require_trackers, tracked
from tests.running import polypinch
from tests.studies import write_study

RUN = TrackedRun("study", "english-s1", "english", "abc", {"seed": 1})


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = reader.EventAccumulator(str(folder))
    board.Reload()
    return {tag: [(e.step, e.value) for e in board.Scalars(tag)] for tag in board.Tags()["scalars"]}


@pytest.mark.parametrize("name", list(Tracker))
def test_a_tracker_that_is_not_installed_is_refused_with_what_installs_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polypinch.tracking.find_spec", lambda _: None)
    with pytest.raises(PinchError, match=name) as refused:
        require_trackers([name])
    assert "pip install" in str(refused.value.fix)


def test_other_trackers_are_left_to_transformers() -> None:
    require_trackers(["mlflow"])


def test_what_goes_wrong_with_a_tracker_is_said_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full:
        def __init__(self, *_: Any) -> None:
            self.closed = False

        def log(self, values: Any, step: int) -> None:
            raise OSError("the quota is spent")

    monkeypatch.setattr("polypinch.tracking._WRITERS", {Tracker.TRACKIO: Full, Tracker.WANDB: None})
    with tracked(["wandb", "trackio"], RUN, tmp_path) as run:
        run.log({"loss": 1.0}, 1)
        run.log({"loss": 0.5}, 2)
        run.results({"loss/fi": 1.0})
    said = capsys.readouterr().err
    assert said.count("trackio is left out: the quota is spent") == 1
    assert said.count("wandb is left out") == 1


def test_a_run_that_goes_on_writes_later_steps_anew(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    with tracked(["tensorboard"], RUN, tmp_path) as run:
        for step in (1, 2, 3):
            run.log({"loss": 1.0}, step)
    with tracked(["tensorboard"], RUN, tmp_path, start=2) as run:
        run.log({"loss": 0.5}, 3)
    assert scalars(tmp_path)["loss"] == [(1, 1.0), (2, 1.0), (3, 0.5)]


def test_a_study_leaves_a_run_of_each_arm_and_seed_with_its_losses_and_results(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard")
    tuning = {**tiny_study["tuning"], "report_to": ["tensorboard"]}
    arms = tiny_study["arms"][:2]
    path = write_study(tmp_path / "s.yaml", tiny_study, tuning=tuning, arms=arms)
    done = polypinch("run", path, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    board = tmp_path / "out" / "tensorboard"
    named = {f"{arm['name']}-s{seed}" for arm in arms for seed in load_yaml(path, Study).seeds}
    assert {folder.name for folder in board.iterdir()} == {"untuned", *named}
    values = scalars(board / "pinch-4-s2")
    table = (tmp_path / "out" / "tables" / "loss.csv").read_text().splitlines()
    cells = next(line.split(",") for line in table if ",pinch-4,fi," in line)
    ends = [values[f"loss/fi{end}"][0][1] for end in ("", "/low", "/high")]
    assert ends == pytest.approx([float(cell) for cell in cells[3:6]], rel=1e-6)
    made = next((tmp_path / "out" / "store" / "tune").glob("pinch-4-s2-*"))
    logged = [json.loads(line) for line in (made / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in logged if "loss" in line]
    assert [value for _, value in values["tuning/loss"]] == pytest.approx(losses, rel=1e-6)
    # What was written while it was tuned stays with the tuning.
    assert scalars(made / "tensorboard")["tuning/loss"] == values["tuning/loss"]
    before = {file: file.stat().st_mtime_ns for file in board.rglob("*")}
    assert polypinch("report", tmp_path / "out").returncode == 0
    assert {file: file.stat().st_mtime_ns for file in board.rglob("*")} == before
