from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.stats import SHARE, interval, language_means, resampled_means


def test_intervals_cover_the_truth_when_translations_share_their_item() -> None:
    generator = np.random.default_rng(0)
    hits = 0
    for trial in range(300):
        item = generator.normal(0, 1, (1, 60, 1))
        values = 0.3 + item + generator.normal(0, 0.3, (1, 60, 4))
        estimate = interval(values, resamples=400, seed=trial)
        hits += estimate.low <= 0.3 <= estimate.high
    assert 0.90 <= hits / 300 <= 0.98


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_intervals_cover_the_truth_with_few_seeds(seeds: int) -> None:
    generator = np.random.default_rng(seeds)
    hits = 0
    for trial in range(300):
        item = generator.normal(0, 0.1, (1, 40, 1))
        run = generator.normal(0, 0.05, (seeds, 1, 1))
        values = 0.3 + item + run + generator.normal(0, 0.05, (seeds, 40, 3))
        estimate = interval(values, resamples=300, seed=trial)
        hits += estimate.low <= 0.3 <= estimate.high
    assert hits / 300 >= 0.92


def test_ignoring_that_translations_share_their_item_would_be_overconfident() -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(0, 1, (1, 80, 1)) + np.zeros((1, 80, 10))
    clustered = interval(values)
    as_if_independent = interval(values.reshape(1, 800, 1))
    assert clustered.high - clustered.low > 2 * (as_if_independent.high - as_if_independent.low)


def test_the_spread_between_seeds_widens_the_interval() -> None:
    generator = np.random.default_rng(2)
    items = generator.normal(0, 0.1, (1, 50, 2))
    agreeing = np.repeat(items, 4, axis=0)
    differing = agreeing + np.array([-1.0, -0.3, 0.3, 1.0])[:, None, None]
    narrow, wide = interval(agreeing), interval(differing)
    assert narrow.value == pytest.approx(wide.value)
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert narrow.high - narrow.low < 0.1


def test_two_arms_over_the_same_items_stay_paired() -> None:
    generator = np.random.default_rng(3)
    ours = generator.normal(0, 1, (1, 40, 3))
    theirs = ours + 0.01
    drawn = resampled_means(ours, 200, 5) - resampled_means(theirs, 200, 5)
    assert np.allclose(drawn, -0.01)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3), st.integers(1, 8), st.integers(1, 4), st.integers(0, 10_000))
def test_a_mean_lies_within_its_interval_and_missing_values_are_left_out(
    seeds: int, items: int, languages: int, entropy: int
) -> None:
    generator = np.random.default_rng(entropy)
    values = generator.random((seeds, items, languages))
    values[generator.random(values.shape) < 0.2] = np.nan
    estimate = interval(values, bounds=SHARE, resamples=50)
    if np.isfinite(values).any():
        assert estimate.value == pytest.approx(np.nanmean(language_means(values)))
        assert estimate.low <= estimate.value + 1e-9
        assert estimate.value - 1e-9 <= estimate.high
        if seeds == 1:
            assert estimate.low + 1e-9 >= 0
            assert estimate.high <= 1 + 1e-9
        assert estimate.n_seeds == np.isfinite(values).any(axis=(1, 2)).sum()
    else:
        assert estimate.n_items == 0
        assert np.isnan(estimate.value)


def test_languages_weigh_the_same_however_many_values_they_have() -> None:
    values = np.full((1, 10, 2), np.nan)
    values[0, :, 0] = 1.0
    values[0, 0, 1] = 0.0
    assert interval(values).value == pytest.approx(0.5)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(4).random((2, 20, 3))
    assert interval(values, seed=1) == interval(values, seed=1)
    assert interval(values, seed=1) != interval(values, seed=2)
