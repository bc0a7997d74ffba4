from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.running import polypinch
from tests.studies import write_study


def _tables(out: Path) -> dict[str, str]:
    paths = sorted((out / "tables").glob("*.csv"))
    return {path.name: path.read_text() for path in paths if path.name != "steps.csv"}  # says when


def test_two_workers_make_what_one_makes(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    study = write_study(tmp_path / "s.yaml", tiny_study, seeds=[1], arms=tiny_study["arms"][:2])
    for workers in (1, 2):
        done = polypinch("run", study, "--out", tmp_path / str(workers), "--workers", workers)
        assert done.returncode == 0, done.stderr
    assert _tables(tmp_path / "1") == _tables(tmp_path / "2")
    assert not list((tmp_path / "2" / "workers").iterdir())


def test_a_store_elsewhere_is_shared_and_its_copy_is_read_without_it(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    study = write_study(tmp_path / "s.yaml", tiny_study, seeds=[1], arms=tiny_study["arms"][:2])
    there = tmp_path / "there"
    for out in ("first", "second"):
        done = polypinch("run", study, "--out", tmp_path / out, "--store", f"file://{there}")
        assert done.returncode == 0, done.stderr
    assert "[" not in done.stderr.replace("[/", "")
    assert _tables(tmp_path / "first") == _tables(tmp_path / "second")
    there.rename(tmp_path / "gone")
    assert polypinch("report", tmp_path / "second").returncode == 0
