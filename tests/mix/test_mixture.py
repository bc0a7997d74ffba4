from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.mix import Budget, Dose, MixPlan, Mixture, make_mixture, monolingual, pair, pinch, uniform
from polypinch.mix.plan import amount_text
from tests.pools import parallel_pool, pool_of, row, word_counter

TAGS = ("en", "es", "fi", "ru", "hi")
POOL = parallel_pool(TAGS, train=80, heldout=5)


def keys(mixture: Mixture) -> list[tuple[str, str]]:
    return list(zip(mixture.table["item_id"].to_pylist(), mixture.table["language"].to_pylist(), strict=True))


def by_language(mixture: Mixture) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for item, tag in keys(mixture):
        found.setdefault(tag, set()).add(item)
    return found


def plan(count: int, **changes: object) -> MixPlan:
    dose = Dose(languages=("es", "fi", "ru", "hi"), count=count)
    settings: dict[str, object] = {"pool": "test", "budget": Budget(examples=60), "doses": (dose,), "seed": 7}
    return MixPlan.model_validate({**settings, **changes})


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(0, 60),
    seed=st.integers(0, 5),
    items=st.sampled_from(["parallel", "disjoint"]),
    placement=st.sampled_from(["replace", "add"]),
)
def test_the_size_is_the_budget_and_every_language_gets_what_was_requested(
    count: int, seed: int, items: str, placement: str
) -> None:
    if items == "disjoint":
        count = min(count, 20)
    mixture = make_mixture(plan(count, seed=seed, items=items, placement=placement), POOL)
    counts = Counter(tag for _, tag in keys(mixture))
    assert sum(counts.values()) == 60 + (count if placement == "add" else 0)
    others = [counts[tag] for tag in TAGS[1:]]
    assert sum(others) == count
    assert max(others) - min(others) <= 1
    assert len(set(keys(mixture))) == len(keys(mixture))


@settings(max_examples=30, deadline=None)
@given(
    small=st.integers(0, 60),
    large=st.integers(0, 60),
    seed=st.integers(0, 5),
    items=st.sampled_from(["parallel", "disjoint"]),
    placement=st.sampled_from(["replace", "add"]),
)
def test_a_larger_dose_contains_the_smaller(
    small: int, large: int, seed: int, items: str, placement: str
) -> None:
    small, large = sorted((small, large))
    if items == "disjoint":
        small, large = min(small, 20), min(large, 20)
    one = by_language(make_mixture(plan(small, seed=seed, items=items, placement=placement), POOL))
    two = by_language(make_mixture(plan(large, seed=seed, items=items, placement=placement), POOL))
    for tag in TAGS[1:]:
        assert one.get(tag, set()) <= two.get(tag, set())
    assert two.get("en", set()) <= one.get("en", set())


@settings(max_examples=20, deadline=None)
@given(shuffle=st.integers(0, 1000), unit=st.sampled_from(["count", "tokens"]))
def test_the_order_of_the_input_does_not_matter(shuffle: int, unit: str) -> None:
    dose = Dose.model_validate({"languages": ("es", "fi"), unit: 40})
    wanted = plan(0, doses=(dose,))
    shuffled = parallel_pool(TAGS, train=80, heldout=5, shuffle=shuffle)
    assert keys(make_mixture(wanted, POOL, word_counter)) == keys(
        make_mixture(wanted, shuffled, word_counter)
    )


def test_one_languages_dose_does_not_move_anothers() -> None:
    few = (Dose(languages=("es",), count=5), Dose(languages=("fi",), count=2))
    many = (Dose(languages=("es",), count=5), Dose(languages=("fi",), count=20))
    one, two = (by_language(make_mixture(plan(0, doses=doses), POOL)) for doses in (few, many))
    assert one["es"] == two["es"]
    assert one["fi"] < two["fi"]


def test_replaced_items_are_the_bases_own_in_another_language() -> None:
    alone = by_language(make_mixture(plan(0), POOL))["en"]
    pinched = make_mixture(plan(12), POOL)
    assert {item for item, _ in keys(pinched)} == alone
    assert max(Counter(item for item, _ in keys(pinched)).values()) == 1


def test_disjoint_items_are_not_the_bases() -> None:
    found = by_language(make_mixture(plan(12, items="disjoint"), POOL))
    pinched = set.union(*(found[tag] for tag in TAGS[1:]))
    assert len(pinched) == 12
    assert not pinched & by_language(make_mixture(plan(0), POOL))["en"]


def test_disjoint_doses_stay_nested_beyond_the_first_look_at_the_pool() -> None:
    large = parallel_pool(("en", "es", "fi"), train=4000)
    budget = Budget(examples=300)
    found = []
    for count in (300, 900, 1500, 2400):
        dose = Dose(languages=("es", "fi"), count=count)
        wanted = plan(0, doses=(dose,), budget=budget, items="disjoint", placement="add")
        found.append(by_language(make_mixture(wanted, large)))
    for small, larger in itertools.pairwise(found):
        assert small["es"] <= larger["es"]
        assert small["fi"] <= larger["fi"]
        assert not larger["es"] & larger["fi"]


def test_a_large_disjoint_dose_in_tokens_is_met() -> None:
    large = parallel_pool(("en", "es"), train=4000)
    dose = Dose(languages=("es",), tokens=10_000)
    wanted = plan(0, doses=(dose,), items="disjoint", placement="add", budget=Budget(examples=10))
    lines = make_mixture(wanted, large, word_counter).manifest["languages"]
    assert abs(lines[1]["tokens"] - 10_000) <= 5


def test_a_dose_can_be_a_share_of_the_budget() -> None:
    dose = Dose(languages=("es", "fi"), share=0.1)
    found = by_language(make_mixture(plan(0, doses=(dose,)), POOL))
    assert len(found["es"]) == len(found["fi"]) == 3


def test_a_dose_in_tokens_is_met_within_half_a_row() -> None:
    mixture = make_mixture(plan(0, doses=(Dose(languages=("es", "fi"), tokens=60),)), POOL, word_counter)
    for line in mixture.manifest["languages"]:
        if line["language"] != "en":
            assert abs(line["tokens"] - 30) <= 9 / 2


def test_a_budget_in_tokens_holds_for_the_whole_mixture() -> None:
    wanted = plan(0, budget=Budget(tokens=300), doses=(Dose(languages=("es",), share=0.2),))
    manifest = make_mixture(wanted, POOL, word_counter).manifest
    assert abs(sum(line["tokens"] for line in manifest["languages"]) - 300) <= 9
    spanish = next(line for line in manifest["languages"] if line["language"] == "es")
    assert abs(spanish["tokens"] - 60) <= 9 / 2


def test_tokens_without_a_tokenizer_are_refused() -> None:
    with pytest.raises(PinchError, match="no tokenizer"):
        make_mixture(plan(0, doses=(Dose(languages=("es",), tokens=60),)), POOL)


def test_different_seeds_select_different_rows() -> None:
    assert set(keys(make_mixture(plan(8, seed=1), POOL))) != set(keys(make_mixture(plan(8, seed=2), POOL)))


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 40),
    times=st.integers(1, 6),
    items=st.sampled_from(["parallel", "disjoint"]),
    placement=st.sampled_from(["replace", "add"]),
)
def test_an_upsampled_dose_holds_fewer_distinct_rows_of_the_same_amount(
    count: int, times: int, items: str, placement: str
) -> None:
    count = min(count, 20) if items == "disjoint" else count
    dose = Dose(languages=("es", "fi"), count=count, times=times)
    once = Dose(languages=("es", "fi"), count=count)
    wanted, plain = (plan(0, doses=(d,), items=items, placement=placement) for d in (dose, once))
    mixture = make_mixture(wanted, POOL)
    lines = {line["language"]: line for line in mixture.manifest["languages"]}
    assert lines["es"]["examples"] + lines["fi"]["examples"] == count
    assert mixture.table.num_rows == 60 + (count if placement == "add" else 0)
    distinct, all_of_them = by_language(mixture), by_language(make_mixture(plain, POOL))
    for tag in ("es", "fi"):
        assert lines[tag]["items"] == -(-lines[tag]["examples"] // times)
        assert max(Counter(keys(mixture)).values()) <= times
        assert distinct.get(tag, set()) <= all_of_them.get(tag, set())


def test_an_upsampled_dose_in_tokens_is_met_and_a_plain_one_is_written_as_before() -> None:
    dose = Dose(languages=("es",), tokens=60, times=4)
    line = make_mixture(plan(0, doses=(dose,)), POOL, word_counter).manifest["languages"][1]
    assert abs(line["tokens"] - 60) <= 5
    assert line["items"] == -(-line["examples"] // 4)
    assert "times" not in Dose(languages=("es",), tokens=60).model_dump(mode="json")
    assert dose.model_dump(mode="json")["times"] == 4


def test_too_few_items_are_refused_with_the_numbers() -> None:
    with pytest.raises(PinchError, match="the budget is 81 examples, but pool test has 80"):
        make_mixture(monolingual("test", "en", 81), POOL)


def test_missing_translations_are_refused_with_the_numbers() -> None:
    sparse = parallel_pool(TAGS, train=80, without=lambda item, tag: tag == "hi" and item not in ("t1", "t2"))
    with pytest.raises(PinchError, match=r"dose of 'hi': 5 examples requested, [012] can be had"):
        make_mixture(plan(20), sparse)


def test_a_language_with_few_translations_does_not_shorten_the_others() -> None:
    sparse = parallel_pool(
        ("en", "es", "hi"), train=60, without=lambda item, tag: tag == "es" and item not in ("t1", "t2", "t3")
    )
    doses = (Dose(languages=("es",), count=2), Dose(languages=("hi",), count=55))
    found = by_language(make_mixture(plan(0, doses=doses), sparse))
    assert (len(found["es"]), len(found["hi"]), len(found["en"])) == (2, 55, 3)


def test_doses_beyond_the_budget_are_refused() -> None:
    with pytest.raises(PinchError, match=r"60 examples|can be had"):
        make_mixture(plan(61), POOL)


def test_a_language_the_pool_lacks_is_refused() -> None:
    with pytest.raises(PinchError, match="no training rows in 'sw'"):
        make_mixture(plan(0, doses=(Dose(languages=("sw",), count=1),)), POOL)


def test_an_item_held_out_in_any_language_is_refused() -> None:
    rows = [row(f"t{index}", tag) for index in range(10) for tag in ("en", "es")]
    rows[5]["split"] = "heldout"
    with pytest.raises(PinchError, match="held out in 'es'"):
        make_mixture(monolingual("test", "en", 10), pool_of(rows))


def test_a_held_out_instruction_under_another_id_is_refused() -> None:
    copy = row("other", "en", "heldout")
    copy["messages"] = [{"role": "user", "content": "question  T3 in EN"}]
    rows = [row(f"t{index}", "en") for index in range(10)]
    with pytest.raises(PinchError, match=r"row 't3' in 'en' has the instruction of held-out item 'other'"):
        make_mixture(monolingual("test", "en", 10), pool_of([*rows, copy]))


def test_a_leak_from_another_pool_is_refused() -> None:
    other = pool_of([row("another", "en", source="elsewhere", messages=row("t3", "en")["messages"])])
    with pytest.raises(PinchError, match="held-out rows of test are trained on"):
        make_mixture(monolingual("test", "en", 80), POOL, heldout=[other])


def test_a_translation_held_out_in_another_pool_of_the_same_source_is_refused() -> None:
    with pytest.raises(PinchError, match="item 't3' is held out in 'sw'"):
        make_mixture(monolingual("test", "en", 80), POOL, heldout=[pool_of([row("t3", "sw", "heldout")])])
    elsewhere = pool_of([row("t3", "sw", "heldout", source="elsewhere")])
    assert make_mixture(monolingual("test", "en", 80), POOL, heldout=[elsewhere]).table.num_rows == 80


def test_a_held_out_prompt_in_a_later_turn_is_refused() -> None:
    turns = [
        *row("t1", "en")["messages"],
        {"role": "user", "content": "Held?"},
        {"role": "assistant", "content": "So."},
    ]  # type: ignore[misc]
    held = row("h", "en", "heldout", messages=[{"role": "user", "content": "held"}])
    with pytest.raises(PinchError, match="instruction of held-out item 'h'"):
        make_mixture(monolingual("test", "en", 1), pool_of([row("t1", "en", messages=turns), held]))


def test_a_pool_can_be_its_own_held_out_pool() -> None:
    assert make_mixture(plan(8), POOL, heldout=[POOL]).table.num_rows == 60


def test_rows_repeat_only_as_often_as_the_plan_allows() -> None:
    wanted = plan(0, doses=(), budget=Budget(examples=100), max_repeats=2)
    manifest = make_mixture(wanted, POOL).manifest
    assert manifest["languages"][0]["duplicates"] == 20
    with pytest.raises(PinchError, match="the budget is 161"):
        make_mixture(wanted.model_copy(update={"budget": Budget(examples=161)}), POOL)


def test_a_pool_that_holds_one_text_many_times_is_refused() -> None:
    same = [row(f"t{index}", "en") for index in range(10)]
    for one in same[3:]:
        one["messages"] = same[3]["messages"]
    with pytest.raises(PinchError, match="6 of 10 rows in 'en' repeat another row"):
        make_mixture(monolingual("test", "en", 10), pool_of(same))


def test_truncation_past_the_tolerance_is_refused_by_language() -> None:
    def cut(rows: object) -> object:
        counts = word_counter(rows)  # type: ignore[arg-type]
        texts = [messages[0]["content"] for messages in rows]  # type: ignore[attr-defined]
        return [count._replace(truncated="in fi" in text) for count, text in zip(counts, texts, strict=True)]

    with pytest.raises(PinchError, match=r"2 of 2 rows in 'fi' are truncated"):
        make_mixture(plan(8), POOL, cut)  # type: ignore[arg-type]


def test_the_shortcuts_hold_what_they_say() -> None:
    assert set(by_language(make_mixture(monolingual("test", "fi", 20), POOL))) == {"fi"}
    assert len(by_language(make_mixture(pinch("test", ["es", "fi"], 6, 30), POOL))["es"]) == 3
    even = by_language(make_mixture(uniform("test", TAGS, 50), POOL))
    assert {tag: len(items) for tag, items in even.items()} == dict.fromkeys(TAGS, 10)
    halves = by_language(make_mixture(pair("test", "es", "ru", 40), POOL))
    assert {tag: len(items) for tag, items in halves.items()} == {"es": 20, "ru": 20}


@pytest.mark.parametrize(
    ("dose", "message"),
    [
        ({"languages": ["es"], "count": 1, "share": 0.1}, "count and share are given"),
        ({"languages": ["es"]}, "none is given"),
        ({"languages": ["xx"], "count": 1}, "unknown language 'xx'"),
        ({"languages": ["es"], "share": 1.2}, "less than or equal to 1"),
        ({"languages": ["en"], "count": 1}, "en is the base"),
        ({"languages": ["es", "spa"], "count": 2}, "named twice"),
    ],
)
def test_a_wrong_dose_is_refused(dose: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixPlan.model_validate({"pool": "test", "budget": {"examples": 10}, "doses": [dose]})


def test_shares_over_one_are_refused() -> None:
    doses = [{"languages": ["es"], "share": 0.6}, {"languages": ["fi"], "share": 0.6}]
    with pytest.raises(ValueError, match=r"the shares sum to 1\.2"):
        MixPlan.model_validate({"pool": "test", "budget": {"examples": 10}, "doses": doses})


@pytest.mark.parametrize(
    ("amount", "text"),
    [(8, "8"), (8.0, "8"), (2_000_000, "2,000,000"), (0.01, "0.01"), (2_000_001, "2,000,001")],
)
def test_an_amount_is_written_with_every_digit(amount: float, text: str) -> None:
    assert amount_text(amount) == text
