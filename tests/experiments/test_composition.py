from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.experiments.composition import (
    Condition,
    alone,
    conditions,
    growing,
    orderings,
    pairs,
    twins,
    with_baselines,
)
from polypinch.paper import PRESETS
from tests.experiments.simulate import delivered, preset

TAGS = "abcdefgh"


def even(arm: str, tags: str, rows: int = 96, **how: object) -> Condition:
    counts = {tag: rows // len(tags) + (at < rows % len(tags)) for at, tag in enumerate(tags)}
    return Condition(arm, counts, tags[0], **how)  # type: ignore[arg-type]


@given(st.integers(1, 4), st.lists(st.integers(1, 6), min_size=3, max_size=5, unique=True), st.randoms())
@settings(max_examples=60, deadline=None)
def test_orderings_are_found_whatever_arms_are_called(
    number: int, counts: list[int], chance: random.Random
) -> None:
    orders = []
    while len(orders) < number:
        order = "".join(chance.sample(TAGS[:7], 7))
        sets = [frozenset(order[:count]) for count in counts]
        if not any(set(sets) & {frozenset(other[:count]) for count in counts} for other in orders):
            orders.append(order)
    arms = [even("", order[:count]) for order in orders for count in counts]
    named = [
        Condition(f"x{at}", one.counts, one.base) for at, one in enumerate(chance.sample(arms, len(arms)))
    ]
    found = orderings([*named, Condition("pinch", {"a": 90, "b": 6}, "a")])
    assert sorted(found) == sorted(counts)
    assert list(found) == sorted(found)
    for level, (before, after) in zip(list(found)[1:], pairwise(found.values()), strict=True):
        assert len(before) == len(after) == number
        assert all(one.languages < other.languages for one, other in zip(before, after, strict=True))
        assert len({one.arm for one in after}) == number, level


def test_an_arm_of_all_languages_ends_every_ordering() -> None:
    arms = [even(f"{order}-{count}", order[:count]) for order in ("abcd", "cdab") for count in (1, 2, 3)]
    found = orderings([*arms, even("all", "abcd")])
    assert [[one.arm for one in level] for level in found.values()] == [
        ["abcd-1", "cdab-1"],
        ["abcd-2", "cdab-2"],
        ["abcd-3", "cdab-3"],
        ["all", "all"],
    ]


def test_two_numbers_of_languages_or_budgets_that_differ_are_no_curve() -> None:
    assert orderings([even("one", "a"), even("two", "ab")]) == {}
    assert orderings([even("one", "a"), even("two", "ab"), even("three", "abc", rows=300)]) == {}
    assert orderings([even("one", "a"), even("two", "ab"), even("three", "abc", tuning="rank 4")]) == {}


def test_arms_of_one_language_are_compared_when_tuned_alike() -> None:
    arms = [even("x", "a"), even("y", "a", tuning="rank 4"), even("z", "b"), even("mix", "ab")]
    assert {tag: one.arm for tag, one in alone(arms).items()} == {"a": "x", "b": "z"}
    assert alone(arms[:2]) == {}


def test_a_pair_needs_both_of_its_languages_alone_on_one_budget() -> None:
    arms = [even("x", "a"), even("z", "b"), even("both", "ab"), even("other", "ac")]
    assert [(one.arm, first.arm, second.arm) for one, first, second in pairs(arms)] == [("both", "x", "z")]
    assert pairs([even("x", "a"), even("z", "b"), even("both", "ab", rows=40)]) == []
    assert pairs([even("x", "a"), even("z", "b"), Condition("c", {"a": 90, "b": 6}, "a")]) == []


def test_a_ladder_holds_shares_of_the_same_languages_put_in_alike() -> None:
    def dosed(arm: str, count: int, tag: str = "b", **how: object) -> Condition:
        return Condition(arm, {"a": 96 - count, tag: count}, "a", **how)  # type: ignore[arg-type]

    arms = [dosed("more", 40), even("none", "a"), dosed("less", 8), dosed("other", 20, "c"),
            dosed("added", 8, placement="add")]  # fmt: skip
    assert [one.arm for one in growing(arms, "a")] == ["none", "less", "more"]
    assert growing([*arms[1:2], arms[2], arms[4]], "a") == []
    assert growing(arms, "b") == []


def test_twins_differ_in_one_thing_alone() -> None:
    def dosed(arm: str, **how: object) -> Condition:
        return Condition(arm, {"a": 80, "b": 16}, "a", **how)  # type: ignore[arg-type]

    arms = [dosed("added", placement="add"), dosed("plain"), dosed("both", placement="add", tuning="rank 4"),
            dosed("rank", tuning="rank 4"), even("none", "a")]  # fmt: skip
    assert [(one.plain.arm, one.other.arm, one.what) for one in twins(arms)] == [
        ("plain", "added", "placement"),
        ("plain", "rank", "tuning"),
    ]
    assert {one.arm: bare.arm for one, bare in with_baselines(arms)} == {"added": "none", "plain": "none"}


WANTED = {
    "monolingual": {"alone"},
    "pinch": {"growing"},
    "half": {"growing"},
    "languages": {"orderings", "alone"},
    "pairs": {"alone", "pairs"},
    "family": {"alone"},
    "exposure": {"alone"},
    "tuned": {"alone"},
    "dose-ladder": {"growing"},
    "replace-vs-add": {"growing", "twins"},
    "parallel-vs-disjoint": {"growing", "twins"},
    "techniques": {"twins"},
    "seeds": set(),
}


@pytest.mark.parametrize("name", PRESETS)
def test_each_of_the_papers_experiments_is_told_from_its_mixtures(name: str) -> None:
    study = preset(name)
    found = conditions(study, delivered(study))
    shown = {"alone": alone(found), "orderings": orderings(found), "pairs": pairs(found),
             "growing": growing(found, study.base), "twins": twins(found)}  # fmt: skip
    shown["pairs"] = [] if name == "languages" else shown["pairs"]  # which pairs it draws is chance
    assert {kind for kind, one in shown.items() if one} == WANTED[name]


def test_a_tuning_is_told_by_what_it_changes() -> None:
    study = preset("techniques")
    words = {one.arm: one.tuning for one in conditions(study, delivered(study))}
    assert words["english"] == ""
    assert words["english-rank-4"] == "rank 4, alpha 8"
    times = {one.arm: one.times for one in conditions(study, delivered(study))}
    assert [name for name, count in times.items() if count == 4] == ["pinch-10-4-times"]
