from __future__ import annotations

import numpy as np
import pytest

from benchmarks.hostile import DOSES, SPREADS, TRUTHS, VALUES, errors, study
from polypinch.stats import SHARE, dose_ladder

TRIALS = 80
MOST = 0.03 + 2 * np.sqrt(0.03 * 0.97 / TRIALS)
CLAIMS = ("too small", "wrong dose", "wrong isolated", "wrong harm")


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize(("seeds", "items"), [(2, 16), (3, 64)])
def test_no_claim_is_wrong_more_often_than_promised(truth: str, seeds: int, items: int) -> None:
    generator = np.random.default_rng([seeds, items, len(truth)])
    rates = errors(generator, TRUTHS[truth], TRIALS, seeds=seeds, items=items)
    assert max(rates[claim] for claim in CLAIMS) <= MOST
    assert rates["covered"] >= 0.93


@pytest.mark.parametrize(
    ("spread", "values"), [*((one, "normal") for one in SPREADS[1:]), *(("alike", one) for one in VALUES[1:])]
)
def test_hostile_data_do_not_make_claims_wrong(spread: str, values: str) -> None:
    generator = np.random.default_rng([len(spread), len(values)])
    how = {"seeds": 3, "items": 16, "spread": spread, "values": values}
    rates = errors(generator, TRUTHS["small doses harm"], TRIALS, **how)
    assert max(rates[claim] for claim in CLAIMS) <= MOST


def drawn(means: tuple[float, ...], seeds: int = 4) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = study(
        np.random.default_rng(3), means, seeds, 64, by_seed=0.002, by_item=0.01
    )
    return values


def test_a_jump_is_found_in_whatever_order_doses_come_and_whichever_way_is_better() -> None:
    values = drawn((0, 0, 0, 0.05, 0.05, 0.05))
    found = dose_ladder(values, DOSES)
    assert (found.low, found.high, found.harms) == (20, 20, ())
    assert found == dose_ladder(-values, DOSES, lower_is_better=True)
    assert found == dose_ladder(values[::-1], DOSES[::-1])


def test_help_by_small_doses_alone_and_harm_by_large_ones_are_both_told() -> None:
    found = dose_ladder(drawn((0, 0.05, 0.05, 0.05, 0, -0.05)), DOSES)
    assert found.high == 5
    assert [one.dose for one in found.effects if one.better] == [5, 10, 20]
    assert found.harms == (80,)
    worse = dose_ladder(drawn((0, 0.05, 0, 0, -0.05, -0.1)), DOSES)
    assert not worse.works
    assert worse.isolated == (5,)
    assert worse.harms == (40, 80)


def test_a_filled_mark_never_stands_on_an_interval_that_crosses_none() -> None:
    for trial in range(30):
        values = study(np.random.default_rng(trial), TRUTHS["a slow rise"], 2, 16)
        found = dose_ladder(values, DOSES, resamples=200)
        assert all(one.better == (one.change.low > 0) for one in found.effects)
        if found.high is not None:
            assert next(one for one in found.effects if one.dose == found.high).better


def test_a_share_that_never_changes_is_not_certain() -> None:
    found = dose_ladder(np.ones((3, 2, 16, 2)), (0, 5, 10), bounds=SHARE)
    assert found.low is None
    assert all(one.change.low < 0 < one.change.high for one in found.effects)


def test_one_training_is_counted_as_one() -> None:
    assert dose_ladder(drawn((0, 0, 0, 0, 0, 0), seeds=1), DOSES).trainings == 1
    uneven = drawn((0, 0, 0, 0, 0, 0.05))
    uneven[3, 2:] = np.nan
    assert dose_ladder(uneven, DOSES).trainings == 2


def test_what_is_no_ladder_is_refused() -> None:
    with pytest.raises(ValueError, match="each once"):
        dose_ladder(np.ones((2, 2, 8, 1)), (0, 0))
    with pytest.raises(ValueError, match="without any value"):
        dose_ladder(np.full((2, 2, 8, 1), np.nan), (0, 5))
