"""Published layouts read into one table; small files written in those layouts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.judge.labels import LABEL_SCHEMA, pair_rows, panel, read_labels

PANDALM = {
    "idx": 7,
    "cmp_key": "a_b",
    "instruction": "Translate.",
    "input": "Yes",
    "response1": "Kyllä",
    "response2": "Ei",
    "annotator1": 1,
    "annotator2": 2,
    "annotator3": 0,
}
ALPACA = {
    "instruction": "Say hello.",
    "output_1": "Hello",
    "generator_1": "base",
    "output_2": "Hi there",
    "generator_2": "new",
    "annotator": "gpt",
    "preference": 2.0,
}
VOTE = {
    "question_id": 81,
    "model_a": "llama",
    "model_b": "alpaca",
    "winner": "model_a",
    "judge": "expert_1",
    "turn": 1,
    "conversation_a": [
        {"role": "user", "content": "Write."},
        {"role": "assistant", "content": "Llama wrote."},
        {"role": "user", "content": "Again."},
        {"role": "assistant", "content": "Llama again."},
    ],
    "conversation_b": [
        {"role": "user", "content": "Write."},
        {"role": "assistant", "content": "Alpaca wrote."},
        {"role": "user", "content": "Again."},
        {"role": "assistant", "content": "Alpaca again."},
    ],
}
GAME = {
    "question_id": 81,
    "model_1": "llama",
    "model_2": "alpaca",
    "g1_winner": "model_1",
    "g2_winner": "model_1",
    "judge": ["gpt-4", "pair-v2"],
    "turn": 1,
}


def read(
    tmp_path: Path, *rows: dict[str, Any], name: str = "f.jsonl", **options: Any
) -> list[dict[str, Any]]:
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(row) for row in rows))
    table = read_labels(path, **options)
    assert table.schema == LABEL_SCHEMA
    return table.to_pylist()  # type: ignore[no-any-return]


def test_pandalm(tmp_path: Path) -> None:
    rows = read(tmp_path, PANDALM)
    assert [(row["annotator"], row["winner"]) for row in rows] == [
        ("annotator1", "first"),
        ("annotator2", "second"),
        ("annotator3", "tie"),
    ]
    row = rows[0]
    assert (row["item_id"], row["language"], row["source"]) == ("7", "en", "f.jsonl")
    assert (row["prompt"], row["one_text"], row["other_text"]) == ("Translate.\n\nYes", "Kyllä", "Ei")


def test_pandalms_verdict_files_name_the_judge(tmp_path: Path) -> None:
    given = {7: "2", 8: "Tie", 9: "garbage"}
    rows = read(tmp_path, *({"idx": idx, "gpt_result": result} for idx, result in given.items()))
    assert [(row["item_id"], row["annotator"], row["winner"]) for row in rows] == [
        ("7", "gpt", "second"),
        ("8", "gpt", "tie"),
        ("9", "gpt", None),
    ]


def test_an_answer_that_json_takes_for_a_truth_value_is_text(tmp_path: Path) -> None:
    assert read(tmp_path, {**PANDALM, "response1": True})[0]["one_text"] == "True"


def test_autoj(tmp_path: Path) -> None:
    row = {"scenario": "s", "prompt": "Why?", "response 1": "Because.", "response 2": "No."}
    rows = read(tmp_path, *({**row, "label": label} for label in (0, 1, 2)))
    assert [(row["item_id"], row["winner"]) for row in rows] == [
        ("1", "first"),
        ("2", "second"),
        ("3", "tie"),
    ]
    assert len({row["cluster"] for row in rows}) == 1


@pytest.mark.parametrize(
    ("preference", "winner"),
    [(1, "first"), (2, "second"), (1.5, "tie"), (0, "tie"), (1.2, "first"), (1.99, "second"), (None, None)],
)
def test_alpaca_eval(tmp_path: Path, preference: float | None, winner: str | None) -> None:
    (row,) = read(tmp_path, {**ALPACA, "preference": preference}, language="en")
    assert (row["winner"], row["one_text"], row["other_text"]) == (winner, "Hello", "Hi there")


def test_alpaca_eval_joins_annotators_who_saw_the_outputs_the_other_way_round(tmp_path: Path) -> None:
    swapped = {**ALPACA, "output_1": "Hi there", "output_2": "Hello", "preference": 1, "annotator": "b"}
    one, other = read(tmp_path, ALPACA, swapped, language="en")
    assert (one["item_id"], one["winner"]) == (other["item_id"], other["winner"])


def test_mt_bench_votes_and_fastchat_judgments_name_the_same_pairs(tmp_path: Path) -> None:
    (vote,) = read(tmp_path, VOTE, language="en")
    swapped = {**GAME, "model_1": "alpaca", "model_2": "llama", "judge": ["gpt-3.5", "pair-v2"]}
    game, other = read(tmp_path, GAME, {**swapped, "g1_winner": "model_2", "g2_winner": "tie"}, language="en")
    assert vote["item_id"] == game["item_id"] == other["item_id"] == "81/1/alpaca/llama"
    assert (vote["winner"], game["winner"], other["winner"]) == ("second", "second", "tie")
    assert (vote["one_text"], vote["other_text"]) == ("Alpaca wrote.", "Llama wrote.")
    assert game["annotator"] == "gpt-4/pair-v2"


def test_a_second_turn_shows_the_first(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {**VOTE, "turn": 2}, language="en")
    assert row["prompt"] == "Write.\n\nAgain."
    assert row["other_text"] == "Llama wrote.\n\nLlama again."


def test_a_failed_game_is_missing_and_not_a_tie(tmp_path: Path) -> None:
    rows = read(tmp_path, {**GAME, "g2_winner": "error"}, language="en")
    assert rows[0]["winner"] is None


def message(name: str, parent: str | None, rank: int | None, **texts: str) -> dict[str, Any]:
    role = "prompter" if rank is None else "assistant"
    tree = {"message_id": name, "parent_id": parent, "message_tree_id": "t", "role": role, "rank": rank}
    return {**tree, **texts}


def test_openassistants_ranks_become_pairs_in_every_language(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        message("p", None, None, en="Why?", fi="Miksi?"),
        message("c", "p", 0, en="Good", fi="Hyvä"),
        message("a", "p", 1, en="Fair", fi="Kohtalainen"),
        message("b", "p", 2, en="Poor"),
        message("x", "p", None, en="Unranked"),
    )
    assert {(row["item_id"], row["language"], row["winner"]) for row in rows} == {
        ("p/a/b", "en", "first"),
        ("p/a/c", "en", "second"),
        ("p/a/c", "fi", "second"),
        ("p/b/c", "en", "second"),
    }
    assert {row["cluster"] for row in rows} == {"t"}
    assert {row["prompt"] for row in rows} == {"Why?", "Miksi?"}


def test_openassistants_own_rows_and_the_thread_before_them(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        message("p", None, None, text="One", lang="es"),
        message("r", "p", 0, text="Two", lang="es"),
        message("q", "r", None, text="Three", lang="es"),
        message("a", "q", 1, text="A", lang="es"),
        message("b", "q", 0, text="B", lang="es"),
    )
    assert [(row["language"], row["prompt"], row["winner"]) for row in rows] == [
        ("es", "One\n\nTwo\n\nThree", "second")
    ]


def test_replies_alone_are_no_pairs(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="two ranked replies"):
        read(tmp_path, message("p", None, None, en="Why?"), message("a", "p", 0, en="A"))


def test_a_plain_csv(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "language", "annotator", "prompt", "one_text", "other_text", "winner"])
        writer.writerows(
            [
                ["a", "fin", "mari", "Miksi?", "Siksi", "En", "First"],
                ["a", "fi", "aku", "Miksi?", "Siksi", "En", ""],
            ]
        )
    rows = read_labels(path).to_pylist()
    assert [(row["language"], row["annotator"], row["winner"]) for row in rows] == [
        ("fi", "mari", "first"),
        ("fi", "aku", None),
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({**PANDALM, "idx": 8, "annotator2": 3}, ["row 2", "annotator2 is 3", "--layout"]),
        ({**PANDALM, "idx": 8, "response2": None}, ["row 2", "response2 is missing"]),
        (PANDALM, ["row 2", "annotator1 chose on 7", "row 1"]),
    ],
)
def test_what_is_wrong_is_named_with_file_and_row(
    tmp_path: Path, row: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(PinchError) as caught:
        read(tmp_path, PANDALM, row)
    assert all(word in str(caught.value) for word in ["f.jsonl", *words])


def test_one_pair_with_two_texts_is_refused(tmp_path: Path) -> None:
    row = {"item_id": "a", "language": "en", "one_text": "x", "other_text": "y", "winner": "tie"}
    with pytest.raises(PinchError, match="other answers than in row 1"):
        read(tmp_path, {**row, "annotator": "m"}, {**row, "annotator": "n", "one_text": "z"})


def test_a_language_has_to_be_said(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="--language"):
        read(tmp_path, ALPACA)
    with pytest.raises(PinchError, match="klingonese"):
        read(tmp_path, ALPACA, language="klingonese")


def test_an_unknown_layout_is_refused_with_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="pandalm"):
        read(tmp_path, {"some": "thing"})
    with pytest.raises(PinchError, match="unknown layout"):
        read(tmp_path, PANDALM, layout="csv")
    with pytest.raises(PinchError, match="missing"):
        read(tmp_path, PANDALM, layout="fastchat", language="en")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["mari", "aku"]), st.sampled_from([0, 1, 2, None])),
        unique_by=lambda row: row[:2],
        min_size=1,
    )
)
def test_a_panel_holds_every_choice_at_its_place(
    tmp_path: Path, chosen: list[tuple[str, str, int | None]]
) -> None:
    winners = ["first", "second", "tie"]
    rows = [
        {"item_id": item, "annotator": name, "winner": None if code is None else winners[code]}
        for item, name, code in chosen
    ]
    found = panel(pa.Table.from_pylist(read(tmp_path, *rows, language="en"), schema=LABEL_SCHEMA))
    assert found.codes.shape == (len({row[0] for row in chosen}), len({row[1] for row in chosen}))
    for item, name, code in chosen:
        place = found.keys.index((item, "en")), found.annotators.index(name)
        assert found.codes[place] == (-1 if code is None else code)


def test_pairs_to_judge_come_once_and_with_texts(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(read(tmp_path, PANDALM, {**PANDALM, "idx": 8}), schema=LABEL_SCHEMA)
    pairs = pair_rows(table)
    assert pairs["item_id"].to_pylist() == ["7", "8"]
    assert pairs["arm_text"].to_pylist() == ["Kyllä", "Kyllä"]
    without = pa.Table.from_pylist(read(tmp_path, GAME, language="en"), schema=LABEL_SCHEMA)
    assert pair_rows(without).num_rows == 0


@pytest.mark.parametrize(
    ("change", "winner"),
    [
        ({"winner": "llama"}, "second"),
        ({"winner": "alpaca"}, "first"),
        ({"winner": "B"}, "first"),
        ({"winner": "both_bad"}, "tie"),
        ({"winner": "Tie (both bad)"}, "tie"),
        ({"winner": "inconsistent"}, "tie"),
        ({"turn": "1"}, "second"),
        ({"turn": 1.0000000001}, "second"),
        ({"turn": None}, "second"),
        ({"judge": None, "judge_id": "someone"}, "second"),
        ({"language": "English"}, "second"),
    ],
)
def test_a_vote_is_read_however_its_fields_are_written(
    tmp_path: Path, change: dict[str, Any], winner: str
) -> None:
    table = read(tmp_path, VOTE | {"language": "en"} | change)
    assert [(row["winner"], row["language"]) for row in table] == [(winner, "en")]


@pytest.mark.parametrize("turn", ["first", 0, 1.5, [1], True, 10**400, "x" * 9])
def test_a_turn_that_is_none_is_refused_with_its_row(tmp_path: Path, turn: Any) -> None:
    with pytest.raises(PinchError, match="row 1: turn is"):
        read(tmp_path, VOTE | {"language": "en", "turn": turn})


@pytest.mark.parametrize("row", [VOTE, GAME])
def test_who_judged_is_the_file_where_its_rows_do_not_say(tmp_path: Path, row: dict[str, Any]) -> None:
    bare = {name: value for name, value in row.items() if name != "judge"} | {"language": "ja"}
    (tmp_path / "expert_7.jsonl").write_text(json.dumps(bare))
    assert read_labels(tmp_path / "expert_7.jsonl")["annotator"].to_pylist() == ["expert_7"]


def test_messages_in_parts_are_read(tmp_path: Path) -> None:
    parts = [
        {**message, "content": [{"type": "text", "text": message["content"]}, {"type": "image"}]}
        for message in VOTE["conversation_a"]
    ]
    table = read(tmp_path, VOTE | {"language": "en", "conversation_a": parts})
    assert [row["other_text"] for row in table] == ["Llama wrote."]


def test_an_output_that_is_null_has_no_winner_and_a_preference_may_be_near(tmp_path: Path) -> None:
    table = read(tmp_path, ALPACA | {"output_1": None, "preference": None, "language": "en"})
    assert [row["winner"] for row in table] == [None]
    near = read(tmp_path, ALPACA | {"preference": 1.0000000001, "language": "en"})[0]
    assert near["winner"] == "first"
    assert near["one_text"] == "Hello"
