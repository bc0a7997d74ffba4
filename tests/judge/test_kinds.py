from __future__ import annotations

import pytest

from polypinch.judge import KindName, kind_of
from polypinch.judge.store import Record


@pytest.mark.parametrize("name", KindName)
def test_every_kind_is_what_its_name_says_and_says_how_it_judges(name: KindName) -> None:
    kind = kind_of(name)
    assert kind.name == name
    assert kind.how("both")
    assert kind.asks_model == bool(kind.shows)
    assert kind.calls("both") == 2
    assert set(kind.texts("one", "other")) <= {"one", "other"}


def test_a_grade_needs_both_calls_in_whatever_orders_are_asked_for() -> None:
    assert kind_of(KindName.GRADE).calls("sampled") == 2
    assert kind_of(KindName.PAIRWISE).calls("sampled") == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "winners"),
    [
        (7, 3, ["first", "second"]),
        (3, 7, ["second", "first"]),
        (5, 5, ["tie", "tie"]),
        (5, None, [None, None]),
    ],
)
def test_of_two_grades_the_higher_wins_in_either_order_and_half_a_pair_is_no_verdict(
    ours: int, theirs: int | None, winners: list[str | None]
) -> None:
    def record(grade: int | None) -> Record:
        about = dict.fromkeys(("judge", "version", "model", "sampling", "item_id", "language", "first"), "x")
        return Record(
            key="k", revision=None, second=None, grade=grade, error=None if grade else "cut off", **about
        )

    lines = kind_of(KindName.GRADE).verdicts([record(ours), record(theirs)])
    assert [line["winner"] for line in lines] == winners
    assert all((line["winner"] is None) == (line["error"] is not None) for line in lines)
