from __future__ import annotations

import math

import pytest
from scipy.stats import binomtest

from polypinch.stats import Estimate
from polypinch.stats.edges import widened


@pytest.mark.parametrize(("value", "right"), [(0.0, 0), (1.0, 40)])
def test_nothing_or_all_right_has_the_exact_binomial_interval(value: float, right: int) -> None:
    exact = binomtest(right, 40).proportion_ci(0.95, "exact")
    found = widened(Estimate(value, value, value, 40, 3), 0, 1)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_differences_that_are_all_nothing_could_be_either_way() -> None:
    found = widened(Estimate(0.0, 0.0, 0.0, 40, 3), -1, 1)
    assert found.low == pytest.approx(-found.high)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 40))


def test_an_interval_with_width_stays() -> None:
    one = Estimate(0.5, 0.4, 0.6, 40, 3)
    assert widened(one, 0, 1) == one
    nothing = Estimate(math.nan, math.nan, math.nan, 0, 3)
    assert math.isnan(widened(nothing, 0, 1).low)
    open_ended = widened(Estimate(0.5, math.nan, math.nan, 40, 1), 0, 1)
    assert math.isnan(open_ended.low)
