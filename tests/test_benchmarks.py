"""The benchmarks' own logic; nothing is timed and no peer is run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import study
from benchmarks.__main__ import main, table
from benchmarks.growth import fit
from benchmarks.limit import attended
from benchmarks.tune import compare, throughput

ROOT = Path(__file__).parent.parent


def run_of(seconds: float, peak: int, losses: list[float]) -> dict[str, Any]:
    steps = [
        {"step": index + 1, "loss": loss, "seconds": seconds, "tokens": 100}
        for index, loss in enumerate(losses)
    ]
    return {"steps": steps, "tokens_per_s": throughput(steps), "peak_mb": peak}


@pytest.mark.parametrize("name", [[], ["tune"], ["limit"], ["growth"], ["judge"], ["all"]])
def test_help_is_there(name: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *name, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "usage: python -m benchmarks" in done.stdout
    if name:
        assert "--json" in done.stdout


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "invalid choice" in capsys.readouterr().err


def test_throughput_leaves_the_warm_up_out() -> None:
    steps = [{"seconds": 100.0, "tokens": 1}] * 2 + [{"seconds": 2.0, "tokens": 100}] * 3
    assert throughput(steps) == 50


def test_the_best_peer_is_the_fastest_and_losses_are_compared_where_both_have_them() -> None:
    runs = {
        "polypinch": run_of(1, 100, [3.0, 2.0, 1.0, 1.0]),
        "trl-default": run_of(10, 300, [3.0, 2.0, 1.1]),
        "trainer": run_of(4, 500, [3.0, 2.0, 1.0, 1.0]),
        "trainer-kept": run_of(2, 400, [3.0, 2.0, 1.0, 1.0]),
        "llamafactory": {"failed": "not here"},
    }
    found = compare(runs)
    assert found["best_peer"] == {"name": "trainer", "speed": 4}
    assert found["smallest_peer"] == {"name": "trl-default", "memory": 0.333}
    assert found["ratios"]["trl-default"]["loss_step"] == 3
    assert found["ratios"]["trl-default"]["loss_difference"] == pytest.approx(0.1 / 1.1, abs=1e-5)
    assert found["ratios"]["trainer-kept"]["speed"] == 2
    assert "llamafactory" not in found["ratios"]


@given(st.integers(1, 60), st.none() | st.integers(1, 60))
def test_attended_pairs_are_counted_one_by_one(length: int, window: int | None) -> None:
    assert attended(length, window) == sum(min(place + 1, window or length) for place in range(length))


def test_a_line_is_seen_as_one_and_a_square_is_not() -> None:
    sizes = (1e3, 1e4, 1e5)
    line = fit([{"tokens": n, "seconds": 2 + n * 1e-4, "peak_mb": 100} for n in sizes])
    assert (line["start_s"], line["us_per_token"], line["slope_growth"], line["memory_growth"]) == (
        2,
        100,
        1,
        1,
    )
    square = fit([{"tokens": n, "seconds": 2 + n * n * 1e-6, "peak_mb": n} for n in sizes])
    assert square["slope_growth"] > 5
    assert square["memory_growth"] == 100


def test_a_table_has_as_many_cells_in_every_line() -> None:
    lines = table([("tune", "us", "1", ""), ("mix", "peer")]).splitlines()
    assert len({line.count("|") for line in lines}) == 1


def test_a_studys_overhead_is_what_its_work_does_not_explain() -> None:
    whole = {
        "wall_s": 103.0,
        "necessary": {"tune": 60.0, "answer": 40.0},
        "arms": {"untuned": 20.0, "a": 80.0},
    }
    assert study.compare(whole, {}) == {"necessary_s": 100.0, "overhead": 0.03}
    assert study.compare(whole, {"untuned": 30.0})["scripts_ratio"] == 1.5
    assert study.compare(whole, {"untuned": 30.0, "a": 176.0})["scripts_ratio"] == 2


def test_time_within_another_work_is_counted_once() -> None:
    spent: dict[str, float] = {}
    with study._timed(spent):
        from polypinch.publish import report

        with pytest.raises(AttributeError):
            report(None, None, None, None)  # type: ignore[arg-type]
    assert set(spent) == {"report"}
