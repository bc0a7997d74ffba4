from __future__ import annotations

from typing import Any

import pytest

from polypinch.errors import PinchError
from polypinch.languages.tags import PAPER_LANGUAGES, language, languages


@pytest.mark.parametrize(
    ("tag", "normal"),
    [
        ("eng", "en"),
        ("iw", "he"),
        ("cmn", "zh"),
        ("arb", "ar"),
        ("swh", "sw"),
        ("pt_br", "pt-BR"),
        ("EN", "en"),
    ],
)
def test_other_forms_of_a_tag_become_the_one(tag: str, normal: str) -> None:
    assert language(tag).tag == normal


@pytest.mark.parametrize(
    ("tag", "fix"), [("xx", "BCP-47"), ("English", "'en'"), ("", "BCP-47"), ("q$", "BCP-47")]
)
def test_an_unknown_language_is_refused_with_the_fix(tag: str, fix: str) -> None:
    with pytest.raises(PinchError, match=fix):
        language(tag)


def test_the_papers_languages_have_names_scripts_families_and_directions() -> None:
    found = [language(tag) for tag in PAPER_LANGUAGES]
    assert [one.tag for one in found] == list(PAPER_LANGUAGES)
    assert {one.tag for one in found if one.direction == "rtl"} == {"ar", "he"}
    assert all(one.family for one in found)
    assert len({one.script for one in found}) == 6
    assert language("fi").family == language("et").family


def test_a_language_named_twice_is_refused() -> None:
    with pytest.raises(PinchError, match="zh is named twice"):
        languages(["zh", "cmn"])


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("nan", "nan-Hant"),
        ("kr", "kau"),
        ("se", "sme"),
        ("ar_AR", "write ar"),
        ("KR", "kau"),
        ("NaN", "nan-Hant"),
        (float("nan"), "nan-Hant"),
        ("CHt", "zh-Hant"),
        ("en_XX", "'en'"),
        ("fr_XX", "'fr'"),
        ("mul", "several"),
        ("zxx", "no language"),
        ("ua", "uk"),
        ("jp", "ja"),
        (False, "'no'"),
    ],
)
def test_tags_that_are_mostly_a_mistake_are_explained(tag: Any, meant: str) -> None:
    with pytest.raises(PinchError, match=meant):
        language(tag)


def test_a_language_whose_tag_is_taken_for_a_country_keeps_its_own() -> None:
    for tag in ("kau", "sme", "nan-Hant"):
        assert language(language(tag).tag).tag == tag
    assert language(" en ").tag == "en"


@pytest.mark.parametrize("tag", ["\0ik", "x\0\0-pch", "e\ud83dn", "\x1b[31m", "a" * 10_000, "", "-", "日本"])
def test_what_is_no_tag_is_refused_whatever_it_holds(tag: str) -> None:
    with pytest.raises(PinchError, match="unknown language") as refused:
        language(tag)
    assert len(str(refused.value)) < 300
