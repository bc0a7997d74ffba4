"""The logic of the benchmark that simulates studies; nothing is timed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import adaptive_study, hostile
from benchmarks.stats import DOSES, SHAPES, doses, rows, run, simulated


def test_simulated_studies_have_the_spread_asked_for() -> None:
    values = simulated(400, 3, 20, 2, (0.3, 0.2, 0.1), np.random.default_rng(0))
    assert values.shape == (400, 3, 20, 2)
    assert values.std() == pytest.approx(np.sqrt(0.09 + 0.04 + 0.01), rel=0.05)
    assert values.mean(axis=(2, 3)).std(axis=1, ddof=1).mean() == pytest.approx(0.24, rel=0.15)


def test_a_large_effect_is_always_told_and_a_dose_too_small_never_called_near() -> None:
    found = doses(8, 5, 40, 0.5 * np.array(SHAPES["an effect of the two largest"]), np.random.default_rng(1))
    assert found["any"] == 1
    assert found["right"] + found["too_small"] == 1
    assert found["not_within"] == 0


def test_every_kind_of_study_has_its_line() -> None:
    result = run(trials=3, items=12, resamples=20)
    assert len(rows(result)) == 1 + len(result["coverage"]) + len(result["doses"])
    assert {len(means) for means in SHAPES.values()} == {len(DOSES)}
    assert all(0 <= one["together"] <= 1 for one in result["coverage"])


def test_every_hostile_study_has_its_line_and_no_design_is_twice() -> None:
    result = hostile.run(trials=1)
    assert len(hostile.rows(result)) == len(hostile.DESIGNS) == len(set(hostile.DESIGNS))
    assert {design[2] for design in hostile.DESIGNS} == set(hostile.VALUES)


def test_every_search_has_its_line() -> None:
    result = adaptive_study.run(trials=1, items=16)
    assert len(adaptive_study.rows(result)) == len(adaptive_study.TRUTHS) * len(adaptive_study.VARIANCES)
    assert all(one["worst"] <= one["most"] for one in result["runs"])
