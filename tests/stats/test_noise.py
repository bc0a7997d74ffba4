from __future__ import annotations

import numpy as np
import pytest

from polypinch.stats import Estimate, noise_floor


def test_the_spread_between_seeds_is_found_with_its_interval() -> None:
    generator = np.random.default_rng(0)
    hits, spreads, trials = 0, [], 400
    for _ in range(trials):
        values = generator.normal(0, 0.05, (3, 4, 1, 1)) + generator.normal(0, 0.3, (3, 1, 25, 2))
        found = noise_floor(values)
        hits += found.low <= 0.05 <= found.high
        spreads.append(found.spread)
        assert found.freedom == 9
    assert 0.93 <= hits / trials <= 0.97
    assert np.mean(spreads) == pytest.approx(0.05, rel=0.05)


def test_what_more_items_would_take_away_is_told_from_training() -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(0, 0.4, (1, 8, 40, 1))
    found = noise_floor(values)
    assert found.spread == pytest.approx(0.4 / np.sqrt(40), rel=0.6)
    assert found.training < found.spread / 2


def test_an_effect_is_given_in_spreads() -> None:
    values = np.array([0.0, 0.2])[None, :, None, None] + np.zeros((1, 2, 5, 1))
    found = noise_floor(values)
    assert found.spread == pytest.approx(0.2 / np.sqrt(2))
    multiple = found.multiple(Estimate(found.spread * 3, found.spread, found.spread * 5, 5, 2))
    assert (multiple.value, multiple.low, multiple.high) == pytest.approx((3, 1, 5))


def test_arms_with_one_seed_tell_nothing_of_noise() -> None:
    values = np.full((2, 3, 10, 1), np.nan)
    values[0, 0] = 1.0
    assert noise_floor(values).freedom == 0
    assert np.isnan(noise_floor(values).spread)
    values[1] = np.random.default_rng(2).random((3, 10, 1))
    assert noise_floor(values).freedom == 2
