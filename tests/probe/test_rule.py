"""Properties of the rule, over any targets, pools, exposures and budgets."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.languages.similarity import distances
from polypinch.probe.rule import (
    ENOUGH,
    LEAST_EACH,
    VARIED,
    Choice,
    dose,
    languages_afforded,
    ranking,
)

TAGS = ("ar", "cs", "de", "es", "et", "fi", "he", "hi", "hu", "it", "ja", "pl", "pt", "ru", "sw", "th", "zh")
APART = distances(("en", *TAGS))

cases = st.fixed_dictionaries(
    {
        "targets": st.lists(st.sampled_from(TAGS), min_size=1, max_size=8, unique=True),
        "pool": st.dictionaries(st.sampled_from(TAGS), st.integers(4, 300), min_size=1, max_size=10),
        "exposure": st.dictionaries(st.sampled_from(TAGS), st.floats(0.1, 1.5), max_size=10),
    }
)


def order(targets: Any, pool: Any, exposure: Any) -> list[Choice]:
    return ranking(targets, pool, exposure, APART, "en")


def tags(chosen: list[Choice]) -> list[str]:
    return [choice.language for choice in chosen]


@settings(deadline=None)
@given(cases)
def test_only_what_the_pool_has_once_and_its_targets_before_others(case: dict[str, Any]) -> None:
    chosen = order(**case)
    names = tags(chosen)
    assert len(set(names)) == len(names)
    assert set(names) <= set(case["pool"])
    there = set(case["targets"]) & set(case["pool"])
    assert set(names[: len(there)]) == there
    assert {choice.language for choice in chosen if choice.step == "target"} == there
    assert len(names) <= max(len(there), ENOUGH)
    if set(case["targets"]) <= set(case["pool"]):
        assert set(names) == there
    else:
        assert len(names) >= min(VARIED, len(case["pool"]))


@settings(deadline=None)
@given(cases, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_the_input(case: dict[str, Any], random: Any) -> None:
    shuffled = {**case, "targets": random.sample(case["targets"], len(case["targets"]))}
    for name in ("pool", "exposure"):
        shuffled[name] = dict(random.sample(list(case[name].items()), len(case[name])))
    assert order(**case) == order(**shuffled)


@settings(deadline=None)
@given(cases, st.integers(8, 20_000), st.integers(0, 20_000))
def test_a_larger_budget_never_drops_a_language(case: dict[str, Any], budget: int, more: int) -> None:
    chosen = tags(order(**case))
    small, large = dose(budget, len(chosen)), dose(budget + more, len(chosen))
    assert small <= large
    fewer, many = (languages_afforded(examples, len(chosen)) for examples in (small, large))
    assert 1 <= fewer <= many <= len(chosen)
    assert small <= budget // 2
    assert small >= LEAST_EACH * fewer


@settings(deadline=None, max_examples=40)
@given(cases)
def test_greedy_covers_kin_nearly_as_well_as_any_choice(case: dict[str, Any]) -> None:
    """Nemhauser, Wolsey and Fisher (1978): at least 1 - 1/e of the best."""
    case = {**case, "targets": [tag for tag in case["targets"] if tag not in case["pool"]]}
    if not case["targets"]:
        return
    kin = [choice for choice in order(**case) if choice.step == "kin"]
    at = {tag: index for index, tag in enumerate(APART.languages)}
    alike = APART.similarity()
    weight = {tag: max(0.05, 1 - case["exposure"].get(tag, 0.0)) for tag in case["targets"]}

    def covered(chosen: tuple[str, ...]) -> float:
        return sum(
            weight[goal]
            * (max(alike[at[one], at[goal]] for one in ("en", *chosen)) - alike[at["en"], at[goal]])
            for goal in case["targets"]
        )

    best = max(covered(chosen) for chosen in combinations(case["pool"], min(len(kin), len(case["pool"]))))
    ours = covered(tuple(tags(kin)))
    assert ours >= (1 - 1 / 2.718281828) * best - 1e-9
    assert ours == pytest.approx(sum(choice.gain for choice in kin))


def test_the_less_exposed_of_two_targets_comes_first_and_kin_serves_whom_it_is_like() -> None:
    pool = {"fi": 10, "sw": 10, "es": 10, "zh": 10}
    assert tags(order(["fi", "sw"], pool, {"fi": 0.3, "sw": 0.9})) == ["fi", "sw"]
    assert tags(order(["fi", "sw"], pool, {"fi": 0.9, "sw": 0.3})) == ["sw", "fi"]
    first, *rest = order(["pt"], pool, {})
    assert (first.language, first.step, first.serves) == ("es", "kin", ("pt",))
    assert [choice.step for choice in rest] == ["varied", "varied"]


def test_the_papers_budget_gives_the_papers_dose() -> None:
    assert dose(4640, 11) == 47
    assert languages_afforded(47, 11) == 11
    assert dose(96, 3) == 12
    assert dose(12, 4) == 6
    assert languages_afforded(6, 4) == 1
