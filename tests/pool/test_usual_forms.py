"""The forms in which people have rows: each is read whole, refused, or told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.pool import Imported, ImportOptions, import_pool
from polypinch.reading import join_key

from .small import read_pool, texts, write_lines

PLAIN = [("user", "Hi"), ("assistant", "Hello")]
TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
SAME = {
    "capitals": {"messages": [{"role": "User", "content": "Hi"}, {"role": "ASSISTANT", "content": "Hello"}]},
    "human": {"conversations": [{"from": "Human", "value": "Hi"}, {"from": "GPT", "value": "Hello"}]},
    "role and content": {"conversations": TURNS},
    "JSON text": {"messages": json.dumps(TURNS)},
    "struct of lists": {"messages": {"role": ["user", "assistant"], "content": ["Hi", "Hello"]}},
    "parts": {
        "messages": [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in TURNS]
    },
    "TRL": {"prompt": TURNS[:1], "completion": TURNS[1:]},
    "no input": {"instruction": "Hi", "input": "nan", "output": "Hello"},
    "NaN": {"instruction": "Hi", "input": float("nan"), "output": "Hello", "system": None},
    "weight": {"messages": [TURNS[0], {**TURNS[1], "weight": 1}]},
}
USED = {
    "context": ({"question": "Where?", "context": "Lahti", "answer": "There"}, [("user", "Where?\n\nLahti")]),
    "number": ({"instruction": "Add", "input": 7, "output": "8"}, [("user", "Add\n\n7")]),
    "system_prompt": (
        {"system_prompt": "Be brief.", "question": "Q", "response": "A"},
        [("system", "Be brief.")],
    ),
    "developer": ({"messages": [{"role": "developer", "content": "S"}, *TURNS]}, [("system", "S")]),
    "history": (
        {"instruction": "And?", "output": "So.", "system": "S", "history": [["How?", "Thus."]]},
        [("system", "S"), ("user", "How?"), ("assistant", "Thus."), ("user", "And?")],
    ),
}
REFUSED = {
    "tools": ({"messages": [TURNS[0], {**TURNS[1], "tool_calls": [{"name": "w"}]}]}, "calls tools"),
    "weight": ({"messages": [TURNS[0], {**TURNS[1], "weight": 0}]}, "not to be trained on"),
    "list": ({"instruction": "X", "input": ["a"], "output": "Y"}, "input is a list"),
    "image": ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}, TURNS[1]]}, "'image_url'"),
    "two systems": (
        {"system": "A", "messages": [{"role": "system", "content": "B"}, *TURNS]},
        "two different",
    ),
    "key": ({"id": "a\ud83d", "prompt": "Hi", "response": "Hello"}, "half a surrogate"),
}


def imported(folder: Path, rows: list[Any], **options: Any) -> tuple[Imported, list[dict[str, Any]]]:
    file, out = write_lines(folder / "a.jsonl", []), folder / "p.parquet"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = import_pool([str(file)], out, ImportOptions(**{"language": "en", **options}), overwrite=True)
    return done, read_pool(out)


@pytest.mark.parametrize("row", SAME.values(), ids=SAME)
def test_every_form_of_a_conversation_is_the_same(tmp_path: Path, row: dict[str, Any]) -> None:
    done, pool = imported(tmp_path, [row])
    assert texts(pool[0]) == PLAIN
    assert done.notes == []


@pytest.mark.parametrize(("row", "start"), USED.values(), ids=USED)
def test_what_stands_beside_the_turns_is_used(
    tmp_path: Path, row: dict[str, Any], start: list[tuple[str, str]]
) -> None:
    assert texts(imported(tmp_path, [row])[1][0])[: len(start)] == start


@pytest.mark.parametrize(("row", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_a_pool_cannot_hold_is_refused_by_row(tmp_path: Path, row: dict[str, Any], reason: str) -> None:
    key = "id" if "id" in row else None
    with pytest.raises(PinchError, match=rf"a\.jsonl: row 1: .*{reason}"):
        imported(tmp_path, [row], key=key)


def test_columns_that_nothing_uses_are_counted(tmp_path: Path) -> None:
    rows = [
        {
            "messages": [TURNS[0], {**TURNS[1], "reasoning_content": "Hm"}],
            "tools": [{"name": "w"}],
            "note": None,
        }
    ]
    assert sorted(imported(tmp_path, rows * 2)[0].notes) == [
        "not used: messages[].reasoning_content (in 2 rows)",
        "not used: tools (in 2 rows)",
    ]


def test_bad_rows_are_all_counted_by_reason_or_left_out_and_listed(tmp_path: Path) -> None:
    good = {"instruction": "Hi", "output": "Hello"}
    rows = [good, *[{**good, "output": ""}] * 5, {"instruction": 3, "output": "x"}, 7, good]
    with pytest.raises(PinchError) as stopped:
        imported(tmp_path, rows)
    lines = stopped.value.message.splitlines()
    assert [line.partition("a.jsonl: ")[2] for line in lines] == [
        "row 8: a JSON int, not an object",
        "row 2: there is no response (prompts alone are taken with --split heldout);"
        " also row 3, 4, … (5 rows)",
        "row 7: turn 1: int where text is needed",
    ]
    done, pool = imported(tmp_path, rows, skip_bad=True)
    assert len(pool) == 2
    assert done.skipped is not None
    listed = [json.loads(line) for line in done.skipped.read_text(encoding="utf-8").splitlines()]
    assert sorted(entry["row"] for entry in listed) == [2, 3, 4, 5, 6, 7, 8]


def test_unknown_languages_are_named_all_at_once(tmp_path: Path) -> None:
    rows = [{"prompt": "Hi", "response": "Hello", "lang": tag} for tag in ("en", "zzzx", "zzzz", "e\ud83d")]
    with pytest.raises(PinchError, match=r"(?s)'zzzx'.*'zzzz'.*ud83d"):
        imported(tmp_path, rows, language=None, language_column="lang")
    assert len(imported(tmp_path, rows, language=None, language_column="lang", skip_bad=True)[1]) == 1


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12))
def test_a_key_joins_however_it_is_written(number: int) -> None:
    assert {join_key(form) for form in (number, float(number), f" {number} ", f"{number}.0")} == {str(number)}


def test_files_that_share_no_key_are_told_with_examples(tmp_path: Path) -> None:
    one = write_lines(tmp_path / "one.jsonl", [{"id": 1.0, "prompt": "Hi", "response": "Hello"}])
    two = tmp_path / "two.csv"
    two.write_text("id;prompt;response\n1 ;Hei;Terve\n", encoding="utf-8")
    names = [f"en={one}", f"fi={two}"]
    assert import_pool(names, tmp_path / "p.parquet", ImportOptions(key="id")).notes == []
    two.write_text("id,prompt,response\n01,Hei,Terve\n", encoding="utf-8")
    notes = import_pool(names, tmp_path / "q.parquet", ImportOptions(key="id")).notes
    assert any("shares no item" in note and "'01'" in note and "'1'" in note for note in notes)


def test_a_struct_of_lists_in_parquet_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"conversations": [{"from": ["human", "gpt"], "value": ["Hi", "Hello"]}]}), file)
    import_pool([str(file)], tmp_path / "p.parquet", ImportOptions(language="en"))
    assert texts(read_pool(tmp_path / "p.parquet")[0]) == PLAIN


TURN_KEYS = ["role", "content", "from", "value", "type", "text", "weight"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "from", "value", "type", "text", "weight"]), inner
        )
    ),
    max_leaves=6,
)
KEYS = ["messages", "conversations", "instruction", "input", "output", "prompt", "response", "history"]
KEYS += ["system", "context", "question_id", "turns", "id", "weight"]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), json_values, max_size=5), max_size=4))
def test_whatever_rows_hold_they_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    try:
        done, pool = imported(tmp_path_factory.mktemp("any"), rows, key="id", skip_bad=True)
    except PinchError:
        return
    assert len(pool) + len(done.bad.rows) + done.left_out == len(rows)
