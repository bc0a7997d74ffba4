from __future__ import annotations

import numpy as np
import pytest

from polypinch.stats import ratio_intervals


def test_intervals_cover_the_true_ratio() -> None:
    generator = np.random.default_rng(0)
    hits = 0
    for trial in range(300):
        size = generator.gamma(4, 20, (60, 1))
        ours = 1.3 * size * generator.normal(1, 0.1, (60, 1))
        estimate = ratio_intervals(ours, size, resamples=400, seed=trial)[0]
        hits += estimate.low <= 1.3 <= estimate.high
    assert 0.90 <= hits / 300 <= 0.98


def test_long_items_weigh_more_and_what_both_share_cancels_out() -> None:
    size = np.array([[1.0], [9.0]])
    assert ratio_intervals(np.array([[2.0], [9.0]]), size)[0].value == pytest.approx(1.1)
    same = ratio_intervals(2 * size, size)[0]
    assert (same.low, same.value, same.high) == pytest.approx((2.0, 2.0, 2.0))


def test_an_item_counts_only_where_both_are_known() -> None:
    over = np.array([[1.0, np.nan], [3.0, 5.0], [np.nan, np.nan]])
    under = np.array([[1.0, 1.0], [1.0, np.nan], [1.0, 1.0]])
    first, second = ratio_intervals(over, under)
    assert (first.value, first.n_items) == (2.0, 2)
    assert np.isnan(second.value)
    assert second.n_items == 0
