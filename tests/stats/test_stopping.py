from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.adaptive_study import measure
from benchmarks.hostile import DOSES, study
from polypinch.stats import Array, Decision, Search, search

WORTH = 0.02


def followed(values: Array) -> list[Search]:
    """Tune what a search asks for, until it stops."""
    shown = np.full(values.shape, np.nan)
    steps = [search(shown, DOSES, WORTH, resamples=200)]
    while steps[-1].following:
        for one in steps[-1].following:
            shown[one.dose, one.seed] = values[one.dose, one.seed]
        steps.append(search(shown, DOSES, WORTH, resamples=200))
    return steps


def drawn(means: tuple[float, ...]) -> Array:
    values: Array = study(np.random.default_rng(2), means, 3, 64, by_seed=0.001, by_item=0.01)
    return values


def test_it_starts_with_none_a_middle_and_the_largest_dose_and_halves_from_there() -> None:
    steps = followed(drawn((0, 0, 0.06, 0.06, 0.06, 0.06)))
    assert {(one.dose, one.seed) for one in steps[0].following} == {
        (dose, seed) for dose in (0, 3, 5) for seed in (0, 1)
    }
    assert steps[-1].decision == Decision.WORKS
    assert steps[-1].low == steps[-1].high == 10
    assert steps[-1].looks[-1].tunings < steps[-1].most


def test_where_nothing_works_it_stops_at_the_first_look() -> None:
    last = followed(drawn((0, 0, 0, 0, 0, 0)))[-1]
    assert last.decision == Decision.NOTHING
    assert last.looks[-1].tunings == 6


def test_it_goes_on_after_a_kill_with_the_same_decisions() -> None:
    values = drawn((0, 0, 0.06, 0.06, 0.06, 0.06))
    steps = followed(values)
    shown = np.full(values.shape, np.nan)
    for one in steps[0].following[:4]:  # killed within the first look: what is missing of it is asked for
        shown[one.dose, one.seed] = values[one.dose, one.seed]
    assert search(shown, DOSES, WORTH, resamples=200).following == steps[0].following[4:]
    for before, after in pairwise(steps):
        assert after.looks[: len(before.looks)] == before.looks
    assert search(values, DOSES, WORTH, resamples=200) == steps[-1]  # what it did not ask for it does not use


def test_errors_stay_within_promise_and_nothing_saves_half_at_least() -> None:
    how = {"seeds": 3, "items": 64, "by_seed": 0.001, "by_answer": 0.04, "languages": 1}
    none = measure(np.random.default_rng(4), (0,) * 6, 60, WORTH, how)
    assert none["saved"] >= 0.5
    assert none["too_small"] <= 0.03 + 2 * np.sqrt(0.03 * 0.97 / 60)
    harm = measure(np.random.default_rng(5), (0, -WORTH, -WORTH, 0, 0, 0), 40, WORTH, how)
    assert harm["too_small"] <= 0.03 + 2 * np.sqrt(0.03 * 0.97 / 40)
    assert max(none["worst"], harm["worst"]) <= none["most"]


def test_what_is_no_search_is_refused() -> None:
    with pytest.raises(ValueError, match="three doses"):
        search(np.full((2, 2, 8, 1), np.nan), (0, 5), WORTH)
    with pytest.raises(ValueError, match="ascend"):
        search(np.full((3, 2, 8, 1), np.nan), (0, 10, 5), WORTH)
