from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from polypinch.cli import app
from polypinch.errors import PinchError
from polypinch.paper import PRESETS
from tests.pools import parallel_pool
from tests.running import polypinch
from tests.tiny import tiny_model


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("paper")
    pq.write_table(parallel_pool(("en", "es", "fi"), train=64, heldout=8).select(), folder / "pool.parquet")
    return ("--model", tiny_model(folder / "model"), "--pool", str(folder / "pool.parquet"))


def test_a_written_experiment_is_run_from_standard_input_to_the_report(
    where: tuple[str, ...], tmp_path: Path
) -> None:
    written = polypinch("paper", "write", "pinch", "--size", "tiny", *where)
    assert written.returncode == 0, written.stderr
    done = polypinch("run", "-", "--out", tmp_path / "out", stdin=written.stdout)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "report.html").read_text()
    assert "pinch-2" in page
    states = json.loads(polypinch("status", tmp_path / "out", "--json").stdout)
    assert {state["state"] for state in states} == {"done"}
    # English alone is the English opponent: three doses, English, and two opponents more.
    assert len([state for state in states if state["kind"] == "tune"]) == 6


def test_show_says_paper_ours_unknown_and_cost(where: tuple[str, ...]) -> None:
    priced = ("--tokens-per-second", "100", "--price-per-hour", "36")
    done = CliRunner().invoke(app, ["paper", "show", "pinch", *where, *priced, "--json"])
    found = json.loads(done.stdout)
    money = found["cost"]["spending"]["dollars"]
    assert money == pytest.approx({kind: n / 10_000 for kind, n in found["cost"]["tokens"].items()})
    assert "40 is not divisible by 11" in " ".join(found["unknown"])
    assert found["cost"]["tunings"] == 6
    assert found["cost"]["seconds"] == pytest.approx(sum(found["cost"]["tokens"].values()) / 100)


def test_show_without_the_rows_still_tells_of_the_paper_and_why_there_is_no_cost() -> None:
    done = CliRunner().invoke(app, ["paper", "show", "half", "--size", "paper"])
    assert "cannot be told" in done.stdout
    assert "4,640 training rows are needed, 200 are there" in done.stdout
    assert "cs et he hi es zh" in " ".join(done.stdout.split())


def test_list_names_every_experiment_and_so_does_the_refusal_of_another() -> None:
    found = json.loads(CliRunner().invoke(app, ["paper", "list", "--json"]).stdout)
    assert [one["name"] for one in found] == list(PRESETS)
    missing = CliRunner().invoke(app, ["paper", "write", "pinhc"])
    assert isinstance(missing.exception, PinchError)
    assert "dose-ladder" in str(missing.exception)
    assert not missing.stdout
