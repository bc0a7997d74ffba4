"""Votes in many languages; small files written in the layouts of published sets."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from polypinch.errors import PinchError
from polypinch.judge.labels import read_labels

Row = dict[str, Any]


def read(folder: Path, *rows: Row, language: str | None = None) -> list[Row]:
    path = folder / "votes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_labels(path, language=language).to_pylist()


def said(*texts: str) -> list[Row]:
    return [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)]


CONVERSATIONS = {
    "conversation_a": said("Moi", "Terve", "Mitä kuuluu?", "Hyvää"),
    "conversation_b": said("Moi", "Hei", "Mitä kuuluu?", "Ei mitään"),
}
ARENA = {
    "id": "v1",
    "model_a": "x",
    "model_b": "y",
    "winner": "model_b",
    "language": "Finnish",
    **CONVERSATIONS,
}


def test_a_vote_of_an_arena_is_a_pair_with_all_its_turns(tmp_path: Path) -> None:
    (row,) = read(tmp_path, ARENA)
    assert (row["item_id"], row["language"], row["winner"]) == ("v1", "fi", "second")
    assert row["annotator"] == "votes"
    assert row["prompt"] == "Moi\n\nMitä kuuluu?"
    assert (row["one_text"], row["other_text"]) == ("Terve\n\nHyvää", "Hei\n\nEi mitään")


@pytest.mark.parametrize(
    ("winner", "chosen"),
    [
        ({"winner": "tie"}, "tie"),
        ({"winner": "both_bad"}, "tie"),
        ({"winner": "x"}, "first"),
        ({"winner": None}, None),
        ({"winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0}, "first"),
        ({"winner_model_a": 0, "winner_model_b": 0, "winner_tie": 1}, "tie"),
    ],
)
def test_prompt_and_responses_may_be_lists_as_json(tmp_path: Path, winner: Row, chosen: str | None) -> None:
    row = {
        "id": 7,
        "model_a": "x",
        "model_b": "y",
        "prompt": json.dumps(["Moi", "Ja?"]),
        "response_a": json.dumps(["Terve", None]),
        "response_b": "[tämä ei ole JSONia]",
        "language": "fi",
        **winner,
    }
    (label,) = read(tmp_path, row)
    assert (label["prompt"], label["one_text"], label["winner"]) == ("Moi\n\nJa?", "Terve", chosen)
    assert label["other_text"] == "[tämä ei ole JSONia]"


def test_a_language_that_is_not_known_has_to_be_said(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match=r"row 1: .*language"):
        read(tmp_path, ARENA | {"language": "unknown"})
    assert read(tmp_path, ARENA | {"language": "unknown"}, language="sv")[0]["language"] == "sv"
    with pytest.raises(PinchError, match="row 1: unknown language 'Klingonese'"):
        read(tmp_path, ARENA | {"language": "Klingonese"})


COMPARIA = {
    "conversation_pair_id": "p-1",
    "model_a_name": "x",
    "model_b_name": "y",
    "chosen_model_name": "y",
    "both_equal": False,
    **CONVERSATIONS,
}


@pytest.mark.parametrize(
    ("change", "language", "winner"),
    [
        ({}, "fr", "second"),
        ({"languages": ["da", "fr"]}, "da", "second"),
        ({"chosen_model_name": "x"}, "fr", "first"),
        ({"chosen_model_name": None, "both_equal": True}, "fr", "tie"),
        ({"chosen_model_name": None}, "fr", None),
    ],
)
def test_compar_ia_is_read(tmp_path: Path, change: Row, language: str, winner: str | None) -> None:
    (row,) = read(tmp_path, COMPARIA | change)
    assert (row["item_id"], row["language"], row["winner"]) == ("p-1", language, winner)


def test_chosen_and_rejected_tell_nothing_by_place_and_translations_are_one_cluster(
    tmp_path: Path,
) -> None:
    shared = {"id": 3, "chosen": "zwei", "rejected": "drei"}
    rows = read(
        tmp_path,
        {**shared, "prompt": "Eins und eins?", "language": "deu_Latn"},
        {
            **shared,
            "prompt": said("Yksi ja yksi?"),
            "chosen": "kaksi",
            "rejected": "kolme",
            "language": "fin",
        },
        {**shared, "prompt": "Un et un?", "chosen": "deux", "rejected": "trois", "language": "fr"},
    )
    assert [row["language"] for row in rows] == ["de", "fi", "fr"]
    assert {row["cluster"] for row in rows} == {"3"}
    assert rows[1]["prompt"] == "Yksi ja yksi?"
    won = [row["one_text"] if row["winner"] == "first" else row["other_text"] for row in rows]
    assert won == ["zwei", "kaksi", "deux"]
    assert {row["winner"] for row in rows} == {"first", "second"}


@pytest.mark.parametrize(
    ("ratings", "winner"), [((4, 2), "first"), ((1, 5), "second"), ((3, 3.0), "tie"), ((None, 3), None)]
)
def test_of_two_ratings_the_higher_wins(tmp_path: Path, ratings: Any, winner: str | None) -> None:
    row = {"prompt_id": "p", "lang_code": "fi_FI", "raw_prompt": "Moi", "response_a": "a", "response_b": "b"}
    (label,) = read(tmp_path, row | dict(zip(("label_a", "label_b"), ratings, strict=True)))
    assert (label["language"].split("-")[0], label["winner"]) == ("fi", winner)


ESA = {"lp": "en-de", "source": "One", "login": "r1"}


def test_of_two_systems_the_better_score_wins_by_rater(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        ESA | {"system": "A", "target": "Eins", "esa_score": 90},
        ESA | {"system": "B", "target": "Ein", "esa_score": 70},
        ESA | {"system": "C", "target": "Zwei", "esa_score": 70},
        ESA | {"system": "A", "target": "Eins", "esa_score": 10, "login": "r2"},
        ESA | {"system": "B", "target": "Ein", "esa_score": 20, "login": "r2"},
    )
    chosen = {(row["annotator"], row["one_text"], row["other_text"]): row["winner"] for row in rows}
    assert chosen == {
        ("r1", "Ein", "Eins"): "second",
        ("r1", "Ein", "Zwei"): "tie",
        ("r1", "Eins", "Zwei"): "first",
        ("r2", "Ein", "Eins"): "first",
    }
    assert {row["language"] for row in rows} == {"de"}
    assert len({row["cluster"] for row in rows}) == 1


def test_errors_of_mqm_are_summed_by_their_weights(tmp_path: Path) -> None:
    names = ["system", "doc", "seg_id", "rater", "source", "target", "category", "severity"]
    lines = [
        ["A", "d", "1", "r", "One", "<v>Eins</v> zwei", "Accuracy/Addition", "Minor"],
        ["A", "d", "1", "r", "One", "Eins <v>zwei</v>", "Fluency/Punctuation", "Minor"],
        ["B", "d", "1", "r", "One", "Uno", "Accuracy/Mistranslation", "Major"],
        ["C", "d", "1", "r", "One", "Eins", "No-error", "no-error"],
        ["D", "d", "1", "r", "One", "xx", "Non-translation!", "Major"],
    ]
    path = tmp_path / "mqm.tsv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([names, *lines])
    rows = read_labels(path, language="de").to_pylist()
    won: dict[str, int] = {}
    for row in rows:
        text = row["one_text"] if row["winner"] == "first" else row["other_text"]
        won[text] = won.get(text, 0) + 1
    assert won == {"Eins": 3, "Eins zwei": 2, "Uno": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lp": "nowhere"}, "lp is 'nowhere'"),
        ({"esa_score": "good"}, "esa_score is 'good'"),
        ({"target": ["x"]}, "target is list"),
    ],
)
def test_what_is_wrong_with_a_rating_is_named(tmp_path: Path, change: Row, words: str) -> None:
    with pytest.raises(PinchError, match=f"row 2: .*{words}"):
        good = ESA | {"system": "A", "target": "Eins", "esa_score": 1}
        read(tmp_path, good, good | {"system": "B"} | change)


def test_a_judges_file_of_the_korean_mt_bench_is_read(tmp_path: Path) -> None:
    row = {"question_id": 81, "model_a": "x", "model_b": "w", "judge_id": "exa", "turn": 2, "winner_ab": "B"}
    rows = read(
        tmp_path, row | {"winner": "x"}, row | {"winner": "inconsistent", "question_id": 82}, language="ko"
    )
    assert [(one["item_id"], one["annotator"], one["winner"]) for one in rows] == [
        ("81/2/w/x", "exa", "second"),
        ("82/2/w/x", "exa", "tie"),
    ]
