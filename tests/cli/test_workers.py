from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.running import polypinch
from tests.studies import tables, write_study


def test_two_workers_make_what_one_makes(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    study = write_study(tmp_path / "s.yaml", tiny_study, seeds=[1], arms=tiny_study["arms"][:2])
    for workers in (1, 2):
        done = polypinch("run", study, "--out", tmp_path / str(workers), "--workers", workers)
        assert done.returncode == 0, done.stderr
    assert tables(tmp_path / "1") == tables(tmp_path / "2")
    assert not list((tmp_path / "2" / "workers").iterdir())


def test_a_store_elsewhere_is_shared_and_its_copy_is_read_without_it(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    study = write_study(tmp_path / "s.yaml", tiny_study, seeds=[1], arms=tiny_study["arms"][:2])
    there = tmp_path / "there"
    for out in ("first", "second"):
        done = polypinch("run", study, "--out", tmp_path / out, "--store", f"file://{there}")
        assert done.returncode == 0, done.stderr
    assert not re.search(r"\[ *\d+/\d+\]", done.stderr)  # no step was made again
    assert tables(tmp_path / "first") == tables(tmp_path / "second")
    there.rename(tmp_path / "gone")
    assert polypinch("report", tmp_path / "second").returncode == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--resources", "tune: {gpus: 1}"), "no cluster is asked"),
        (("--on", "ray", "--workers", 2), "a cluster makes the steps"),
        (("--on", "ray", "--resources", "tune: {gpus: 1}, tune: {gpus: 2}"), "tune stands twice"),
        (("--on", "ray", "--resources", "tune"), "--resources"),
    ],
)
def test_options_that_would_change_nothing_are_refused_before_anything_is_opened(
    options: tuple[str, ...], said: str, tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    study = write_study(tmp_path / "s.yaml", tiny_study)
    done = polypinch("run", study, "--out", tmp_path / "out", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert "opening" not in done.stderr
