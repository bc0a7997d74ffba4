from __future__ import annotations

import numpy as np
import pytest

from polypinch.stats import Array, minimum_effective_dose, smallest_dose_within

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


@pytest.mark.parametrize(
    ("seeds", "means"), [(1, (0, 0, 0, 0)), (3, (0, 0, 0, 0)), (3, (0, 0, 0, 0.2)), (2, (0, 0, 0.3, 0.3))]
)
def test_a_dose_without_effect_is_called_effective_in_5_percent_at_most(
    seeds: int, means: tuple[float, ...]
) -> None:
    generator = np.random.default_rng(seeds + len(set(means)))
    # With one seed, luck of training can't be told from an effect: there is none of it here.
    true = next((dose for dose, mean in zip(DOSES, means, strict=True) if mean > 0), np.inf)
    wrong, trials = 0, 300
    for trial in range(trials):
        values = study(generator, means, seeds)
        if seeds == 1:
            values = np.array(means)[:, None, None, None] + generator.normal(0, 0.2, values.shape)
        found = minimum_effective_dose(values, DOSES, resamples=300, seed=trial).dose
        wrong += found is not None and found < true
    assert wrong / trials <= 0.05


def test_a_dose_too_small_is_called_good_enough_in_5_percent_at_most() -> None:
    generator = np.random.default_rng(5)
    wrong, trials = 0, 300
    for trial in range(trials):
        # The second largest is worse by the margin exactly: the hardest case.
        values = study(generator, (0, 0.1, 0.2, 0.3))
        wrong += smallest_dose_within(0.1, values, DOSES, resamples=300, seed=trial).dose is not None
    assert wrong / trials <= 0.05


def test_the_smallest_effective_dose_is_found_in_whatever_order_they_come() -> None:
    values = study(np.random.default_rng(16), (0, 0, 0.2, 0.25), seeds=4)
    answer = minimum_effective_dose(values, DOSES)
    assert answer.dose == 10
    assert answer.change is not None
    assert answer.change.low < 0.2 < answer.change.high
    assert [step.dose for step in answer.steps] == [40, 10, 5]
    assert [step.told for step in answer.steps] == [True, True, False]
    shuffled = minimum_effective_dose(values[[2, 0, 3, 1]], [10, 0, 40, 5])
    assert shuffled == answer
    # a loss: the same numbers, negative
    assert minimum_effective_dose(-values, DOSES, lower_is_better=True) == answer


def test_where_every_dose_helps_nothing_is_needed() -> None:
    values = study(np.random.default_rng(7), (0, 0.3, 0.3, 0.3), seeds=4)
    answer = minimum_effective_dose(values, DOSES)
    assert answer.dose == 5
    assert answer.needed is None
    assert len(answer.steps) == 3


def test_cannot_tell_comes_with_a_sample_that_could() -> None:
    generator = np.random.default_rng(8)
    told = planned = 0
    for _ in range(40):
        answer = minimum_effective_dose(
            study(generator, (0, 0, 0, 0), items=60), DOSES, worth=0.05, resamples=200
        )
        if answer.dose is not None:
            continue
        assert answer.change is None
        assert answer.needed is not None
        assert answer.needed.effect == 0.05
        if answer.needed.seeds is not None:
            larger = study(generator, (0, 0, 0, 0.05), answer.needed.seeds, items=60)
            told += minimum_effective_dose(larger, DOSES, resamples=200).dose is not None
            planned += 1
    assert planned > 30
    # Four in five by plan, from variances that are estimates.
    assert told / planned >= 0.7


def test_where_training_alone_is_too_noisy_no_number_of_items_is_enough() -> None:
    generator = np.random.default_rng(9)
    runs = np.array([[-0.3, 0.0, 0.3], [0.4, -0.2, -0.1]])[:, :, None, None]
    values = runs + generator.normal(0, 0.01, (2, 3, 50, 2))
    answer = minimum_effective_dose(values, (0, 10), worth=0.2)
    assert answer.needed is not None
    assert answer.needed.items is None
    assert answer.needed.seeds is not None
    assert answer.needed.seeds > 20


def test_an_effect_the_other_way_is_no_plan_for_a_larger_sample() -> None:
    values = study(np.random.default_rng(10), (0, -0.2, -0.2, -0.2))
    answer = minimum_effective_dose(values, DOSES)
    assert answer.dose is None
    assert answer.needed is None
    assert answer.steps[0].change.high < 0


def test_the_smallest_dose_near_full_mixing_is_found_and_a_gap_ends_the_search() -> None:
    values = study(np.random.default_rng(11), (0, 0.28, 0.3, 0.3), seeds=4, noise=0.3)
    answer = smallest_dose_within(0.05, values, DOSES)
    assert answer.dose == 5
    assert answer.steps[-1].told is False  # none is not near
    assert answer.needed is None
    gap = study(np.random.default_rng(12), (0, 0.3, 0, 0.3), seeds=4, noise=0.3)
    assert smallest_dose_within(0.05, gap, DOSES).dose is None


def test_what_makes_no_family_of_doses_is_refused() -> None:
    values = study(np.random.default_rng(13), (0, 0, 0, 0))
    with pytest.raises(ValueError, match="each once"):
        minimum_effective_dose(values, (0, 5, 5, 10))
    with pytest.raises(ValueError, match="two doses"):
        minimum_effective_dose(values[:1], (0,))
    with pytest.raises(ValueError, match="positive"):
        smallest_dose_within(0, values, DOSES)
    values[2] = np.nan
    with pytest.raises(ValueError, match="without any value"):
        minimum_effective_dose(values, DOSES)
