from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from polypinch.fidelity import LanguageFidelity, summarise


def table(tags: list[str], values: list[bool | None], **columns: list[str]) -> pa.Table:
    judged = pa.array(values, pa.bool_())
    return pa.table(
        {"language": tags, "in_language": judged, "line_pass": judged, "word_pass": judged, **columns}
    )


def by_language(rows: list[LanguageFidelity]) -> dict[str, LanguageFidelity]:
    return {row.language: row for row in rows}


@given(st.integers(1, 60), st.data())
def test_one_language_has_the_wilson_interval(n: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, n))
    rate = summarise(table(["fi"] * n, [index < passed for index in range(n)]))[0].in_language
    wilson = binomtest(passed, n).proportion_ci(method="wilson")
    assert (rate.value, rate.n) == (passed / n, n)
    assert rate.low == pytest.approx(wilson.low, abs=1e-9)
    assert rate.high == pytest.approx(wilson.high, abs=1e-9)


def test_the_overall_rate_weighs_languages_the_same() -> None:
    rows = by_language(summarise(table(["fi"] * 8 + ["sw"] * 2, [True] * 8 + [False] * 2)))
    assert rows["all"].in_language.value == 0.5
    assert rows["all"].n == 10


def test_a_stratum_weighs_the_same_within_its_language() -> None:
    answers = table(["fi"] * 5, [True] * 4 + [False], source=["long"] * 4 + ["short"])
    assert by_language(summarise(answers))["fi"].in_language.value == 0.8
    assert by_language(summarise(answers, "source"))["fi"].in_language.value == 0.5


def test_abstentions_are_counted_and_weigh_nothing() -> None:
    row = summarise(table(["fi"] * 4, [True, None, False, None]))[0]
    assert (row.n, row.n_abstained, row.in_language.n, row.in_language.value) == (4, 2, 2, 0.5)


def test_the_rate_is_bounded_by_what_was_not_told() -> None:
    rows = by_language(summarise(table(["fi"] * 4 + ["sw"] * 2, [True, None, False, None, True, None])))
    assert (rows["fi"].abstained, rows["fi"].if_wrong, rows["fi"].if_right) == (0.5, 0.25, 0.75)
    assert (rows["all"].abstained, rows["all"].if_wrong, rows["all"].if_right) == (0.5, 0.375, 0.875)


def test_a_language_without_a_judged_answer_is_nan_and_left_out_of_the_mean() -> None:
    rows = by_language(summarise(table(["fi", "sw"], [True, None])))
    assert math.isnan(rows["sw"].in_language.value)
    assert rows["all"].in_language.value == 1.0


def test_perfect_rates_keep_an_open_interval() -> None:
    rate = summarise(table(["fi", "sw"] * 20, [True] * 40))[-1].in_language
    assert rate.high == 1.0
    assert 0.8 < rate.low < 1.0


def test_translations_of_one_item_widen_the_overall_interval() -> None:
    tags, values = ["ar", "cs", "fi", "sw"] * 30, [index // 4 % 2 == 0 for index in range(120)]
    alone = summarise(table(tags, values))[-1].in_language
    clustered = summarise(table(tags, values, item_id=[str(index // 4) for index in range(120)]))[
        -1
    ].in_language
    assert clustered.value == alone.value
    assert clustered.low < alone.low - 0.02
    assert clustered.high > alone.high + 0.02


def test_samples_of_one_item_do_not_narrow_a_language() -> None:
    values = [True, False] * 10
    once = summarise(table(["fi"] * 20, values, item_id=[str(i) for i in range(20)]))[0].in_language
    thrice = summarise(table(["fi"] * 60, values * 3, item_id=[str(i % 20) for i in range(60)]))[
        0
    ].in_language
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))
