from __future__ import annotations

import numpy as np
import pytest

from polypinch.stats import Array, dose_ladder, smallest_dose_within

DOSES = (0.0, 5.0, 10.0, 40.0)


def study(
    generator: np.random.Generator,
    means: tuple[float, ...],
    seeds: int = 3,
    items: int = 40,
    noise: float = 1.0,
) -> Array:
    """(doses, seeds, items, languages) values: items of very unlike difficulty, shared by all doses."""
    shape = (len(means), seeds, items, 2)
    item = generator.normal(0, 0.3, (1, 1, items, 1))
    own = generator.normal(0, 0.05, (len(means), 1, items, 2)) + generator.normal(0, 0.1, shape)
    run = generator.normal(0, 0.02, (len(means), seeds, 1, 1))
    found: Array = np.array(means)[:, None, None, None] + item + noise * (own + run)
    return found


def test_a_dose_too_small_is_called_good_enough_in_5_percent_at_most() -> None:
    generator = np.random.default_rng(5)
    wrong, trials = 0, 150
    for trial in range(trials):
        # The second largest is worse by the margin exactly: the hardest case.
        values = study(generator, (0, 0.1, 0.2, 0.3))
        wrong += smallest_dose_within(0.1, values, DOSES, resamples=300, seed=trial).dose is not None
    assert wrong / trials <= 0.05


def test_the_smallest_dose_near_full_mixing_is_found_and_a_gap_ends_the_search() -> None:
    values = study(np.random.default_rng(11), (0, 0.28, 0.3, 0.3), seeds=4, noise=0.3)
    answer = smallest_dose_within(0.05, values, DOSES)
    assert answer.dose == 5
    assert [step.dose for step in answer.steps] == [10, 5, 0]
    assert answer.steps[-1].told is False  # none is not near
    assert answer.needed is None
    shuffled = smallest_dose_within(0.05, -values[[2, 0, 3, 1]], [10, 0, 40, 5], lower_is_better=True)
    assert shuffled == answer  # a loss: the same numbers, negative
    gap = study(np.random.default_rng(12), (0, 0.3, 0, 0.3), seeds=4, noise=0.3)
    assert smallest_dose_within(0.05, gap, DOSES).dose is None


def test_none_against_the_largest_is_the_largest_against_none() -> None:
    values = study(np.random.default_rng(14), (0, 0.001, 0.002, 0.01))
    last = smallest_dose_within(0.5, values, DOSES).steps[-1].change
    largest = dose_ladder(values, DOSES).effects[-1].change
    assert (-last.value, -last.high, -last.low) == pytest.approx((largest.value, largest.low, largest.high))


def test_where_it_cannot_be_told_it_says_what_could() -> None:
    values = study(np.random.default_rng(15), (0, 0.3, 0.3, 0.3))
    margin = max(0.0, -smallest_dose_within(1, values, DOSES).steps[0].change.value) + 0.005
    answer = smallest_dose_within(margin, values, DOSES)
    assert answer.dose is None
    assert answer.needed is not None
    assert answer.needed.effect > 0


def test_what_makes_no_family_of_doses_is_refused() -> None:
    values = study(np.random.default_rng(13), (0, 0, 0, 0))
    with pytest.raises(ValueError, match="each once"):
        smallest_dose_within(1, values, (0, 5, 5, 10))
    with pytest.raises(ValueError, match="two doses"):
        smallest_dose_within(1, values[:1], (0,))
    with pytest.raises(ValueError, match="positive"):
        smallest_dose_within(0, values, DOSES)
    values[2] = np.nan
    with pytest.raises(ValueError, match="without any value"):
        smallest_dose_within(1, values, DOSES)
