from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.fidelity import Identifier
from tests.fidelity.sentences import MORE, SENTENCES, TWELVE


@pytest.fixture(scope="module")
def twelve() -> Identifier:
    return Identifier(TWELVE)


@pytest.mark.parametrize("tag", TWELVE)
def test_a_sentence_is_identified_among_the_twelve_and_among_all(tag: str, twelve: Identifier) -> None:
    for text in (SENTENCES[tag], MORE[tag]):
        assert twelve.identify(text)[0] == tag
    assert Identifier().identify(SENTENCES[tag] + " " + MORE[tag])[0] == tag


@pytest.mark.parametrize(
    "text", ["", "   \n", "42", "3.14 + 2 = ?", "🙂🙂🙂", "OK", "a b", "https://example.org/en/page"]
)
def test_short_or_wordless_text_gets_no_language(text: str, twelve: Identifier) -> None:
    assert twelve.identify(text)[0] is None


def test_a_word_that_several_candidates_share_gets_no_language(twelve: Identifier) -> None:
    assert twelve.identify("Opera")[0] is None


@pytest.mark.parametrize(("text", "tag"), [("да, это", "ru"), ("是的", "zh"), ("כן בבקשה", "he")])
def test_few_letters_suffice_where_one_candidate_has_the_script(
    text: str, tag: str, twelve: Identifier
) -> None:
    assert twelve.identify(text) == (tag, 1.0)


@pytest.mark.parametrize(
    "code",
    [
        "```python\nfor item in the_list_of_items:\n    print(item, 'and this is English')\n```",
        "```\nunfinished English words in a block that was cut off by the length limit",
        "`this inline code would be quite enough English to win`",
        "https://example.org/this/is/the/address/of/a/page/in/english",
        "<div class='the name of a class in plain English words'>",
    ],
)
def test_code_addresses_and_markup_do_not_count(code: str, twelve: Identifier) -> None:
    assert twelve.identify(code)[0] is None
    assert twelve.identify(f"{SENTENCES['es']}\n\n{code}")[0] == "es"


def test_a_script_of_no_candidate_is_named_from_all_languages() -> None:
    few = Identifier(["ar", "en"])
    assert few.identify("สวัสดีครับ วันนี้อากาศดีมาก")[0] == "th"
    assert few.identify("今日はとても天気がいいですね。")[0] == "ja"


def test_japanese_and_chinese_are_told_apart() -> None:
    both = Identifier(["ja", "zh"])
    assert both.identify("毎朝、市場へ新鮮な果物を買いに行きます。")[0] == "ja"
    assert both.identify(SENTENCES["zh"])[0] == "zh"


def test_tags_come_out_as_the_candidates_were_normalised() -> None:
    portuguese = "Todas as manhãs vamos ao mercado comprar frutas frescas e pão."
    assert Identifier(["pt-BR", "eng"]).identify(portuguese)[0] == "pt-BR"
    assert Identifier(["iw", "en"]).identify(SENTENCES["he"])[0] == "he"


def test_norwegian_asked_for_as_bokmal_is_expected_as_the_open_choice_names_it() -> None:
    text = "Hver morgen går vi til markedet for å kjøpe frisk frukt, brød og ost til frokosten vår."
    for candidates in (["nb", "en"], None):
        identifier = Identifier(candidates)
        assert identifier.identify(text)[0] in identifier.expected("nb")


@pytest.mark.parametrize(
    ("candidates", "named"),
    [(["en", "xx"], "xx"), (["en", "wo"], "wo"), (["pt-BR", "pt-PT"], "pt-PT"), ([], "")],
)
def test_candidates_that_cannot_be_identified_are_refused_with_a_fix(
    candidates: list[str], named: str
) -> None:
    with pytest.raises(PinchError) as caught:
        Identifier(candidates)
    assert named in caught.value.message
    assert caught.value.fix


@given(st.text(max_size=80))
def test_any_text_gets_a_candidate_or_an_outside_script_and_a_probability(text: str) -> None:
    tag, confidence = Identifier(["ru", "en"]).identify(text)
    assert 0.0 <= confidence <= 1.0 + 1e-6
    assert tag is None or confidence >= 0.3
