from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.results.arms import shares
from polypinch.study.arrays import Axes

AXES = Axes((1, 2, 3), tuple(f"i{k}" for k in range(12)), ("en", "fi"), {"others": [1]})


def test_a_share_that_was_never_missed_is_not_certain() -> None:
    found = shares(AXES, np.ones((3, 12, 2)))
    assert found["en"].value == found["en"].high == 1
    assert 0.7 < found["en"].low < 0.8
    assert found["en"].low_together is not None
    assert found["en"].low_together <= found["en"].low


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**72 - 1))
def test_intervals_of_shares_keep_to_their_range(bits: int) -> None:
    values = np.array([bits >> k & 1 for k in range(72)], dtype=float).reshape(3, 12, 2)
    for one in shares(AXES, values, 100.0).values():
        assert 0 <= one.low <= one.value <= one.high <= 100
        if one.low_together is not None and one.high_together is not None:
            assert 0 <= one.low_together <= one.low
            assert one.high <= one.high_together <= 100
