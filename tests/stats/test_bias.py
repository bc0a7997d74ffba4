from __future__ import annotations

import numpy as np
import pytest

from polypinch.stats import longer_wins, places, share, with_fidelity


def test_a_judge_that_always_takes_the_first_place_is_found_out() -> None:
    ones = np.ones((1, 40, 2))
    found = places(ones, ones)
    assert found.flips.overall.value == found.first.overall.value == 1
    assert found.flips.overall.low < 1  # 40 items are not all there are


def test_a_judge_without_favours_flips_only_by_chance_and_ties_are_no_flips() -> None:
    generator = np.random.default_rng(0)
    better = generator.integers(0, 2, (1, 300, 3)).astype(float)
    fair = places(better, 1 - better)
    assert fair.flips.overall.value == 0
    assert fair.first.overall.value == 0.5
    ties = np.full((1, 300, 3), 0.5)
    assert places(ties, ties).flips.overall.value == 0
    assert places(ties, ties).first.overall.n_items == 0
    assert np.isnan(places(ties, ties).first.overall.value)


def test_rates_of_places_are_what_counting_gives() -> None:
    nan = np.nan
    arm_first = np.array([1, 1, 0, 0.5, nan, 1])[None, :, None]
    against_first = np.array([1, 0, 0, 1, 1, 0.5])[None, :, None]
    found = places(arm_first, against_first)
    # both orders known: five pairs; flipped: the first and the third
    assert found.flips.languages[0].value == pytest.approx(2 / 5)
    # by pair: 1, 1/2, 0, 1, 1, 1
    assert found.first.languages[0].value == pytest.approx(4.5 / 6)
    assert found.flips.languages[0].n_items == 5


def test_longer_wins_counts_pairs_with_a_winner_and_unlike_lengths() -> None:
    outcome = np.array([1, 0, 1, 0.5, 1, np.nan])[None, :, None]
    difference = np.array([5, -3, -1, 9, 0, 4])[None, :, None]
    assert longer_wins(outcome, difference).languages[0].value == pytest.approx(2 / 3)


def test_a_share_of_nothing_is_not_called_certain_and_a_language_without_values_is_left_out() -> None:
    values = np.zeros((1, 20, 2))
    values[:, :, 1] = np.nan
    found = share(values)
    assert found.languages[0].low == 0
    assert 0.1 < found.languages[0].high < 0.2  # Wilson's upper end of 0 in 20 is 0.161
    assert found.languages[1].n_items == 0
    assert found.overall.high == pytest.approx(found.languages[0].high)


@pytest.mark.parametrize("chance", [0.05, 0.5])
def test_intervals_of_a_share_cover_it_with_translations_in_clusters(chance: float) -> None:
    generator = np.random.default_rng(1)
    hits, trials = 0, 200
    for trial in range(trials):
        # Half of the items' translations agree by their item.
        own, common = generator.random((1, 80, 4)) < chance, generator.random((1, 80, 1)) < chance
        values = np.where(generator.random((1, 80, 1)) < 0.5, common, own).astype(float)
        found = share(values, resamples=300, seed=trial).overall
        hits += found.low <= chance <= found.high
    assert 0.92 <= hits / trials <= 0.985


def test_losses_by_the_language_are_told_from_losses_by_the_content() -> None:
    nan = np.nan
    outcome = np.array([0, 0, 0, 0, 1, 0.5, 0])[None, :, None]
    ours = np.array([0, 1, 0, nan, 1, 1, nan])[None, :, None]
    theirs = np.array([1, 1, 0, 0, 1, nan, 1])[None, :, None]
    found = with_fidelity(outcome, ours, theirs)
    assert found.score.languages[0].value == pytest.approx(1.5 / 7)
    assert found.both_right.languages[0].value == pytest.approx(1 / 2)
    # known losses: by the language, by the content, both wrong, other wrong; the last can't be told
    assert found.wrong_language_losses.languages[0].value == pytest.approx(1 / 4)


def test_a_pinch_that_repairs_the_language_alone_shows_as_that() -> None:
    generator = np.random.default_rng(2)
    ours = (generator.random((1, 400, 3)) < 0.7).astype(float)
    theirs = np.ones_like(ours)
    outcome = np.where(ours == 1, generator.integers(0, 2, ours.shape), 0).astype(float)
    found = with_fidelity(outcome, ours, theirs)
    assert found.score.overall.high < 0.42
    assert found.both_right.overall.low < 0.5 < found.both_right.overall.high
    assert found.wrong_language_losses.overall.value == pytest.approx(0.3 / 0.65, abs=0.05)
