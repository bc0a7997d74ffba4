from __future__ import annotations

import numpy as np
import pyarrow as pa

from polypinch.study.arrays import Axes, fill

AXES = Axes((1, 2, 3), ("a", "b"), ("en", "fi"), {})


def table(value: float) -> pa.Table:
    return pa.table({"item_id": ["a", "b"], "language": ["en", "fi"], "value": [value, value]})


def test_arms_with_different_seeds_stay_paired_by_seed() -> None:
    all_of_them = fill(AXES, {seed: table(seed) for seed in (3, 1, 2)}, "value")
    fewer = fill(AXES, {3: table(0)}, "value")
    assert fewer.shape == all_of_them.shape == (3, 2, 2)
    assert np.isnan(fewer[:2]).all()
    assert (all_of_them - fewer)[2, 0, 0] == 3


def test_what_was_not_tuned_has_one_seed() -> None:
    alone = fill(AXES, {None: table(5)}, "value")
    assert alone.shape == (1, 2, 2)
    assert alone[0, 1, 1] == 5
    assert np.isnan(alone[0, 0, 1])
