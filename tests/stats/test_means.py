from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from polypinch.stats import SHARE, Array, Bounds, interval, intervals

DRAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Array]] = {
    "normal": lambda generator, shape: generator.normal(size=shape),
    "t3": lambda generator, shape: generator.standard_t(3, shape),
    "lognormal": lambda generator, shape: np.exp(generator.normal(size=shape)) - np.exp(0.5),
    "score": lambda generator, shape: generator.choice([0, 0.5, 1], shape, p=[0.03, 0.06, 0.91]) - 0.94,
    "share": lambda generator, shape: (generator.random(shape) < 0.95) - 0.95,
}


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("items", [12, 16, 64])
def test_intervals_of_few_items_hold_the_truth(kind: str, items: int) -> None:
    generator = np.random.default_rng(items)
    bounds = {"score": Bounds(-0.94, 0.06), "share": Bounds(-0.95, 0.05)}.get(kind)
    values = np.asarray(DRAWS[kind](generator, (60, 1, items, 12)), dtype=np.float64)
    found = intervals(values, [range(12)], bounds, resamples=400)
    single = (found.low <= 1e-9) & (found.high >= -1e-9)
    together = (found.low_together <= 1e-9) & (found.high_together >= -1e-9)
    assert single[:, :12].mean() >= (0.895 if kind == "lognormal" else 0.93) - 2 * np.sqrt(0.05 * 0.95 / 720)
    assert single[:, 12].mean() >= 0.87  # 60 studies: ± .028
    if items >= 16 and kind != "lognormal":
        assert together[:, :12].all(axis=1).mean() >= 0.92 - 2 * np.sqrt(0.05 * 0.95 / 60)


def test_one_pair_is_never_certain() -> None:
    won = interval(np.ones((1, 1, 1)), bounds=SHARE)
    assert won.value == 1
    assert won.low < 0.25
    assert won.high == 1
    tied = interval(np.full((1, 1, 3), 0.5), bounds=SHARE)
    assert tied.low < 0.2
    assert tied.high > 0.8
    assert np.isinf(interval(np.ones((1, 1, 1))).high)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_no_interval_of_a_share_is_without_width_or_leaves_the_scale(value: float) -> None:
    found = intervals(np.full((1, 2, 20, 3), value), [range(3)], SHARE)
    assert (found.high > found.low).all()
    assert (found.low >= 0).all()
    assert (found.high <= 1).all()


def test_a_language_without_values_has_no_interval() -> None:
    values = np.random.default_rng(0).normal(size=(1, 2, 20, 3))
    values[..., 1] = np.nan
    found = intervals(values, [range(3)])
    assert np.isnan(found.low[0, 1])
    assert np.isfinite(found.low[0, [0, 2, 3]]).all()


def test_one_mean_is_the_same_number_alone_and_among_many() -> None:
    values = np.random.default_rng(0).normal(size=(2, 3, 20, 4))
    assert interval(values[1], [0, 2]) == intervals(values, [[0, 2]]).estimate(1, 4)
