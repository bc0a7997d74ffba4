"""polypinch judge export, as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from polypinch.answer import ANSWER_SCHEMA
from polypinch.cli import app
from polypinch.errors import PinchError
from polypinch.files import write_table
from polypinch.judge import ORDERS, VERDICT_SCHEMA
from tests.pools import parallel_pool

WINNERS = {"a": ("first", "second"), "b": ("first", "first"), "c": ("second", None)}


def export(*arguments: object) -> dict[str, Any]:
    words = ["judge", "export", *map(str, arguments), "--json"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = {"arm": "ours", "against": "theirs", "judge": "j", "language": "en"}
    rows = [
        {**names, "item_id": item, "order": order, "winner": winner}
        for item, winners in WINNERS.items()
        for order, winner in zip(ORDERS, winners, strict=True)
    ]
    write_table(tmp_path / "verdicts.parquet", pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA))
    sampled = pa.Table.from_pylist(rows[::2], schema=VERDICT_SCHEMA)
    write_table(tmp_path / "sampled.parquet", sampled)
    for side in ("ours", "theirs"):
        lines = [
            {"item_id": item, "language": "en", "text": side, "prompt": f"say {item}"} for item in WINNERS
        ]
        (tmp_path / f"{side}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_verdicts_for_fastchat_need_no_texts(folder: Path) -> None:
    out = folder / "j_pair.jsonl"
    assert export(folder / "verdicts.parquet", "--to", "fastchat", "--out", out)["rows"] == 3
    games = [json.loads(line) for line in out.read_text().splitlines()]
    assert {game["question_id"]: (game["g1_winner"], game["g2_winner"]) for game in games} == {
        "a": ("model_1", "model_1"),
        "b": ("model_1", "model_2"),
        "c": ("model_2", "error"),
    }


@pytest.mark.parametrize(
    ("table", "preferences"), [("verdicts", [2.0, 1.5, None]), ("sampled", [2.0, 2.0, 1.0])]
)
def test_verdicts_for_alpaca_eval_come_with_the_answers(
    folder: Path, table: str, preferences: list[float | None]
) -> None:
    out = folder / "annotations.json"
    texts = ("--ours", folder / "ours.jsonl", "--theirs", folder / "theirs.jsonl")
    export(folder / f"{table}.parquet", "--to", "alpaca-eval", "--out", out, *texts)
    rows = json.loads(out.read_text())
    assert [row["preference"] for row in rows] == preferences
    assert (rows[0]["instruction"], rows[0]["output_1"], rows[0]["output_2"]) == ("say a", "theirs", "ours")
    with pytest.raises(PinchError, match="--ours"):
        export(folder / "verdicts.parquet", "--to", "alpaca-eval", "--out", out)


def test_answers_for_both(folder: Path) -> None:
    pool = parallel_pool(("en", "fi"), train=2, heldout=2).select()
    write_table(folder / "pool.parquet", pool)
    keys = zip(pool["item_id"].to_pylist(), pool["language"].to_pylist(), strict=True)
    rows = [{"item_id": item, "language": tag, "sample": 0, "text": f"{item} {tag}"} for item, tag in keys]
    write_table(folder / "answers.parquet", pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA))
    out = folder / "out.json"
    shared = (folder / "answers.parquet", "--out", out, "--name", "tuned")
    assert export(*shared, "--to", "fastchat")["rows"] == len(rows)
    assert json.loads(out.read_text().splitlines()[0])["model_id"] == "tuned"
    export(*shared, "--to", "alpaca-eval", "--prompts", folder / "pool.parquet")
    assert {row["generator"] for row in json.loads(out.read_text())} == {"tuned"}
    with pytest.raises(PinchError, match="--prompts"):
        export(*shared, "--to", "alpaca-eval")


def test_another_table_is_refused(folder: Path) -> None:
    write_table(folder / "other.parquet", pa.table({"x": [1]}))
    with pytest.raises(PinchError, match="neither verdicts nor answers"):
        export(folder / "other.parquet", "--to", "fastchat", "--out", folder / "out")
