from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.judge import Judge, Reply, load_judge
from polypinch.judge.replies import Reading

PAIRWISE, GRADE, TOKEN = load_judge("pairwise"), load_judge("grade"), load_judge("pairwise-token")


def read_reply(reply: Reply, judge: Judge) -> Reading:
    return judge.kind.read(reply, judge)


WON = '{"reason": "it answers", "winner": "second"}'


@pytest.mark.parametrize(
    "text",
    [
        WON,
        f"  {WON}\n",
        f"```json\n{WON}\n```",
        f"```\n{WON}\n```",
        f"```JSON \n{WON}```",
        f"<think>first? no</think>\n{WON}",
        f"first? no, the template began this</think>\n{WON}",
        f"<think>a {{winner}}</think> and <think>b</think>\n```json\n{WON}\n```",
        f"[THINK]first?[/THINK]{WON}",
        f"<seed:think>first?</seed:think>{WON}",
        f"<|channel|>analysis<|message|>first?<|end|><|channel|>final<|message|>{WON}<|return|>",
    ],
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


def test_a_verdict_may_quote_the_end_of_thoughts() -> None:
    quoting = json.dumps({"reason": 'it says </think>{"winner": "first"}', "winner": "second"})
    assert read_reply(Reply(quoting, "stop"), PAIRWISE).winner == "second"


@pytest.mark.parametrize("tail", ["\n" * 200_000 + "x", "\n" * 200_000 + "```", " \n" * 100_000])
def test_a_long_reply_takes_no_longer_than_it_is_long(tail: str) -> None:
    assert read_reply(Reply("```json\n" + tail, "stop"), PAIRWISE).error


@pytest.mark.parametrize("reason", [None, "", "stop", "STOP", "eos_token", "end_turn", "stop_sequence"])
def test_a_reply_that_ended_is_read_however_its_server_says_so(reason: str | None) -> None:
    assert read_reply(Reply(WON, reason), PAIRWISE).winner == "second"


@pytest.mark.parametrize("reason", ["length", "content_filter", "MAX_TOKENS", "SAFETY"])
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


@pytest.mark.parametrize("far", [1e308, math.inf, math.nan, -math.inf])
def test_no_probability_is_beyond_one(far: float) -> None:
    found = read_reply(Reply("A", "length", likely=(("A", far), ("B", -1.0))), TOKEN)
    assert found.error or found.probabilities is not None
    assert all(0 <= chance <= 1 for chance in found.probabilities or ())


def test_equal_chances_prefer_neither_and_no_label_is_no_verdict() -> None:
    assert read_reply(likely(A=0.4, B=0.4, C=0.1), TOKEN).winner == "tie"
    assert read_reply(likely(A=0.3, B=0.4, C=0.1), TOKEN).winner == "second"
    assert read_reply(likely(A=0.1, B=0.2, C=0.5), TOKEN).winner == "tie"
    assert read_reply(likely(The=0.9, An=0.1), TOKEN).error
