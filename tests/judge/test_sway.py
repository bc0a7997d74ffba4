from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polypinch.judge import VERDICT_SCHEMA
from polypinch.judge.side_by_side import fidelities, summarise_verdicts
from polypinch.judge.sway import Side, influences, lay_out
from tests.judge.pairs import pairs

CHOICES = {  # item: winners with the arm first and with the other first, characters, languages right
    "won": ("first", "second", (10, 20), (1, 1)),
    "lost in language": ("second", "first", (10, 20), (0, 1)),
    "lost in content": ("second", "first", (10, 20), (1, 1)),
    "lost, both astray": ("second", "first", (20, 10), (0, 0)),
    "lost, untold": ("second", "first", (10, 10), (None, 1)),
    "always first": ("first", "first", (10, 20), (1, 1)),
    "tie": ("tie", "tie", (10, 20), (1, 1)),
    "half missing": ("first", None, (10, 20), (1, 1)),
}


def side(tag: str = "fi") -> Side:
    rows: list[dict[str, Any]] = []
    fidelity: tuple[dict[Any, float], dict[Any, float]] = ({}, {})
    for item, (*winners, lengths, right) in CHOICES.items():
        for order, winner in zip(("arm_first", "against_first"), winners, strict=True):
            about = {"item_id": item, "language": tag, "order": order, "winner": winner}
            rows.append({**about, "arm_length": lengths[0], "against_length": lengths[1]})
        for known, flag in zip(fidelity, right, strict=True):
            if flag is not None:
                known[item, tag] = float(flag)
    return Side(pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA), *fidelity)


def test_what_a_score_hangs_on_is_counted_by_hand() -> None:
    found = influences(lay_out([side()], list(CHOICES), ["fi"], "both"))
    values = {name: by.languages[0].value for name, by in found.items()}
    assert values["flips"] == pytest.approx(1 / 7)
    # One choice of two went to the place in each pair but two: always first, and the one half missing.
    assert values["firsts"] == pytest.approx((5 * 0.5 + 1 + 1) / 7)
    assert values["longer"] == pytest.approx(2 / 4)
    assert values["both_right"] == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    assert values["wrong_language_losses"] == pytest.approx(1 / 3)
    assert 0 < values["length_controlled"] < 1
    assert {name: by.overall.value for name, by in found.items()} == values


def test_a_judge_that_sees_no_order_favours_no_place() -> None:
    found = influences(lay_out([side()], list(CHOICES), ["fi"], "both"), ordered=False)
    assert not {"flips", "firsts"} & set(found)


def test_seeds_and_languages_stand_apart_and_weigh_the_same() -> None:
    judged = lay_out([side("fi"), side("sw")], list(CHOICES), ["fi", "sw", "es"], "both")
    assert judged.outcome.shape == (2, len(CHOICES), 3)
    assert np.isnan(judged.outcome[:, :, 2]).all()
    assert np.isnan(judged.outcome[1, :, 0]).all()
    found = influences(judged)["both_right"]
    assert found.overall.value == pytest.approx(np.mean([one.value for one in found.languages[:2]]))
    assert np.isnan(found.languages[2].value)


def test_where_nothing_was_judged_nothing_is_said() -> None:
    nothing = side().verdicts.slice(0, 2)
    judged = lay_out(
        [Side(nothing.set_column(7, "winner", pa.nulls(2, pa.string())), {}, {})], ["won"], ["fi"], "both"
    )
    assert all(np.isnan(by.overall.value) for by in influences(judged).values())


def test_lines_hold_the_same_figures() -> None:
    one = side()
    line, overall = summarise_verdicts(one.verdicts, fidelity=(dict(one.ours), dict(one.theirs)))
    assert line.both_right.value == pytest.approx(50)
    assert overall.wrong_language_losses.value == pytest.approx(1 / 3)
    assert (line.verdicts, line.missing) == (16, 1)
    bare = summarise_verdicts(one.verdicts, ordered=False)[0]
    assert np.isnan(bare.both_right.value)
    assert np.isnan(bare.flips.value)


def test_the_language_of_both_sides_is_told() -> None:
    ours, theirs = fidelities(pairs(4))
    assert {key: ours[key] for key in ours} == {
        ("i1", "fi"): 1,
        ("i3", "fi"): 1,
        ("i0", "en"): 0,
        ("i2", "en"): 0,
    }
    assert set(theirs.values()) == {0, 1}


@pytest.mark.parametrize("items", [1, 3, 6])
def test_outcomes_that_are_all_alike_have_an_interval_of_what_so_few_can_tell(items: int) -> None:
    lines = [
        {"arm": "a", "against": "b", "seed": None, "item_id": f"i{item}", "language": "fi", "order": order,
         "judge": "j", "winner": winner, "arm_length": 9 + item, "against_length": 7}
        for item in range(items)
        for order, winner in (("arm_first", "first"), ("against_first", "second"))
    ]  # fmt: skip
    for line in summarise_verdicts(pa.Table.from_pylist(lines, schema=VERDICT_SCHEMA)):
        wilson = items / (items + 3.8415)  # of so many without one that differs; some take a wider one
        assert (line.score.value, line.score.high) == (100, 100)
        assert 0 < line.score.low <= 100 * wilson + 1
        assert line.length_controlled.low <= 95
        assert line.flips.high > 0
