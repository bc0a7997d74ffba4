from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from polypinch.stats import Array, length_controlled


def judged(
    generator: np.random.Generator,
    level: float,
    slope: float,
    shape: tuple[int, int, int],
    longer: float = 1.0,
) -> tuple[Array, Array]:
    """Pairs of a judge that likes length, in which the arm's answers are longer by ``longer`` deviations."""
    difference = generator.normal(longer, 1, shape) * 200
    item = generator.normal(0, 0.7, (1, shape[1], 1))
    chance = expit(level + item + slope * np.tanh(difference / 200))
    return (generator.random(shape) < chance).astype(float), difference


def test_a_score_that_comes_from_length_alone_is_taken_back_to_parity() -> None:
    outcome, difference = judged(np.random.default_rng(0), 0.0, 1.5, (1, 400, 4))
    assert outcome.mean() > 0.65
    found = length_controlled(outcome, difference, resamples=100)
    assert found.scores.overall.low < 0.5 < found.scores.overall.high
    assert found.slope.low > 0.8
    assert found.scores.overall.n_items == 400


def test_where_length_does_not_matter_the_score_stays_what_it_is() -> None:
    outcome, difference = judged(np.random.default_rng(1), 0.6, 0.0, (1, 500, 3))
    found = length_controlled(outcome, difference, resamples=100)
    assert found.scores.overall.value == pytest.approx(outcome.mean(), abs=0.03)
    assert found.slope.low < 0 < found.slope.high


def test_equal_lengths_leave_every_score_as_it_is() -> None:
    generator = np.random.default_rng(2)
    outcome = generator.choice([0, 0.5, 1], (2, 60, 3))
    outcome[generator.random(outcome.shape) < 0.1] = np.nan
    found = length_controlled(outcome, np.zeros_like(outcome), resamples=20)
    for tag, one in enumerate(found.scores.languages):
        assert one.value == pytest.approx(np.nanmean(outcome[:, :, tag]), abs=1e-4)


def test_the_unit_of_length_does_not_matter() -> None:
    outcome, difference = judged(np.random.default_rng(3), 0.2, 1.0, (1, 80, 2))
    characters = length_controlled(outcome, difference, resamples=30)
    words = length_controlled(outcome, difference / 6, resamples=30)
    assert characters.scores.overall.value == pytest.approx(words.scores.overall.value)
    assert characters.scores.overall.low == pytest.approx(words.scores.overall.low)


def test_intervals_cover_the_score_at_equal_lengths() -> None:
    generator = np.random.default_rng(4)
    truth = expit(0.4 + 0.7 * np.random.default_rng(0).normal(size=200_000)).mean()
    hits, trials = 0, 100
    for trial in range(trials):
        outcome, difference = judged(generator, 0.4, 1.0, (1, 80, 2))
        found = length_controlled(outcome, difference, resamples=80, seed=trial).scores.overall
        hits += found.low <= truth <= found.high
    assert 0.9 <= hits / trials <= 0.99


def test_all_won_and_nothing_known_have_an_answer_too() -> None:
    generator = np.random.default_rng(5)
    difference = generator.normal(0, 1, (1, 30, 2))
    won = np.ones_like(difference)
    won[:, :, 1] = np.nan
    found = length_controlled(won, difference, resamples=20)
    assert found.scores.languages[0].value > 0.99
    assert np.isnan(found.scores.languages[1].value)
    empty = length_controlled(np.full_like(won, np.nan), difference, resamples=20)
    assert empty.scores.overall.n_items == 0
    assert np.isnan(empty.slope.value)
