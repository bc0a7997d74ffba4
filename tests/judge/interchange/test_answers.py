from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polypinch.answer import ANSWER_SCHEMA
from polypinch.errors import PinchError
from polypinch.judge.interchange import write_alpaca_eval, write_json_lines
from polypinch.judge.interchange.answers import (
    model_answers,
    model_outputs,
    read_model_answers,
    read_model_outputs,
)
from tests.judge.interchange.strategies import NAME, TEXT, in_order

ANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)


@st.composite
def answers(draw: st.DrawFn, samples: int = 1) -> pa.Table:
    keys = st.tuples(NAME, st.sampled_from(["en", "fi"]))
    rows = [
        {
            "item_id": item,
            "language": tag,
            "sample": sample,
            "text": draw(TEXT),
            "finish_reason": draw(st.none() | st.sampled_from(["stop", "length"])),
            "prompt_tokens": draw(st.none() | st.integers(0, 9)),
            "completion_tokens": draw(st.none() | st.integers(0, 9)),
            "engine": draw(st.none() | NAME),
            "sampling": draw(st.none() | NAME),
        }
        for item, tag in draw(st.lists(keys, min_size=1, max_size=4, unique=True))
        for sample in range(samples)
    ]
    return pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA)


def prompts_of(table: pa.Table) -> dict[tuple[str, str], str]:
    return {(row["item_id"], row["language"]): f"say {row['item_id']}" for row in table.to_pylist()}


@ANY
@given(answers())
def test_model_outputs_come_back_unchanged(tmp_path: Path, table: pa.Table) -> None:
    path = tmp_path / "model_outputs.json"
    write_alpaca_eval(path, model_outputs(table, prompts_of(table), "tuned"))
    assert {"instruction", "output", "generator", "dataset"} <= json.loads(path.read_text())[0].keys()
    back, prompts, generator = read_model_outputs(path)
    assert in_order(back) == in_order(table)
    assert (prompts, generator) == (prompts_of(table), "tuned")


@ANY
@given(answers(samples=2))
def test_model_answers_come_back_unchanged(tmp_path: Path, table: pa.Table) -> None:
    path = tmp_path / "tuned.jsonl"
    write_json_lines(path, model_answers(table, "tuned"))
    back, model = read_model_answers(path)
    assert in_order(back) == in_order(table)
    assert model == "tuned"


def test_published_files_without_our_fields_are_read(tmp_path: Path) -> None:
    outputs = tmp_path / "model_outputs.json"
    rows = [{"instruction": "Hi", "output": "Hello", "generator": "g", "dataset": "koala"}]
    outputs.write_text(json.dumps(rows))
    table, prompts, generator = read_model_outputs(outputs, "en")
    assert (table["text"].to_pylist(), list(prompts.values()), generator) == (["Hello"], ["Hi"], "g")
    chat = tmp_path / "m.jsonl"
    row = {"question_id": 81, "model_id": "m", "choices": [{"index": 0, "turns": ["one", "two"]}]}
    chat.write_text(json.dumps(row) + "\n")
    table, model = read_model_answers(chat, "en")
    assert (table["item_id"].to_pylist(), table["text"].to_pylist(), model) == (["81"], ["one"], "m")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [{"instruction": "Hi", "output": 3, "generator": "g"}],
            "row 1: instruction, output",
        ),
        ([{"instruction": "Hi", "output": "a", "generator": "g"}] * 2, "row 2: .* answered twice"),
        ([{"instruction": x, "output": x, "generator": x} for x in "ab"], "one model per file"),
    ],
)
def test_what_is_wrong_with_outputs_is_named(tmp_path: Path, rows: list[dict[str, Any]], words: str) -> None:
    path = tmp_path / "model_outputs.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(PinchError, match=words):
        read_model_outputs(path, "en")
    with pytest.raises(PinchError, match="row 1: not FastChat's"):
        read_model_answers(path, "en")


@ANY
@given(answers(samples=2))
def test_several_samples_or_a_missing_prompt_are_refused(table: pa.Table) -> None:
    with pytest.raises(PinchError, match="several answers"):
        model_outputs(table, prompts_of(table), "tuned")
    with pytest.raises(PinchError, match="no prompt"):
        model_outputs(table, {}, "tuned")


@pytest.mark.parametrize(
    "turns", ["Hei", ["Hei", "sitten"], [{"content": "Hei", "token_len": 1}], [{"text": "Hei"}]]
)
def test_turns_of_fastchat_are_texts_objects_or_one_text(tmp_path: Path, turns: Any) -> None:
    row = {"question_id": 1, "model_id": "m", "choices": [{"index": 0, "turns": turns}], "language": "fi"}
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(row))
    assert read_model_answers(path)[0]["text"].to_pylist() == ["Hei"]


@pytest.mark.parametrize("turns", [[], [None], {}, [{"tokens": 3}], 3, None])
def test_turns_that_are_none_are_refused_with_their_row(tmp_path: Path, turns: Any) -> None:
    row = {"question_id": 1, "model_id": "m", "choices": [{"index": 0, "turns": turns}], "language": "fi"}
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(PinchError, match="row 1: not FastChat's"):
        read_model_answers(path)


def test_the_input_of_an_instruction_is_shown_and_the_file_may_name_the_model(tmp_path: Path) -> None:
    path = tmp_path / "gpt.json"
    rows = [{"instruction": "Sum up.", "input": text, "output": None} for text in ("one", "two")]
    path.write_text(json.dumps(rows))
    table, prompts, generator = read_model_outputs(path, "en")
    assert generator == "gpt"
    assert table["text"].to_pylist() == [None, None]
    assert [prompt.split()[-1] for prompt in prompts.values()] == ["one", "two"]
