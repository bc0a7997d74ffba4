from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from polypinch.stats import beside_others, correlation, language_curve, transfer_matrix


def test_rows_and_columns_leave_a_models_own_language_out() -> None:
    truth = np.array([[9.0, 1, 2], [3, 9, 4], [5, 6, 9], [7, 8, 0]])
    found = transfer_matrix(np.repeat(truth[:, None, None, :], 6, axis=2), [0, 1, 2, None], resamples=20)
    assert [one.value for one in found.gives] == pytest.approx([1.5, 3.5, 5.5, 5.0])
    assert [one.value for one in found.takes] == pytest.approx([5.0, 5.0, 2.0])
    assert found.cells[1][0].value == 3
    assert found.takes[0].low == found.takes[0].high == pytest.approx(5.0)


def test_missing_cells_are_left_out_of_means() -> None:
    values = np.random.default_rng(0).random((2, 1, 10, 3))
    values[0, :, :, 2] = np.nan
    found = transfer_matrix(values, [None, None], resamples=20)
    assert np.isnan(found.cells[0][2].value)
    assert found.takes[2].value == pytest.approx(values[1, :, :, 2].mean())
    assert found.gives[0].value == pytest.approx(values[0, :, :, :2].mean())


def test_beside_the_others_no_language_counts_for_being_hard() -> None:
    generator = np.random.default_rng(5)
    gives, level = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 30.0, -20.0, 5.0])
    truth = gives[:, None] + level[None]
    np.fill_diagonal(truth, 99.0)
    values = np.repeat(truth[:, None, None, :], 6, axis=2) + generator.normal(0, 5, (1, 1, 6, 1))
    own = [0, 1, 2, 3]
    found = transfer_matrix(beside_others(values, own), own, resamples=50).gives
    assert [one.value for one in found] == pytest.approx([-7 / 3, -1.0, 1 / 3, 3.0])
    # What makes an item hard for all models is gone.
    assert found[0].high - found[0].low < 1e-9
    alone = beside_others(values[:1], [0])
    assert np.isnan(alone).all()


def test_orderings_are_a_random_effect_of_the_curve() -> None:
    generator = np.random.default_rng(1)
    truth = np.array([0.3, 0.4, 0.45, 0.46])
    hits, steps, between, trials = 0, 0, [], 150
    for trial in range(trials):
        values = (
            truth[:, None, None, None, None]
            + generator.normal(0, 0.05, (4, 5, 1, 1, 1))
            + generator.normal(0, 0.02, (4, 5, 2, 1, 1))
            + generator.normal(0, 0.1, (1, 1, 1, 30, 1))
            + generator.normal(0, 0.05, (4, 5, 2, 30, 3))
        )
        found = language_curve(values, resamples=200, seed=trial)
        hits += sum(one.low <= mean <= one.high for one, mean in zip(found.points, truth, strict=True))
        steps += sum(
            one.low <= step <= one.high for one, step in zip(found.steps, np.diff(truth), strict=True)
        )
        between.append(found.between)
    assert 0.92 <= hits / trials / 4 <= 0.98
    assert 0.92 <= steps / trials / 3 <= 0.98
    # between orderings, their two seeds' luck included
    assert np.mean(between) == pytest.approx(np.hypot(0.05, 0.02 / np.sqrt(2)), rel=0.15)


def test_correlations_cover_the_truth_with_twelve_languages() -> None:
    generator = np.random.default_rng(2)
    for ranks, truth in ((False, 0.5), (True, 6 / np.pi * np.arcsin(0.25))):
        hits, trials = 0, 600
        for _ in range(trials):
            x = generator.normal(size=12)
            y = 0.5 * x + np.sqrt(0.75) * generator.normal(size=12)
            found = correlation(x, y, ranks)
            hits += found.low <= truth <= found.high
        assert 0.93 <= hits / trials <= 0.975


def test_a_language_that_makes_the_correlation_is_named() -> None:
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=12), generator.normal(size=12)
    x[4] = y[4] = 30.0
    found = correlation(x, y)
    assert found.value > 0.95
    assert found.least_without == 4
    assert abs(found.least) < 0.7
    assert found.most >= found.value - 0.05
    ranks = correlation(x, y, ranks=True)
    assert ranks.value == pytest.approx(spearmanr(x, y).statistic)


def test_missing_and_constant_values_have_no_correlation() -> None:
    x, y = np.array([1.0, 2, np.nan, 4]), np.array([2.0, np.nan, 1, 3])
    assert correlation(x, y).n == 2
    assert np.isnan(correlation(x, y).value)
    assert correlation(x, y).least_without is None
    assert np.isnan(correlation(np.ones(6), np.arange(6.0)).value)
    exact = correlation(np.arange(6.0), np.arange(6.0))
    assert exact.value == pytest.approx(1)
    assert exact.low == pytest.approx(1)
