"""Verdicts through AlpacaEval's and FastChat's files, and what those tools make of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from polypinch.errors import PinchError
from polypinch.files import write_table
from polypinch.judge import VERDICT_SCHEMA, outcomes
from polypinch.judge.interchange import (
    pair_annotations,
    pair_judgments,
    read_annotations,
    read_judged,
    read_pair_judgments,
    write_alpaca_eval,
    write_json_lines,
)
from tests.judge.interchange.strategies import in_order, verdicts

ANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)


def pairs_of(table: pa.Table) -> pa.Table:
    keys = sorted({(row["item_id"], row["language"]) for row in table.to_pylist()})
    columns = {"prompt": "p", "arm_text": "a", "against_text": "b"}
    return pa.Table.from_pylist([{"item_id": item, "language": tag, **columns} for item, tag in keys])


def mean_score(table: pa.Table) -> float:
    scores = []
    for judge in table["judge"].unique().to_pylist():
        own = table.filter(pa.compute.field("judge") == judge)
        scores += [value for value in outcomes(own)["outcome"].to_pylist() if value is not None]
    return float(np.mean(scores)) if scores else float("nan")


@ANY
@given(verdicts())
def test_alpaca_evals_annotations_come_back_unchanged_with_our_score_as_their_win_rate(
    tmp_path: Path, table: pa.Table
) -> None:
    path = tmp_path / "annotations.json"
    write_alpaca_eval(path, pair_annotations(table, pairs_of(table)))
    assert in_order(read_annotations(path)) == in_order(table)
    preferences = [row["preference"] for row in json.loads(path.read_text())]
    known = [preference - 1 for preference in preferences if preference is not None]
    assert np.mean(known or [np.nan]) == pytest.approx(mean_score(table), nan_ok=True)


@ANY
@given(verdicts())
def test_fastchats_judgments_come_back_unchanged_with_our_score_as_their_adjusted_win_rate(
    tmp_path: Path, table: pa.Table
) -> None:
    path = tmp_path / "judge_pair.jsonl"
    write_json_lines(path, pair_judgments(table))
    assert in_order(read_pair_judgments(path)) == in_order(table)
    wins: list[float] = []
    for line in path.read_text().split("\n")[:-1]:
        row = json.loads(line)
        if "error" in (row["g1_winner"], row["g2_winner"]):
            continue
        tie = row["g1_winner"] == "tie" or row["g1_winner"] != row["g2_winner"]
        wins.append(0.5 if tie else float(row["g1_winner"] == "model_1"))
    assert np.mean(wins or [np.nan]) == pytest.approx(mean_score(table), nan_ok=True)


@ANY
@given(verdicts())
def test_fastchats_own_fields_alone_hold_every_choice(tmp_path: Path, table: pa.Table) -> None:
    rows = pair_judgments(table)
    path = tmp_path / "judge_pair.jsonl"
    write_json_lines(path, [{key: row[key] for key in row if key != "verdicts"} for row in rows])
    score = mean_score(table)
    expected = score if rows[0]["model_1"] < rows[0]["model_2"] else 1 - score
    assert mean_score(read_pair_judgments(path)) == pytest.approx(expected, nan_ok=True)


GAME = {
    "question_id": 81,
    "model_1": "vicuna",
    "model_2": "alpaca",
    "g1_winner": "model_1",
    "g2_winner": "model_1",
    "judge": ["gpt-4", "pair-v2"],
    "g1_user_prompt": "…",
    "g1_judgment": "[[A]]",
    "g2_user_prompt": "…",
    "g2_judgment": "[[B]]",
    "turn": 2,
    "tstamp": 1687222222.5,
}


def fastchat(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "gpt-4_pair.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_fastchats_judgments_become_verdicts_and_theirs_again(tmp_path: Path) -> None:
    path = fastchat(tmp_path, GAME, {**GAME, "question_id": 82, "g2_winner": "error", "turn": 1})
    table = read_pair_judgments(path, "en")
    seen = {(row["item_id"], row["order"]): row for row in table.to_pylist()}
    assert seen["81/2/alpaca/vicuna", "against_first"]["winner"] == "first"
    assert seen["81/2/alpaca/vicuna", "arm_first"]["winner"] == "second"
    assert seen["81/2/alpaca/vicuna", "arm_first"]["raw"] == "[[B]]"
    assert seen["82/1/alpaca/vicuna", "arm_first"]["winner"] is None
    assert seen["82/1/alpaca/vicuna", "arm_first"]["error"]
    back, failed = pair_judgments(table)
    assert (back["question_id"], back["turn"], back["judge"]) == (81, 2, ["gpt-4", "pair-v2"])
    assert {back["model_1"], back["model_2"]} == {"vicuna", "alpaca"}
    assert back[back["g1_winner"]] == back[back["g2_winner"]] == "vicuna"
    assert failed["g1_winner"] == "error"


def test_score_flip_rate_and_first_position_rate_by_hand(tmp_path: Path) -> None:
    games = [
        ("model_1", "model_1"),
        ("model_2", "model_2"),
        ("model_1", "model_2"),  # the first shown, twice
        ("model_2", "model_1"),  # the second shown, twice
        ("tie", "model_1"),
        ("tie", "tie"),
    ]
    rows = [
        {**GAME, "question_id": 81 + index, "g1_winner": one, "g2_winner": two}
        for index, (one, two) in enumerate(games)
    ]
    table = read_pair_judgments(fastchat(tmp_path, *rows), "en")
    found = outcomes(table)
    assert 1 - np.mean(found["outcome"].to_pylist()) == pytest.approx((1 + 0 + 0.5 + 0.5 + 0.5 + 0.5) / 6)
    assert sum(found["flipped"].to_pylist()) == 2
    winners = table["winner"].to_pylist()
    # g1 shows model_1 first, g2 model_2: 1+0, 0+1, 1+1, 0+0, and of "tie, model_1" the second
    assert winners.count("first") == 4
    assert winners.count("second") == 5


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({**GAME, "g2_winner": "C"}, "g2_winner is 'C'"),
        ({key: GAME[key] for key in GAME if key != "g1_winner"}, "g1_winner is missing"),
    ],
)
def test_what_is_wrong_with_a_judgment_is_named(tmp_path: Path, row: dict[str, Any], words: str) -> None:
    with pytest.raises(PinchError, match=words) as caught:
        read_pair_judgments(fastchat(tmp_path, GAME, row), "en")
    assert "row 2" in str(caught.value)


def test_a_language_has_to_be_said(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="--language"):
        read_pair_judgments(fastchat(tmp_path, GAME))


def test_alpaca_evals_own_annotations_know_no_order(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps([{"instruction": "i", "output_1": "a", "output_2": "b", "preference": 1}]))
    with pytest.raises(PinchError, match="order is unknown"):
        read_annotations(path)
    (judged,) = read_judged(path, language="en").values()
    assert judged.verdicts is None
    assert judged.labels["winner"].to_pylist() == ["first"]


def test_a_pair_without_texts_cannot_be_exported() -> None:
    row = {"arm": "a", "against": "b", "item_id": "x", "language": "en", "order": "arm_first", "judge": "j"}
    table = pa.Table.from_pylist([row], schema=VERDICT_SCHEMA)
    with pytest.raises(PinchError, match="no texts"):
        pair_annotations(table, pairs_of(table).slice(0, 0))
    with pytest.raises(ValueError, match="twice"):
        pair_judgments(pa.concat_tables([table, table]))


@ANY
@given(verdicts())
def test_verdicts_are_read_from_any_of_their_files_by_judge(tmp_path: Path, table: pa.Table) -> None:
    write_table(tmp_path / "v.parquet", table)
    write_alpaca_eval(tmp_path / "annotations.json", pair_annotations(table, pairs_of(table)))
    write_json_lines(tmp_path / "x_pair.jsonl", pair_judgments(table))
    for name in ("v.parquet", "annotations.json", "x_pair.jsonl"):
        found = read_judged(tmp_path / name)
        assert sorted(found) == sorted(table["judge"].unique().to_pylist())
        tables = [one.verdicts for one in found.values() if one.verdicts is not None]
        assert in_order(pa.concat_tables(tables)) == in_order(table)
