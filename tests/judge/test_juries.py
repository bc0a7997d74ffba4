from __future__ import annotations

from itertools import product

import pyarrow as pa
import pytest

from polypinch.judge import VERDICT_SCHEMA
from polypinch.judge.juries import jury
from polypinch.judge.labels import judge_labels


def verdicts(judge: str, **winners: str | None) -> pa.Table:
    """Verdicts in the order arm_first on items by name."""
    names = {"arm": "pinch", "against": "english", "seed": 1, "language": "en", "judge": judge}
    rows = [
        {
            **names,
            "item_id": item,
            "order": "arm_first",
            "winner": winner,
            "error": None if winner else "died",
        }
        for item, winner in winners.items()
    ]
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)


def decided(rule: str, *winners: str | None) -> str | None:
    tables = [verdicts(f"j{index}", item=winner) for index, winner in enumerate(winners)]
    return jury(tables, rule)["winner"].to_pylist()[0]  # type: ignore[arg-type, no-any-return]


@pytest.mark.parametrize(
    ("winners", "majority", "mean"),
    [
        (("first", "first", "second"), "first", "first"),
        (("first", "tie", "tie"), "tie", "first"),
        (("second", "tie", "tie"), "tie", "second"),
        (("first", "second", "tie"), "tie", "tie"),
        (("first", "second"), "tie", "tie"),
        (("first", "tie"), "tie", "first"),
        (("first", "first", None), "first", "first"),
        (("first", None, None), None, None),
        (("first", None), None, None),
        ((None, None), None, None),
    ],
)
def test_the_rules(winners: tuple[str | None, ...], majority: str | None, mean: str | None) -> None:
    assert decided("majority", *winners) == majority
    assert decided("mean", *winners) == mean


@pytest.mark.parametrize("rule", ["majority", "mean"])
def test_judges_are_equals_and_first_and_second_are_mirrored(rule: str) -> None:
    mirror = {"first": "second", "second": "first"}
    for winners in product(["first", "second", "tie", None], repeat=3):
        found = decided(rule, *winners)
        assert decided(rule, *reversed(winners)) == found
        turned = decided(rule, *(mirror.get(winner or "", winner) for winner in winners))
        assert turned == mirror.get(found or "", found)


def test_a_missing_verdict_says_who_is_missing_and_an_unseen_pair_counts_as_missing() -> None:
    table = jury(
        [verdicts("a", x="first", y="first"), verdicts("b", x=None), verdicts("c", x="first", y="tie")]
    )
    found = {row["item_id"]: row for row in table.to_pylist()}
    assert table.schema == VERDICT_SCHEMA
    assert {row["judge"] for row in found.values()} == {"jury:majority(a+b+c)"}
    assert found["x"]["winner"] == "first"
    assert found["y"]["winner"] == "tie"
    alone = jury([verdicts("a", x="first"), verdicts("b", x=None)]).to_pylist()[0]
    assert (alone["winner"], alone["error"]) == (None, "1 of 2 judges are missing")


def test_one_judge_is_no_jury_and_two_verdicts_on_one_thing_are_refused() -> None:
    with pytest.raises(ValueError, match="two judges"):
        jury([verdicts("a", x="first")])
    with pytest.raises(ValueError, match="judged twice by a"):
        jury([verdicts("a", x="first"), verdicts("a", x="second")])


def test_a_judge_is_one_more_annotator() -> None:
    both = [
        {**row, "order": order, "winner": winner}
        for row, winners in zip(
            verdicts("a", w="tie", x="tie", y="tie", z="tie").to_pylist(),
            [("first", "second"), ("first", "first"), ("second", "first"), ("first", None)],
            strict=True,
        )
        for order, winner in zip(("arm_first", "against_first"), winners, strict=True)
    ]
    labels = judge_labels(pa.Table.from_pylist(both, schema=VERDICT_SCHEMA), "a")
    assert dict(zip(labels["item_id"].to_pylist(), labels["winner"].to_pylist(), strict=True)) == {
        "w": "first",
        "x": "tie",
        "y": "second",
        "z": None,
    }
