"""Judges whose quality is known, held against people whose agreement is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polypinch.errors import PinchError
from polypinch.judge import ORDERS, VERDICT_SCHEMA
from polypinch.judge.agreement import validate
from polypinch.judge.labels import LABEL_SCHEMA, WINNERS, Judged, judged

PAIRS = 300
TRUTH = np.random.default_rng(0).integers(0, 2, PAIRS)


def raters(*accuracies: float, seed: int = 1, tag: str = "en") -> list[dict[str, Any]]:
    """Labels of people who are right so often, and else choose the other answer."""
    generator = np.random.default_rng(seed)
    rows = []
    for index, accuracy in enumerate(accuracies):
        choices = np.where(generator.random(PAIRS) < accuracy, TRUTH, 1 - TRUTH)
        rows += [
            {
                "item_id": f"i{item}",
                "language": tag,
                "annotator": f"p{index}",
                "winner": WINNERS[code],
                "cluster": f"c{item // 2}",
            }
            for item, code in enumerate(choices)
        ]
    return rows


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)


def verdicts(name: str, accuracy: float, always_first: float = 0.0, tag: str = "en", seed: int = 9) -> Judged:
    generator = np.random.default_rng(seed)
    rows = []
    for item in range(PAIRS):
        right = TRUTH[item] if generator.random() < accuracy else 1 - TRUTH[item]
        for order in ORDERS:
            first = "first" if (right == 0) == (order == "arm_first") else "second"
            winner = "first" if generator.random() < always_first else first
            names = {"arm": "one", "against": "other", "judge": name, "language": tag}
            rows.append({**names, "item_id": f"i{item}", "order": order, "winner": winner})
    return judged(pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA))[name]


def test_people_alone_come_first() -> None:
    (people,) = validate(table(raters(0.9, 0.9, 0.9))).people
    assert (people.n_pairs, people.n_labels, people.n_several) == (PAIRS, 3 * PAIRS, PAIRS)
    assert len(people.between) == 3
    assert people.cohen is not None
    assert people.cohen.value == pytest.approx(np.mean([pair.kappa.value for pair in people.between]))
    # Two people who are right 9 times in 10 agree 0.82 of the time, and half of that is chance.
    assert people.exact is not None
    assert people.exact.low < 0.82 < people.exact.high
    assert people.cohen.low < 0.64 < people.cohen.high
    assert people.ceiling is not None
    assert people.ceiling.value > people.exact.value


def test_one_label_per_pair_says_nothing_about_agreement() -> None:
    (people,) = validate(table(raters(1.0))).people
    assert (people.n_several, people.cohen, people.ceiling) == (0, None, None)


@pytest.mark.parametrize(
    ("accuracy", "always_first", "decision"),
    [(0.97, 0.0, "use"), (0.75, 0.0, "caution"), (0.5, 0.0, "reject"), (0.9, 1.0, "reject")],
)
def test_judges_are_told_apart(accuracy: float, always_first: float, decision: str) -> None:
    (found,) = validate(table(raters(0.9, 0.9, 0.9)), {"j": verdicts("j", accuracy, always_first)}).judges
    assert found.decision == decision
    assert (found.n_pairs, found.n_missing) == (PAIRS, 0)
    assert found.flip_rate is not None
    assert found.first_position is not None
    assert found.flip_rate.value == always_first
    assert found.first_position.value == (1.0 if always_first else 0.5)
    assert ("shown first (100 %" in found.sentence) == bool(always_first)


def test_a_person_as_the_judge_is_as_good_as_the_others() -> None:
    shortfalls = []
    for seed in range(8):
        rows = raters(0.85, 0.85, 0.85, 0.85, seed=seed)
        people = [row for row in rows if row["annotator"] != "p3"]
        own = table([row for row in rows if row["annotator"] == "p3"])
        (found,) = validate(table(people), {"p3": Judged(own)}).judges
        assert (found.flip_rate, found.first_position) == (None, None)
        assert found.shortfall is not None
        shortfalls.append(found.shortfall)
    assert abs(np.mean([found.value for found in shortfalls])) < 0.02
    assert sum(found.low <= 0 <= found.high for found in shortfalls) >= 6


def test_languages_are_judged_apart() -> None:
    rows = [*raters(0.9, 0.9, 0.9), *raters(0.9, 0.9, 0.9, tag="fi")]
    good, bad = verdicts("j", 0.97), verdicts("j", 0.5, tag="fi")
    assert good.verdicts is not None
    both = judged(pa.concat_tables([good.verdicts, bad.verdicts]))
    found = validate(table(rows), both)
    assert {(one.language, one.decision) for one in found.judges} == {("en", "use"), ("fi", "reject")}
    assert [one.language for one in found.people] == ["en", "fi"]


def test_missing_verdicts_are_counted_and_never_ties() -> None:
    judge = verdicts("j", 0.97)
    assert judge.verdicts is not None
    rows = judge.verdicts.to_pylist()
    for row in rows[:100]:
        row |= {"winner": None, "error": "timed out"}
    failing = judged(pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA))
    (found,) = validate(table(raters(0.9, 0.9, 0.9)), failing).judges
    assert (found.n_pairs, found.n_missing) == (PAIRS - 50, 50)
    assert found.exact.value > 0.8


def test_two_judges_are_compared_with_each_other() -> None:
    judges = {"a": verdicts("a", 0.95, seed=1), "b": verdicts("b", 0.95, seed=2)}
    (pair,) = validate(table(raters(0.9)), judges).among_judges
    assert (pair.one, pair.other) == ("a", "b")
    assert pair.kappa.value > 0.7


def test_a_judge_of_other_pairs_is_refused() -> None:
    rows = [{**row, "item_id": f"x{row['item_id']}"} for row in raters(0.9)]
    with pytest.raises(PinchError, match="none of the 300 labelled pairs"):
        validate(table(raters(0.9)), {"j": Judged(table(rows))})


def test_the_same_seed_gives_the_same_figures() -> None:
    judges = {"j": verdicts("j", 0.8)}
    labels = table(raters(0.9, 0.9))
    assert validate(labels, judges, seed=4) == validate(labels, judges, seed=4)
    assert validate(labels, judges, seed=4) != validate(labels, judges, seed=5)
