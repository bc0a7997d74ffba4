from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.judge import Reply, load_judge, read_reply

PAIRWISE, GRADE, TOKEN = load_judge("pairwise"), load_judge("grade"), load_judge("pairwise-token")
WON = '{"reason": "it answers", "winner": "second"}'


@pytest.mark.parametrize(
    "text",
    [WON, f"  {WON}\n", f"```json\n{WON}\n```", f"```\n{WON}\n```", f"<think>first? no</think>\n{WON}"],
)
def test_a_verdict_is_read(text: str) -> None:
    found = read_reply(Reply(text, "stop"), PAIRWISE)
    assert (found.winner, found.reason, found.error) == ("second", "it answers", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "second",
        WON[:-1],
        f"My verdict: {WON}",
        WON + WON,
        f"[{WON}]",
        '{"reason": "x", "winner": "Second"}',
        '{"reason": "x", "winner": "neither"}',
        '{"reason": "x", "winner": null}',
        '{"reason": "x"}',
        '{"winner": "first"}',
        '{"reason": "x", "winner": "first", "winner": "second"}',
        '{"reason": "x", "winner": "first", "and": 1}',
        "[" * 5000,
        WON.replace("it answers", "x" * 30_000),
    ],
)
def test_what_is_no_verdict_is_an_error_and_never_a_tie(text: str) -> None:
    found = read_reply(Reply(text, "stop"), PAIRWISE)
    assert found.winner is None
    assert found.error


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_reply_that_was_cut_off_is_no_verdict(reason: str) -> None:
    assert read_reply(Reply(WON, reason), PAIRWISE).error


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_no_json_breaks_the_reader_and_none_but_a_verdict_is_one(value: object) -> None:
    assert read_reply(Reply(json.dumps(value), "stop"), PAIRWISE).error
    assert read_reply(
        Reply(json.dumps({"reason": "", "winner": value}), "stop"), PAIRWISE
    ).error or value in ("first", "second", "tie")


@pytest.mark.parametrize(
    ("grade", "read"), [(7, 7), (10, 10), (0, None), (11, None), (7.5, None), (True, None), ("7", None)]
)
def test_a_grade_is_a_whole_number_on_the_scale(grade: object, read: int | None) -> None:
    found = read_reply(Reply(json.dumps({"reason": "", "grade": grade}), "stop"), GRADE)
    assert found.grade == read
    assert (found.error is None) == (read is not None)


def likely(**chances: float) -> Reply:
    return Reply("A", "length", likely=tuple((token, math.log(chance)) for token, chance in chances.items()))


def test_probabilities_are_shared_among_the_labels() -> None:
    found = read_reply(
        Reply(
            "A",
            "length",
            likely=(
                ("A", math.log(0.3)),
                (" A", math.log(0.1)),
                ("B", math.log(0.1)),
                ("The", math.log(0.5)),
            ),
        ),
        TOKEN,
    )
    assert found.winner == "first"
    assert found.probabilities == pytest.approx((0.8, 0.2, 0.0))
    assert found.reason == "the labels hold 0.5 of the probability"


def test_equal_chances_prefer_neither_and_no_label_is_no_verdict() -> None:
    assert read_reply(likely(A=0.4, B=0.4, C=0.1), TOKEN).winner == "tie"
    assert read_reply(likely(A=0.3, B=0.4, C=0.1), TOKEN).winner == "second"
    assert read_reply(likely(A=0.1, B=0.2, C=0.5), TOKEN).winner == "tie"
    assert read_reply(likely(The=0.9, An=0.1), TOKEN).error
