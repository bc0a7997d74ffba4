from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from polypinch.errors import PinchError
from polypinch.specs import validate
from polypinch.tasks import Task, open_task
from polypinch.tasks.prompts import template
from tests.pools import parallel_pool
from tests.tasks.data import mgsm, xcopa, xquad


def task(path: Path, layout: str = "mgsm", **more: Any) -> Task:
    return validate({"name": "t", "layout": layout, "path": str(path), **more}, Task, "task")


def test_mgsm_lines_join_languages(tmp_path: Path) -> None:
    found = open_task(task(mgsm(tmp_path)), ["en", "fi"])
    assert found.languages == ("en", "fi")
    assert found.metrics == ("number_match",)
    pair = found.items[:2]
    assert {one.item_id for one in pair} == {pair[0].item_id}
    assert pair[0].right == pair[1].right
    assert pair[1].messages == [
        {"role": "user", "content": f"{pair[1].bare}\n\nAnna vastaus lukuna."},
    ]


def test_xcopa_takes_the_test_file_and_asks_for_cause_or_effect(tmp_path: Path) -> None:
    found = open_task(task(xcopa(tmp_path), "xcopa"))
    assert found.is_choice
    assert found.chance == 0.5
    asked = {one.item_id: one for one in found.items if one.language == "en"}
    assert asked["0"].messages[0]["content"] == "en premise 0.\n\nWhat was the cause?"
    assert asked["1"].messages[0]["content"] == "en premise 1.\n\nWhat happened as a result?"
    assert asked["1"].right == (asked["1"].choices[1],) == ("en quite another choice 1.",)


def test_xquad_has_context_and_question_without_marks(tmp_path: Path) -> None:
    found = open_task(task(xquad(tmp_path), "xquad"), ["es"])
    first = found.items[0]
    assert first.messages[0]["content"].startswith("es: Team 0 to Team 6 won.\n\nes who won game ")
    assert first.messages[0]["content"].endswith("Responde con palabras del texto.")


def test_a_pools_held_out_responses_are_right_answers(tmp_path: Path) -> None:
    pq.write_table(parallel_pool(("en", "fi"), train=3, heldout=2).select(), tmp_path / "p.parquet")
    spec = {"name": "t", "pool": str(tmp_path / "p.parquet"), "metric": "f1"}
    found = open_task(validate(spec, Task, "task"))
    assert len(found.items) == 4
    assert found.items[0].right[0].startswith("Answer h")
    assert [turn["role"] for turn in found.items[0].messages] == ["user"]


def test_fewer_items_are_the_same_ones_in_every_language_and_within_more(tmp_path: Path) -> None:
    few = open_task(task(mgsm(tmp_path), items=2))
    more = open_task(task(tmp_path, items=4))
    assert len(few.items) == 2 * 4
    assert few.item_ids == more.item_ids[:2]


def test_a_language_without_wording_gets_the_neutral_form() -> None:
    assert template("mgsm", "sv", "", {}) == ("{question}", "neutral")
    assert template("xcopa", "qu", "cause", {}) == ("? → {premise}", "neutral")


def test_own_wordings_go_first_and_braces_stay(tmp_path: Path) -> None:
    own = {"en": "Q {question} {x}", "default": "{question}!"}
    found = open_task(task(mgsm(tmp_path), prompts=own, items=1), ["en", "ru"])
    assert [one.messages[0]["content"] for one in found.items] == [
        f"Q {found.items[0].bare} {{x}}",
        f"{found.items[1].bare}!",
    ]
    assert found.wording == {"en": "own", "ru": "own"}


def test_a_wording_without_its_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match=r"a text with \{context\} and \{question\}"):
        open_task(task(xquad(tmp_path), "xquad", prompts={"default": "{question}"}))
    with pytest.raises(PinchError, match=r"cause: and effect:"):
        open_task(task(xcopa(tmp_path / "c"), "xcopa", prompts={"default": "{premise}"}))


def test_the_fingerprint_hangs_on_wording_and_answers(tmp_path: Path) -> None:
    one = open_task(task(mgsm(tmp_path))).fingerprint
    assert open_task(task(tmp_path)).fingerprint == one
    assert open_task(task(tmp_path, prompts={"en": "{question}"})).fingerprint != one


def test_items_that_lack_a_language_are_left_out_and_counted(tmp_path: Path) -> None:
    xquad(tmp_path, ("en",), items=6)
    xquad(tmp_path, ("fi",), items=4)
    found = open_task(task(tmp_path, "xquad"))
    assert (len(found.item_ids), found.left_out) == (4, 2)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Only a question", "row 2: not a question, a tab and a number"),
        ("How many?\teighteen", "row 2: the answer 'eighteen' is no number"),
    ],
)
def test_a_wrong_line_of_mgsm_is_named(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "mgsm_en.tsv").write_text(f"How many?\t3\n{line}\n")
    with pytest.raises(PinchError, match=f"mgsm_en.tsv, {says}"):
        open_task(task(tmp_path))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label": 2}, "row 1: label is 2"),
        ({"label": None}, "row 1: no label"),
        ({"question": "why"}, "row 1: question is 'why'"),
        ({"choice2": " "}, "row 1: a choice is empty"),
    ],
)
def test_a_wrong_line_of_xcopa_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    right = {"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": 0, "idx": 0}
    (tmp_path / "test.en.jsonl").write_text(json.dumps({**right, **change}))
    with pytest.raises(PinchError, match=f"test.en.jsonl, {says}"):
        open_task(task(tmp_path, "xcopa"))


def test_a_question_without_answer_is_named(tmp_path: Path) -> None:
    one = {"id": "q7", "question": "Who?", "answers": []}
    (tmp_path / "xquad.en.json").write_text(
        json.dumps({"data": [{"paragraphs": [{"context": "c", "qas": [one]}]}]})
    )
    with pytest.raises(PinchError, match="question q7: no answer in the text"):
        open_task(task(tmp_path, "xquad"))


def test_files_of_unlike_length_are_not_parallel(tmp_path: Path) -> None:
    mgsm(tmp_path, ("en",), items=6)
    mgsm(tmp_path, ("fi",), items=5)
    with pytest.raises(PinchError, match="unlike numbers of them"):
        open_task(task(tmp_path))


def test_languages_that_are_not_there_or_not_evaluated_are_refused(tmp_path: Path) -> None:
    mgsm(tmp_path, ("en", "fi"))
    with pytest.raises(PinchError, match=r"no ru in .*, only en, fi"):
        open_task(task(tmp_path, languages=["en", "ru"]))
    with pytest.raises(PinchError, match="the study does not evaluate fi"):
        open_task(task(tmp_path, languages=["fi"]), ["en", "es"])
    with pytest.raises(PinchError, match="the study evaluates none"):
        open_task(task(tmp_path), ["es"])
    assert open_task(task(tmp_path), ["es", "en"]).languages == ("en",)


def test_a_folder_without_files_says_how_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("x")
    with pytest.raises(PinchError, match=r"mgsm_en\.tsv"):
        open_task(task(tmp_path))
    with pytest.raises(PinchError, match="no such file"):
        open_task(task(tmp_path / "no"))


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"name": "t"}, "path"),
        ({"name": "t", "path": "x"}, "layout"),
        ({"name": "t", "path": "x", "layout": "mgsm", "metric": "f1"}, "scored by number_match"),
        ({"name": "t", "pool": "x", "prompts": {"en": "{question}"}}, "prompts already"),
    ],
)
def test_a_contradictory_declaration_is_refused(spec: dict[str, Any], says: str) -> None:
    with pytest.raises(PinchError, match=says):
        validate(spec, Task, "task")
