from __future__ import annotations

import numpy as np
import pytest

from polypinch.stats import SHARE, Endpoint, dose_ladder, enough

DOSES = (0, 5, 10)


def test_a_dose_is_enough_where_every_endpoint_holds() -> None:
    generator = np.random.default_rng(1)
    noise = generator.normal(0, 0.01, (2, 3, 2, 64, 2))
    loss = noise[0] + np.array([0.0, -0.1, -0.1])[:, None, None, None]
    english = noise[1] + np.array([0.0, 0.0, 0.2])[:, None, None, None]
    ends = [Endpoint(loss, lower_is_better=True), Endpoint(english, margin=0.05, lower_is_better=True)]
    five, ten = enough(ends, DOSES)
    assert five.holds
    assert [one.holds for one in ten.endpoints] == [True, False]
    assert ten.fails
    assert not five.fails
    # one number, one interval: the endpoint's change is the ladder's
    assert five.endpoints[0].change == dose_ladder(loss, DOSES, lower_is_better=True).effects[0].change


def test_perfect_fidelity_of_few_items_does_not_prove_a_margin() -> None:
    few, many = (
        enough([Endpoint(np.ones((3, 2, items, 1)), margin=0.05, bounds=SHARE)], DOSES) for items in (12, 200)
    )
    assert not few[0].holds
    assert not few[0].fails
    assert many[0].holds


def test_at_the_margin_exactly_a_dose_is_called_as_good_in_3_percent_at_most() -> None:
    generator, wrong, trials = np.random.default_rng(5), 0, 150
    for trial in range(trials):
        values = generator.normal(0, 0.1, (2, 3, 24, 2)) + generator.normal(0, 0.03, (2, 3, 1, 1))
        values[1] -= 0.05
        wrong += enough([Endpoint(values, margin=0.05)], (0, 5), 200, trial)[0].holds
    assert wrong / trials <= 0.03 + 2 * np.sqrt(0.03 * 0.97 / trials)


def test_no_endpoint_and_no_margin_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        enough([], DOSES)
    with pytest.raises(ValueError, match="positive"):
        enough([Endpoint(np.ones((3, 2, 8, 1)), margin=0.0)], DOSES)
