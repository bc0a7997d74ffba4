from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from polypinch.stats import Array, isotonic, saturating
from polypinch.stats.curves import monotone

DOSES = np.array([0.0, 5, 10, 20, 40, 80])


def emax(doses: Array) -> Array:
    return 0.2 + 0.5 * doses / (10 + doses)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=9))
def test_the_monotone_fit_is_that_of_pooling_adjacent_violators(row: list[float]) -> None:
    expected = isotonic_regression(row).x
    assert np.allclose(monotone(np.array([row]))[0], expected, atol=1e-8)


def test_bands_hold_the_true_curve() -> None:
    generator = np.random.default_rng(0)
    trials, seeds, items = 150, 4, 30
    held: list[Array] = []
    saturated: list[Array] = []
    halves = 0
    for trial in range(trials):
        values = (
            emax(DOSES)[:, None, None, None]
            + generator.normal(0, 0.1, (1, 1, items, 1))
            + generator.normal(0, 0.02, (len(DOSES), seeds, 1, 1))
            + generator.normal(0, 0.05, (len(DOSES), seeds, items, 2))
        )
        steps = isotonic(values, DOSES, resamples=200, seed=trial)
        held.append((steps.low <= emax(DOSES)) & (emax(DOSES) <= steps.high))
        smooth = saturating(values, DOSES, resamples=200, seed=trial)
        saturated.append((smooth.curve.low <= emax(DOSES)) & (emax(DOSES) <= smooth.curve.high))
        halves += smooth.half_dose_low <= 10 <= smooth.half_dose_high
    assert 0.91 <= np.mean(held) <= 0.99
    assert 0.91 <= np.mean(saturated) <= 0.99
    assert halves / trials >= 0.9


def test_a_curve_without_noise_is_found_at_every_dose_asked_for() -> None:
    values = np.repeat(emax(DOSES)[:, None, None, None], 12, axis=2)
    at = np.array([2.5, 10, 160])
    found = saturating(values, DOSES, at=at, resamples=20)
    assert np.allclose(found.curve.value, emax(at), atol=0.01)
    assert found.half_dose == pytest.approx(10, rel=0.1)
    assert found.start == pytest.approx(0.2, abs=0.01)
    assert found.gain == pytest.approx(0.5, abs=0.03)


def test_a_straight_line_does_not_tell_where_it_will_saturate() -> None:
    generator = np.random.default_rng(1)
    values = (DOSES / 100)[:, None, None, None] + generator.normal(0, 0.05, (len(DOSES), 2, 20, 1))
    assert saturating(values, DOSES, resamples=100).half_dose_high == np.inf


def test_a_loss_that_falls_has_a_curve_that_never_rises() -> None:
    generator = np.random.default_rng(2)
    values = generator.normal(0, 0.1, (6, 2, 20, 2)) - emax(DOSES)[:, None, None, None]
    order = generator.permutation(6)
    found = isotonic(values[order], DOSES[order], decreasing=True, resamples=50)
    assert (np.diff(found.value) <= 0).all()
    assert (found.doses == DOSES).all()
    assert ((found.low <= found.value) & (found.value <= found.high)).all()


def test_too_few_doses_for_a_curve_are_refused() -> None:
    with pytest.raises(ValueError, match="three doses"):
        saturating(np.zeros((2, 1, 3, 1)), [0, 1])
    with pytest.raises(ValueError, match="one array for each"):
        isotonic(np.zeros((2, 1, 3, 1)), [0, 1, 2])
