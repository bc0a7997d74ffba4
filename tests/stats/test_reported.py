from __future__ import annotations

import math

import numpy as np
import pytest

from polypinch.stats.reported import from_standard_errors


def test_one_seed_has_the_items_interval_alone() -> None:
    found = from_standard_errors([0.5], [0.1], 40)
    assert (found.value, found.n_items, found.n_seeds) == (0.5, 40, 1)
    assert found.high - found.value == pytest.approx(1.96 * 0.1, rel=1e-3)


def test_seeds_that_agree_do_not_narrow_it_as_they_share_the_items() -> None:
    one, three = (from_standard_errors([0.5] * n, [0.1] * n, 40) for n in (1, 3))
    assert three.high == pytest.approx(one.high)


def test_an_unknown_error_leaves_the_interval_open() -> None:
    found = from_standard_errors([0.5], [math.nan], 40)
    assert found.value == 0.5
    assert math.isnan(found.low)


def test_intervals_cover_the_truth_over_items_and_seeds() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        item = rng.normal(size=100)
        values = item + rng.normal(size=(4, 1)) * 0.1
        found = from_standard_errors(
            values.mean(1).tolist(), (values.std(1, ddof=1) / 10).tolist(), values.shape[1]
        )
        hits += found.low <= 0 <= found.high
    assert 0.93 <= hits / 1000 <= 0.99
