from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.study import Spending, read_speed

TOKENS = {"tuned": 3_600_000, "scored": 7_200_000, "drawn": 1_800_000}


def test_each_kind_of_work_has_its_own_hours_and_money() -> None:
    speed = read_speed("tuned: 1000, scored: 4000, drawn: 100")
    assert speed is not None
    spending = Spending.of(speed.seconds(TOKENS), 2.0)
    assert spending.hours == pytest.approx({"tuned": 1.0, "scored": 0.5, "drawn": 5.0})
    assert spending.dollars == pytest.approx({"tuned": 2.0, "scored": 1.0, "drawn": 10.0})
    hours, money = spending.lines()
    assert hours.startswith("device hours: 6.5 (tuning 1.0, scoring 0.5, drawing 5.0)")
    assert money.startswith("money: $13.00 (tuning $2.00, scoring $1.00, drawing $10.00)")


def test_without_a_price_no_money_is_told() -> None:
    speed = read_speed("500")
    assert speed is not None
    assert speed.seconds(TOKENS) == {kind: tokens / 500 for kind, tokens in TOKENS.items()}
    assert Spending.of(speed.seconds(TOKENS)).dollars is None
    assert len(Spending.of(speed.seconds(TOKENS)).lines()) == 1


@pytest.mark.parametrize(
    "text", ["fast", "0", "-3", "", "tuned: 5", "tuned: 5, scored: 0, drawn: 1", "tuned: {", "a: b: c", "[1]"]
)
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(PinchError, match="tokens-per-second"):
        read_speed(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        speed = read_speed(text)
    except PinchError:
        return
    assert speed is not None
    assert min(speed.seconds({"tuned": 1, "scored": 1, "drawn": 1}).values()) >= 0


def test_a_price_takes_hours() -> None:
    with pytest.raises(PinchError, match="price-per-hour"):
        read_speed(None, 2.0)
    assert read_speed(None, 2.0, timed=True) is None
