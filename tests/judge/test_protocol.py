from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.judge import ORDERS, VERDICT_SCHEMA, outcomes

WINNERS = st.sampled_from(["first", "second", "tie", None])


def verdict(order: str, winner: str | None, item: str = "a", tag: str = "en") -> dict[str, object]:
    error = None if winner else "timed out"
    names = {"arm": "pinch", "against": "english", "seed": 1, "judge": "test"}
    return {**names, "item_id": item, "language": tag, "order": order, "winner": winner, "error": error}


def score(*verdicts: dict[str, object]) -> list[tuple[float | None, bool | None]]:
    table = outcomes(pa.Table.from_pylist(list(verdicts), schema=VERDICT_SCHEMA))
    return list(zip(table["outcome"].to_pylist(), table["flipped"].to_pylist(), strict=True))


@pytest.mark.parametrize(
    ("arm_first", "against_first", "expected", "flipped"),
    [
        ("first", "second", 1.0, False),
        ("second", "first", 0.0, False),
        ("first", "first", 0.5, True),
        ("second", "second", 0.5, True),
        ("tie", "tie", 0.5, False),
        ("first", "tie", 0.5, False),
        ("tie", "first", 0.5, False),
        ("first", None, None, None),
        (None, "first", None, None),
        (None, None, None, None),
    ],
)
def test_the_papers_rule(
    arm_first: str | None, against_first: str | None, expected: float | None, flipped: bool | None
) -> None:
    assert score(verdict("arm_first", arm_first), verdict("against_first", against_first)) == [
        (expected, flipped)
    ]


def test_one_order_alone_is_missing_not_a_tie() -> None:
    assert score(verdict("arm_first", "first")) == [(None, None)]


@given(st.lists(st.tuples(WINNERS, WINNERS), min_size=1, max_size=8), st.randoms())
def test_swapping_the_two_arms_mirrors_the_outcome_and_order_of_rows_is_nothing(
    pairs: list[tuple[str | None, str | None]], random: object
) -> None:
    rows = [
        verdict(order, winner, f"i{index}")
        for index, pair in enumerate(pairs)
        for order, winner in zip(ORDERS, pair, strict=True)
    ]
    mirrored = [{**row, "order": ORDERS[1 - ORDERS.index(str(row["order"]))]} for row in rows]
    direct = dict(zip((f"i{i}" for i in range(len(pairs))), score(*rows), strict=True))
    random.shuffle(mirrored)  # type: ignore[attr-defined]
    table = outcomes(pa.Table.from_pylist(mirrored, schema=VERDICT_SCHEMA))
    for item, value in zip(table["item_id"].to_pylist(), table["outcome"].to_pylist(), strict=True):
        expected = direct[item][0]
        assert value == (None if expected is None else 1 - expected)


def test_a_pair_judged_twice_in_one_order_is_refused() -> None:
    with pytest.raises(ValueError, match="judged twice"):
        score(verdict("arm_first", "first"), verdict("arm_first", "first"))


def test_a_winner_the_protocol_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="'A'"):
        score(verdict("arm_first", "A"))
