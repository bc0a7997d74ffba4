from __future__ import annotations

from functools import cache

import pytest

from benchmarks.planted import ERRORS, Row, can_be_cut, drawn, has_number, with_code, with_list
from polypinch.fidelity import Identifier, scripts_of
from polypinch.pool import open_pool
from polypinch.translate import Check, Doubt, check_turns, usual_lengths

TEXTS = {
    (row["item_id"], row["language"]): tuple(turn["content"] for turn in row["messages"])
    for row in open_pool("pinch12").select(["item_id", "language", "messages"]).to_pylist()
}
TAGS = sorted({tag for _, tag in TEXTS})
KEYS = [key for key in TEXTS if key[1] != "en"]
ROWS = 60


@cache
def identifier() -> Identifier:
    return Identifier(TAGS)


def doubts(row: Row, tag: str) -> list[Doubt]:
    return check_turns(*row, "en", tag, identifier=identifier(), usual=usual_lengths(TAGS))


def row(item: str, tag: str) -> Row:
    return TEXTS[item, "en"], TEXTS[item, tag]


def test_good_translations_are_hardly_ever_doubted() -> None:
    doubted = [key for key in drawn(400, KEYS) if doubts(row(*key), key[1])]
    assert len(doubted) <= 4, doubted


@pytest.mark.parametrize("error", sorted(ERRORS))
def test_an_error_is_caught_wherever_it_is_planted(error: str) -> None:
    able = {"lost number": has_number, "cut": can_be_cut}.get(error, lambda _: True)
    keys = [key for key in drawn(300, KEYS) if able(row(*key))][:ROWS]
    assert len(keys) == ROWS
    missed = []
    for item, tag in keys:
        source, target = row(item, tag)
        if error in ("lost code", "markup lost"):
            source, target = with_list(with_code((source, target)))
        if not doubts((source, ERRORS[error](target, source)), tag):
            missed.append((item, tag, ERRORS[error](target, source)))
    assert not missed


def test_another_language_and_another_script_are_caught() -> None:
    missed = []
    for item, tag in drawn(ROWS, KEYS):
        for other in TAGS:
            if other in (tag, "en"):
                continue
            reasons = {doubt.check for doubt in doubts((TEXTS[item, "en"], TEXTS[item, other]), tag)}
            expected = (
                {Check.LANGUAGE} if scripts_of(other) & scripts_of(tag) else {Check.SCRIPT, Check.LANGUAGE}
            )
            if not reasons & expected:
                missed.append((item, tag, other, reasons))
    assert not missed


@pytest.mark.parametrize(
    ("source", "target", "check"),
    [
        ("Hello {name}, see https://a.b/c now.", "Hallo {name}, siehe https://a.b/d jetzt.", Check.ADDRESSES),
        ("Hello {name}, write to me soon.", "Hallo Name, schreib mir bald.", Check.PLACEHOLDERS),
        ("Call `run(x)` first and then wait.", "Rufe zuerst `lauf(x)` auf und warte dann.", Check.CODE),
        ("**One** and **two** are bold here.", "Eins und zwei sind hier fett.", Check.STRUCTURE),
        ("How tall is the tower of the church?", "Hier ist die Übersetzung: Wie hoch ist er?", Check.REMARK),
    ],
)
def test_what_must_be_kept_is_missed(source: str, target: str, check: Check) -> None:
    found = check_turns(
        [source], [target], "en", "de", identifier=Identifier(["en", "de"]), usual={"en": 1.0, "de": 1.1}
    )
    assert check in {doubt.check for doubt in found}


def test_another_number_of_turns_is_told() -> None:
    assert [doubt.check for doubt in doubts((("a", "b"), ("a",)), "fi")] == [Check.TURNS]
