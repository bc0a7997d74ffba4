from __future__ import annotations

import numpy as np
import pytest

from polypinch.stats import mantel, without_means


def distances(generator: np.random.Generator, n: int) -> np.ndarray:
    places = generator.normal(size=(n, 2))
    return np.linalg.norm(places[:, None] - places[None], axis=-1)


def test_row_and_column_means_are_taken_out_off_the_diagonal() -> None:
    generator = np.random.default_rng(0)
    rows, columns = generator.normal(size=(2, 6))
    additive = rows[:, None] + columns[None]
    np.fill_diagonal(additive, 99.0)
    assert np.abs(without_means(additive)).max() < 1e-9
    assert np.isnan(mantel(additive, distances(generator, 6)).value)


def test_without_a_relation_one_in_twenty_is_found_though_languages_differ() -> None:
    generator = np.random.default_rng(1)
    found, trials = 0, 300
    for trial in range(trials):
        apart = distances(generator, 6)
        rows, columns = 3 * generator.normal(size=(2, 6))
        values = rows[:, None] + columns[None] + generator.normal(size=(6, 6))
        found += mantel(values, apart, seed=trial).p <= 0.05
    assert 0.02 <= found / trials <= 0.085


def test_a_relation_is_found_with_its_sign_and_ranks_agree() -> None:
    generator = np.random.default_rng(2)
    apart = distances(generator, 9)
    values = generator.normal(size=(9, 1)) - apart + generator.normal(0, 0.2, (9, 9))
    np.fill_diagonal(values, np.nan)
    found = mantel(values, apart)
    assert found.value < -0.8
    assert found.p < 0.001
    assert found.n == 9
    assert found.least <= found.value <= found.most
    assert mantel(values, apart, ranks=True).value == pytest.approx(found.value, abs=0.15)
    assert mantel(values, apart) == found


def test_languages_of_which_a_pair_is_not_known_are_left_out() -> None:
    generator = np.random.default_rng(3)
    apart, values = distances(generator, 6), generator.normal(size=(6, 6))
    apart[2, :] = apart[:, 2] = np.nan
    kept = [0, 1, 3, 4, 5]
    found = mantel(values, apart)
    truth = mantel(values[np.ix_(kept, kept)], apart[np.ix_(kept, kept)])
    assert (found.n, found.value, found.p) == (5, truth.value, truth.p)
    assert found.least_without == kept[truth.least_without or 0]


def test_three_languages_are_too_few() -> None:
    generator = np.random.default_rng(4)
    found = mantel(generator.normal(size=(3, 3)), distances(generator, 3))
    assert np.isnan(found.value)
    assert found.least_without is None
