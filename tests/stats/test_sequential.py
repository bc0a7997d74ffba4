from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.stats import Monitor, Sequences, sequential


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try fewer means: ends are rounded outward further, and simulations are quick."""
    monkeypatch.setattr(sequential, "POINTS", 101)


def _population(mean: float, items: int, runs: int, entropy: int) -> np.ndarray:
    """Wins, ties and losses with exactly this mean, each run in an order of its own."""
    generator = np.random.default_rng(entropy)
    ties = items // 5
    wins = round(mean * items - ties / 2)
    one = np.repeat([1.0, 0.5, 0.0], [wins, ties, items - wins - ties])
    return np.stack([generator.permutation(one) for _ in range(runs)])


@pytest.mark.parametrize("mean", [0.5, 0.6])
@pytest.mark.parametrize("replace", [False, True])
def test_no_rule_of_stopping_makes_it_wrong_more_often_than_allowed(mean: float, replace: bool) -> None:
    runs, items, error = 400, 150, 0.2
    drawn = _population(mean, items, runs, 1)
    if replace:
        drawn = np.random.default_rng(2).choice(drawn[0], (runs, items))
    seen = Sequences([np.inf if replace else items] * runs, error)
    ever = np.zeros(runs, dtype=bool)
    for step in range(items):
        seen.update(drawn[:, step])
        ever |= (seen.low > mean + 1e-9) | (seen.high < mean - 1e-9)
    assert 0 < ever.mean() <= error
    wrong = (seen.above | seen.below) if mean == 0.5 else seen.below
    assert wrong.mean() <= error


def test_many_comparisons_together_keep_the_one_error_rate() -> None:
    runs, comparisons, error = 100, 8, 0.1
    generator = np.random.default_rng(3)
    sequences = Sequences([np.inf] * (runs * comparisons), error / comparisons)
    for _ in range(150):
        item = generator.random((runs, 1)) < 0.5
        # The comparisons of one run share their items, as arms do: mostly they agree.
        own = np.where(generator.random((runs, comparisons)) < 0.7, item, ~item)
        sequences.update(own.astype(float).ravel())
    told = (sequences.above | sequences.below).reshape(runs, comparisons)
    assert told.any(axis=1).mean() <= error


def test_a_clear_preference_is_settled_with_few_of_the_verdicts() -> None:
    drawn = _population(0.7, 600, 8, 4)
    monitor = Monitor(range(8), items=600)
    for step in range(600):
        for name in monitor.undecided():
            monitor.update(name, drawn[name, step])
    standings = [monitor.state(name) for name in range(8)]
    assert {one.decided for one in standings} == {"above"}
    assert np.mean([one.drawn for one in standings]) < 200
    assert all(one.low >= 0.5 for one in standings)


def test_parity_ends_narrow_before_everything_is_judged() -> None:
    drawn = _population(0.5, 600, 4, 5)
    monitor = Monitor({f"arm {index}": 600 for index in range(4)}, half_width=0.08)
    for step in range(600):
        for name in monitor.undecided():
            monitor.update(name, drawn[int(str(name)[-1]), step])
    standings = [monitor.state(f"arm {index}") for index in range(4)]
    assert {one.decided for one in standings} == {"narrow"}
    assert all(one.high - one.low < 0.16 and one.drawn < 600 for one in standings)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 0.25, None]), min_size=1, max_size=30))
def test_when_all_is_judged_only_missing_verdicts_leave_room(outcomes: list[float | None]) -> None:
    monitor = Monitor(["one"], items=len(outcomes), half_width=0)
    before = monitor.state("one")
    for outcome in outcomes:
        after = monitor.update("one", outcome)
        assert before.low <= after.low <= after.high <= before.high + 1e-9
        before = after
    total = sum(outcome for outcome in outcomes if outcome is not None)
    missing = outcomes.count(None)
    assert after.drawn == len(outcomes)
    if missing < len(outcomes):
        assert after.mean == pytest.approx(total / (len(outcomes) - missing))
    # Bets may narrow it further, at the error rate; they never widen it.
    assert after.low >= total / len(outcomes) - 1e-9
    assert after.high <= (total + missing) / len(outcomes) + 1e-9
    if not missing and total * 2 != len(outcomes):
        assert after.decided == ("above" if total * 2 > len(outcomes) else "below")


def test_the_ends_are_where_the_capital_reaches_two_over_the_error() -> None:
    drawn, error, items = _population(0.65, 100, 1, 6)[0], 0.1, 100
    seen = Sequences([items], error)
    for outcome in drawn[:60]:
        seen.update(np.array([outcome]))

    def highest_capital(mean: float) -> float:
        capital, highest, total = np.ones(len(sequential._BETS)), 0.0, 0.0
        for count, outcome in enumerate(drawn[:60]):
            rest = (items * mean - total) / (items - count)
            capital *= 1 - sequential._BETS[:, 0] + sequential._BETS[:, 0] * outcome / rest
            highest, total = max(highest, capital.mean()), total + outcome
        return highest

    low = seen.low[0]
    assert low > drawn[:60].sum() / items
    assert highest_capital(low) >= 2 / error > highest_capital(low + 0.01)


def test_missing_verdicts_are_no_evidence_for_either_side() -> None:
    seen = Sequences([50], 0.05)
    for _ in range(50):
        seen.update(np.array([np.nan]))
    assert (seen.low[0], seen.high[0], seen.count[0]) == (0, 1, 50)
    assert np.isnan(seen.mean[0])
    assert not seen.above[0]
    assert not seen.below[0]


def test_what_cannot_be_is_refused() -> None:
    monitor = Monitor(["one"], items=1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        monitor.update("one", 1.5)
    monitor.update("one", 1.0)
    with pytest.raises(ValueError, match="more outcomes"):
        monitor.update("one", 1.0)
    with pytest.raises(ValueError, match="nothing"):
        Monitor([])
    with pytest.raises(ValueError, match="error rate"):
        Sequences([10], 0.0)
