from __future__ import annotations

import pytest

from polypinch.errors import PinchError
from polypinch.fidelity import (
    Identifier,
    candidate_notes,
    confusable,
    fidelity_notes,
    fidelity_table,
    summarise,
)
from polypinch.fidelity.identify import cannot_be_told

SERBIAN = {
    "Cyrl": "Сваког јутра идемо на пијацу да купимо свеже воће, хлеб и сир за доручак.",
    "Latn": "Svakog jutra idemo na pijacu da kupimo sveže voće, hleb i sir za doručak.",
}
CHINESE = {
    "Hans": "我们每天早上去市场买新鲜的水果和面包，然后回家吃饭。",
    "Hant": "我們每天早上去市場買新鮮的水果和麵包，然後回家吃飯。",
}
UZBEK = {
    "Latn": "Har kuni ertalab bozorga borib, yangi mevalar va non sotib olamiz.",
    "Cyrl": "Ҳар куни эрталаб бозорга бориб, янги мевалар ва нон сотиб оламиз.",
}


@pytest.mark.parametrize(
    ("asked", "texts", "right"),
    [
        ("sr-Latn", SERBIAN, {"Latn"}),
        ("sr-Cyrl", SERBIAN, {"Cyrl"}),
        ("sr", SERBIAN, {"Latn", "Cyrl"}),
        ("zh-TW", CHINESE, {"Hant"}),
        ("zh-Hant", CHINESE, {"Hant"}),
        ("zh-HK", CHINESE, {"Hant"}),
        ("zh-Hans", CHINESE, {"Hans"}),
        ("zh-CN", CHINESE, {"Hans"}),
        ("zh", CHINESE, {"Hans", "Hant"}),
        ("uz-Cyrl", UZBEK, {"Cyrl"}),
        ("uz-Latn", UZBEK, {"Latn"}),
    ],
)
def test_the_script_that_a_tag_asks_for_is_measured(
    asked: str, texts: dict[str, str], right: set[str]
) -> None:
    for candidates in ([asked, "en"], None):
        table = fidelity_table(list(texts.values()), [asked] * len(texts), candidates)
        told = dict(zip(texts, table["in_language"].to_pylist(), strict=True))
        if candidates is None and asked.startswith(
            "sr"
        ):  # Serbian in Latin letters is Croatian to an open choice
            assert told["Cyrl"] is ("Cyrl" in right)
            continue
        assert told == {script: script in right for script in texts}


def test_both_scripts_of_a_language_may_be_candidates() -> None:
    both = Identifier(["zh-Hant", "zh-Hans", "en"])
    assert both.identify(CHINESE["Hant"])[0] == "zh-Hant"
    assert both.identify(CHINESE["Hans"])[0] in both.expected("zh-Hans")
    assert both.identify("你好")[0] is None
    serbian = Identifier(["sr-Latn", "sr-Cyrl"])
    assert [serbian.identify(text)[0] for text in SERBIAN.values()] == ["sr-Cyrl", "sr-Latn"]
    with pytest.raises(PinchError, match="told apart"):
        Identifier(["zh-TW", "zh-Hant"])


@pytest.mark.parametrize("tag", ["hi-Latn", "ar-Latn", "ru-Latn", "pa-Arab", "zh-Latn", "az-Cyrl", "ja-Latn"])
def test_a_script_in_which_a_language_is_not_known_has_no_rate_and_is_told(tag: str) -> None:
    assert cannot_be_told(tag)
    texts = ["Bharat ek bahut bada desh hai.", "भारत एक बहुत बड़ा देश है।", "This is plain English text."]
    table = fidelity_table(texts, [tag] * 3, [tag, "en"]).append_column("language", [[tag] * 3])
    assert table["in_language"].to_pylist() == [None] * 3
    row = summarise(table)[0]
    assert (row.abstained, row.if_wrong, row.if_right) == (1.0, 0.0, 1.0)
    assert any(tag in note and "cannot be told" in note for note in fidelity_notes(table, [tag, "en"]))
    with pytest.raises(PinchError, match=tag):
        Identifier([tag, "en"])


def test_answers_in_the_other_script_are_said_whether_they_count_or_not() -> None:
    texts = [*CHINESE.values()] * 2
    asked = ["zh", "zh", "zh-TW", "zh-TW"]
    table = fidelity_table(texts, asked, ["zh", "zh-TW"]).append_column("language", [asked])
    assert table["in_language"].to_pylist() == [True, True, False, True]
    counts, refused = fidelity_notes(table, ["zh", "zh-TW"])[-2:]
    assert "zh: 1 answer is zh-TW" in counts
    assert "counts as in language" in counts
    assert "zh-TW: 1 answer is zh" in refused
    assert "does not count" in refused


@pytest.mark.parametrize(
    ("tags", "groups"),
    [
        (["id", "ms", "en"], [("id", "ms")]),
        (["hr", "sr-Latn", "bs"], [("hr", "sr-Latn", "bs")]),
        (["hr", "sr-Cyrl"], []),
        (["nb", "da", "sv"], [("nb", "da")]),
        (["no", "nn"], [("no", "nn")]),
        (["zh-Hans", "zh-Hant"], []),
        (["de", "en", "fr"], []),
    ],
)
def test_candidates_that_are_easily_taken_for_each_other_are_named(
    tags: list[str], groups: list[tuple[str, ...]]
) -> None:
    assert confusable(tags) == groups
    assert len(candidate_notes(tags, tags)) == len(groups)


def test_an_open_choice_says_what_a_language_may_be_called() -> None:
    assert any("ms" in note for note in candidate_notes(["id"], None))
    assert any("hr" in note for note in candidate_notes(["sr-Latn"], None))
    assert candidate_notes(["fi", "de"], None) == []
