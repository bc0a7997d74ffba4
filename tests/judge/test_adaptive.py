from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from polypinch.errors import PinchError
from polypinch.judge import ORDERS, PAIR_SCHEMA, VERDICT_SCHEMA, BudgetSpent, Spent
from polypinch.judge.adaptive import Adapted, Settled, joined, judge_adaptively
from polypinch.specs import load_yaml
from polypinch.study import Store, Study, build, open_inputs
from tests.studies import write_study

ITEMS = 120


def table(wins: dict[str, int], **changes: Any) -> pa.Table:
    """Pairs of which each language's first ``wins`` are won; answers say so."""
    rows = [
        {
            "item_id": f"item {index}",
            "language": tag,
            "prompt": "?",
            "arm_text": f"{'better' if index < count else 'worse'} {index}",
            "against_text": f"middling {index}",
            "reference": None,
        }
        | changes
        for tag, count in wins.items()
        for index in range(ITEMS)
    ]
    return pa.Table.from_pylist(rows, schema=PAIR_SCHEMA)


class Judge:
    """Prefers what is better, in both orders, and remembers what it was asked."""

    def __init__(self, most: int = 10**9, winner: str | None = "told") -> None:
        self.asked: list[tuple[str, str]] = []
        self.rounds: list[int] = []
        self.most, self.winner = most, winner

    def __call__(self, pairs: pa.Table) -> pa.Table:
        rows = []
        for pair in pairs.to_pylist():
            lacks = None in (pair["arm_text"], pair["against_text"])
            if not lacks:
                self.asked.append((pair["item_id"], pair["language"]))
            for order in ORDERS:
                won = not lacks and pair["arm_text"].startswith("better")
                winner = "first" if won == (order == "arm_first") else "second"
                known = self.winner == "told" and not lacks
                about = {"item_id": pair["item_id"], "language": pair["language"], "order": order}
                rows.append({**about, "winner": winner if known else None, "error": None if known else "no"})
        self.rounds.append(pairs.num_rows)
        if len(self.asked) > self.most:
            raise BudgetSpent("a limit", Spent(), 1)
        return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)


def adapt(pairs: pa.Table, judge: Judge, **changes: Any) -> Adapted:
    settings: dict[str, Any] = {"orders": "both", "half_width": 0.0, "error": 0.05, "at_a_time": 8}
    return judge_adaptively(pairs, judge, label="judge", **(settings | changes))


def test_a_clear_language_stops_early_and_an_even_one_goes_on_to_the_end() -> None:
    judge = Judge()
    found = adapt(table({"en": 60, "es": 6, "fi": 114}), judge)
    assert {tag: one.decided for tag, one in found.languages.items()} == {
        "en": "narrow",  # everything was asked: the mean is known
        "es": "below",
        "fi": "above",
    }
    for tag, one in found.languages.items():
        assert one.drawn + one.not_asked == ITEMS
        assert one.drawn == sum(of == tag for _, of in judge.asked)
        assert one.low <= one.mean <= one.high
    assert found.languages["en"].not_asked == 0
    assert found.languages["fi"].drawn < ITEMS / 2
    assert found.saved == 2 * sum(one.not_asked for one in found.languages.values())
    assert found.verdicts.num_rows == 2 * len(judge.asked)
    assert found.verdicts["error"].null_count == found.verdicts.num_rows
    assert len(set(judge.asked)) == len(judge.asked)


def test_rounds_fill_the_server_and_items_come_in_an_order_of_their_ids_alone() -> None:
    pairs = table({"en": 60, "fi": 100})
    one, other = Judge(), Judge()
    found = adapt(pairs, one)
    assert set(one.rounds[1:3]) == {4}  # in two orders: eight calls
    again = adapt(pairs.take(pa.array(range(pairs.num_rows - 1, -1, -1))), other)
    assert again.languages == found.languages
    assert sorted(one.asked) == sorted(other.asked)
    first = [item for item, tag in one.asked if tag == "en"][:20]
    assert first != [f"item {index}" for index in range(20)]


def test_a_narrow_interval_is_enough_where_one_is_asked_for() -> None:
    found = adapt(table({"en": 60}), Judge(), half_width=0.15)
    state = found.languages["en"]
    assert state.decided == "narrow"
    assert state.not_asked > 0
    assert state.high - state.low < 0.3


def test_a_smaller_error_asks_more() -> None:
    drawn = [
        adapt(table({"en": 90, "fi": 95}), Judge(), error=error).languages["en"].drawn
        for error in (0.2, 0.01, 1e-6)
    ]
    assert drawn == sorted(drawn)
    assert drawn[0] < drawn[-1]


def test_what_lacks_an_answer_is_missing_and_takes_no_part() -> None:
    whole = table({"fi": 114})
    lacking = table({"fi": 114}, against_text=None).slice(0, 30)
    found = adapt(pa.concat_tables([lacking, whole.slice(30)]), judge := Judge())
    assert judge.rounds[0] == 30
    state = found.languages["fi"]
    assert state.drawn + state.not_asked == ITEMS - 30
    assert found.verdicts["winner"].null_count == 60
    nothing = adapt(table({"fi": 1}, arm_text=None), Judge()).languages["fi"]
    assert (nothing.decided, nothing.drawn, nothing.not_asked) == (None, 0, 0)


def test_failures_settle_nothing_and_a_judge_that_only_fails_is_stopped() -> None:
    judge = Judge(winner=None)
    with pytest.raises(PinchError, match="none of 56 calls came to a verdict; the last: no"):
        adapt(table({"en": 60}), judge)
    assert len(judge.asked) == 28


def test_a_limit_says_how_many_calls_there_may_be_yet() -> None:
    with pytest.raises(BudgetSpent, match=r"at most 2\d\d calls are left"):
        adapt(table({"en": 60}), Judge(most=10))


def test_identical_answers_were_no_calls_to_save() -> None:
    pairs = table({"fi": 114})
    same = pairs.set_column(4, "against_text", pairs["arm_text"])
    found = adapt(pa.concat_tables([pairs.slice(0, 90), same.slice(90)]), Judge())
    assert 0 < found.saved < 2 * found.languages["fi"].not_asked


def test_scores_join_with_the_ends_of_their_sequences() -> None:
    parts = [
        Settled("en", 0.4, 0.3, 0.5, "narrow", 10, 2),
        Settled("fi", 0.8, 0.6, 0.9, "above", 20, 0),
        Settled("es", math.nan, 0.0, 1.0, None, 0, 0),
    ]
    found = joined(parts)
    assert (found.value, found.low, found.high) == pytest.approx((60, 45, 70))
    assert found.n_items == 20
    wider = joined(parts, 2, 0.2)
    assert wider.low == pytest.approx(60 - 100 * math.hypot(0.15, 0.2))
    assert math.isnan(joined(parts[2:]).value)
    assert [Settled.from_dict(one.as_dict()) for one in parts[:2]] == parts[:2]
    assert math.isnan(Settled.from_dict(parts[2].as_dict()).mean)


@pytest.mark.parametrize("against", ["english", "untuned", "monolingual"])
def test_the_error_is_shared_by_all_comparisons_that_the_study_will_make(
    tiny_study: dict[str, Any], tmp_path: Path, against: str
) -> None:
    judge = {"model": "m", "base_url": "http://127.0.0.1:1/v1", "adaptive": {"error": 0.1}}
    path = write_study(tmp_path / "s.yaml", tiny_study, comparison={"against": against, "judge": judge})
    study = load_yaml(path, Study)
    inputs = open_inputs(study)
    graph = build(inputs, Store(tmp_path / "store"))
    assert study.comparisons == len(graph.compared)
    assert inputs.judging is not None
    assert inputs.judging.identity["adaptive"] == {
        "error": 0.1,
        "comparisons": len(graph.compared),
    }
