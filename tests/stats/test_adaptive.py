"""The logic of the benchmark of adaptive judging; nothing is timed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.adaptive import designs, measure, rows, run


def test_clear_comparisons_save_most_calls_and_contradict_nothing() -> None:
    outcomes = {"clear": [1.0] * 160 + [0.0] * 40, "even": [1.0, 0.0] * 100}
    found = measure(outcomes, 4, 0.05, 0.05, np.random.default_rng(0))
    assert found["contradicted"] == 0
    assert found["same"] == 1
    assert found["told"] == found["told_by_all"] == 1
    assert 0.3 < found["saved"] < 0.6


def test_labels_are_read_from_the_side_of_each_model(tmp_path: Path) -> None:
    votes = [(1, 1, 2), (2, 2, 2), (0, 1, 2), (0, 0, 1)]
    pairs = [
        {"cmp_key": "a_b", **{f"annotator{index + 1}": str(vote) for index, vote in enumerate(one)}}
        for one in votes
    ]
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(pairs))
    found = designs(path, 50, np.random.default_rng(0))
    assert found["1 pairs of models"] == {"a_b": [1.0, 0.0, 0.5, 0.5]}
    assert found["2 models, each against the rest"]["b"] == [0.0, 1.0, 0.5, 0.5]
    assert len(found["1 pairs of models, resampled to 50 items"]["a_b"]) == 50


def test_pairs_in_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps({"label": label}) + "\n" for label in (0, 1, "2")))
    assert designs(path, 50, np.random.default_rng(0)) == {
        "first against second answer": {"all": [1.0, 0.0, 0.5]}
    }


def test_without_labels_it_says_so() -> None:
    assert "--labels" in run()["failed"]
    assert rows(run())[0][2].startswith("failed")


def test_the_table_has_a_line_for_each_design(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps([{"cmp_key": "a_b", "annotator1": 1, "annotator2": 1, "annotator3": 1}] * 30))
    result = run(labels=str(path), orders=2, items=40)
    assert len(rows(result)) == len(result["runs"]) == 3
