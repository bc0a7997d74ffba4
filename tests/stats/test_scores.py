from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.stats import Array, intervals, language_means


def simulated(
    generator: np.random.Generator,
    trials: int,
    seeds: int,
    items: int,
    spread: tuple[float, float, float],
    languages: int = 3,
) -> Array:
    """Values with mean 0 that vary by seed, item and single answer; seeds and items half by language."""

    def part(size: float, *shape: int) -> Array:
        common = generator.normal(0, size, (trials, *shape, 1))
        own: Array = generator.normal(0, size, (trials, *shape, languages))
        return np.sqrt(0.5) * (common + own)

    noise: Array = generator.normal(0, spread[2], (trials, seeds, items, languages))
    return part(spread[0], seeds, 1) + part(spread[1], 1, items) + noise


@pytest.mark.parametrize(
    ("seeds", "spread"),
    [
        (1, (0.0, 0.2, 0.1)),
        (3, (0.1, 0.1, 0.1)),
        (5, (0.03, 0.2, 0.1)),
        (5, (0.1, 0.1, 0.1)),
    ],
)
def test_intervals_cover_the_truth_93_to_97_times_in_100(
    seeds: int, spread: tuple[float, float, float]
) -> None:
    values = simulated(np.random.default_rng(seeds), 1200, seeds, 60, spread)
    found = intervals(values, [range(3)], resamples=500)
    hit = (found.low < 0) & (found.high > 0)
    assert 0.93 <= hit[:, :3].mean() <= 0.97
    assert 0.93 <= hit[:, 3].mean() <= 0.97
    together = ((found.low_together < 0) & (found.high_together > 0))[:, :3].all(axis=1).mean()
    assert 0.93 <= together <= 0.975
    # Which intervals taken one by one don't do.
    assert hit[:, :3].all(axis=1).mean() < together - 0.02


@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("spread", [(0.0, 0.1, 0.1), (0.01, 0.03, 0.3)])
def test_intervals_never_cover_less_where_seeds_are_few(
    seeds: int, spread: tuple[float, float, float]
) -> None:
    values = simulated(np.random.default_rng(seeds + 10), 600, seeds, 60, spread)
    found = intervals(values, resamples=300)
    assert ((found.low < 0) & (found.high > 0)).mean() >= 0.94


def test_contrasts_are_paired_by_item_and_seed() -> None:
    generator = np.random.default_rng(0)
    values = np.repeat(simulated(generator, 1, 3, 80, (0.1, 1.0, 0.1)), 2, axis=0)
    values[1] += 0.05 + generator.normal(0, 0.01, values[1].shape)
    apart, paired = intervals(values, [range(3)]), intervals(values - values[0], [range(3)])
    assert apart.low[1, 3] < apart.high[0, 3]
    assert paired.low[1, 3] > 0.04
    assert paired.value[1, 3] == pytest.approx(0.05, abs=0.005)
    assert (paired.value[0] == 0).all()


def test_an_arm_without_seeds_is_compared_with_each_of_the_others() -> None:
    generator = np.random.default_rng(1)
    untuned = np.repeat(generator.normal(0, 1, (1, 1, 50, 2)), 4, axis=1)
    tuned = untuned + np.array([0.0, 0.1, 0.2, 0.3])[None, :, None, None]
    both = np.concatenate([untuned, tuned])
    found = intervals(both - both[0]).estimate(1, 0)
    # Student's interval of four seeds that share every item: 0.15 ± 3.182 × 0.0645
    assert found.value == pytest.approx(0.15)
    assert found.high - found.value == pytest.approx(3.182 * 0.0645, rel=0.01)
    assert found.n_seeds == 4


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 8), st.integers(1, 4), st.integers(0, 10_000))
def test_what_is_missing_is_left_out_and_intervals_hold_their_means(
    arms: int, seeds: int, items: int, languages: int, entropy: int
) -> None:
    generator = np.random.default_rng(entropy)
    values = generator.random((arms, seeds, items, languages))
    values[generator.random(values.shape) < 0.3] = np.nan
    found = intervals(values, [range(languages)], resamples=30)
    for arm in range(arms):
        means = language_means(values[arm])
        assert np.allclose(found.value[arm, :languages], means, equal_nan=True)
        if np.isfinite(means).any():
            assert found.value[arm, languages] == pytest.approx(np.nanmean(means))
        assert (found.n_items[arm, :languages] == np.isfinite(values[arm]).any(axis=0).sum(axis=0)).all()
        known = np.isfinite(found.value[arm])
        assert (found.low[arm, known] <= found.value[arm, known]).all()
        assert (found.value[arm, known] <= found.high[arm, known]).all()
        wider = np.isfinite(found.low_together[arm])
        assert (found.low_together[arm, wider] <= found.low[arm, wider] + 1e-12).all()
        assert np.isnan(found.low[arm, ~known]).all()


def test_the_same_seed_gives_the_same_intervals_and_arms_do_not_hang_on_each_other() -> None:
    values = np.random.default_rng(3).random((3, 2, 30, 2))
    all_of_them, one = intervals(values), intervals(values[1:2])
    assert np.allclose(all_of_them.low[1], one.low[0])
    assert (intervals(values).low == all_of_them.low).all()
    assert (intervals(values, seed=1).low != all_of_them.low).any()
