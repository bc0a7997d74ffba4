from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.judge import load_judge
from polypinch.judge.measured import keep_measured


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(load_judge("pairwise").path, tmp_path / "mine")
    (tmp_path / "labels.json").write_text("[]")
    return tmp_path / "mine"


def test_figures_are_kept_by_judge_and_labels_and_do_not_change_the_judge(folder: Path) -> None:
    judge, labels = load_judge(folder), folder.parent / "labels.json"
    (folder / "measured.json").write_text(json.dumps({"price": 1}))
    keep_measured(judge, "mine:a", labels, {"en": {"kappa": 0.1}})
    keep_measured(judge, "mine:b", labels, {"en": {"kappa": float("nan")}})
    keep_measured(judge, "mine:a", labels, {"en": {"kappa": 0.3}})
    found = load_judge(folder)
    assert found.version == judge.version
    assert found.measured is not None
    assert found.measured["price"] == 1
    kept = {entry["judge"]: entry["languages"]["en"]["kappa"] for entry in found.measured["agreement"]}
    assert kept == {"mine:a": 0.3, "mine:b": None}


def test_a_built_in_judge_or_one_that_changed_is_refused(folder: Path) -> None:
    labels = folder.parent / "labels.json"
    with pytest.raises(PinchError, match="belongs to the package"):
        keep_measured(load_judge("pairwise"), "pairwise:a", labels, {})
    judge = load_judge(folder)
    (folder / "settings.yaml").write_text("kind: pairwise\ntemperature: 0.5\n")
    with pytest.raises(PinchError, match="changed"):
        keep_measured(judge, "mine:a", labels, {})
    assert not (folder / "measured.json").exists()
