from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.fidelity import FIDELITY_SCHEMA, fidelity_table, wrong_words
from tests.fidelity.sentences import MORE, SENTENCES, TWELVE


def one(text: str | None, tag: str, **settings: bool) -> dict[str, object]:
    row: dict[str, object] = fidelity_table([text], [tag], TWELVE, **settings).to_pylist()[0]
    return row


@pytest.mark.parametrize("tag", TWELVE)
def test_an_answer_in_the_language_asked_for_passes_at_every_level(tag: str) -> None:
    row = one(f"{SENTENCES[tag]}\n{MORE[tag]}", tag)
    assert (row["response_language"], row["in_language"], row["line_pass"]) == (tag, True, True)
    assert row["word_pass"] is (True if tag in ("ar", "zh", "he", "hi", "ru") else None)


@pytest.mark.parametrize("tag", [tag for tag in TWELVE if tag != "en"])
def test_an_english_answer_fails_and_has_no_word_rate(tag: str) -> None:
    row = one(SENTENCES["en"], tag)
    assert (row["in_language"], row["line_pass"], row["word_pass"]) == (False, False, None)


def test_one_english_line_fails_the_lines_but_not_the_response() -> None:
    row = one(f"{SENTENCES['fi']}\n{MORE['en']}\n{MORE['fi']} {SENTENCES['fi']}", "fi")
    assert (row["in_language"], row["line_pass"]) == (True, False)


def test_lines_under_five_words_are_not_judged() -> None:
    assert one(f"Sure, here you go:\n{SENTENCES['fi']}", "fi")["line_pass"] is True
    assert one("Here it is", "fi")["line_pass"] is None


@pytest.mark.parametrize("text", [None, "", "42", "```\nprint('only code here, and nothing else')\n```"])
def test_an_answer_without_language_is_null_at_every_level(text: str | None) -> None:
    row = one(text, "ru")
    assert [row[name] for name in ("response_language", "in_language", "line_pass", "word_pass")] == [
        None
    ] * 4


def test_english_code_fails_lines_only_as_published() -> None:
    text = f"{SENTENCES['ru']}\n```\n# sort the names and print all of them\n```"
    assert one(text, "ru")["line_pass"] is True
    assert one(text, "ru", as_published=True)["line_pass"] is False


@pytest.mark.parametrize(
    ("tag", "insertion", "passes"),
    [
        ("ru", "используйте framework для этой работы", False),
        ("hi", "यह important बात है", False),
        ("ar", "هذا important جدا", False),
        ("zh", "请使用machine学习", False),
        ("he", "זה really חשוב", False),
        ("ru", "купите Toyota, NASA и OpenAI или iPhone", True),
        ("hi", "Drangajökull और Málaga देखिए", True),
        ("zh", "长度是30mm，速度是5 km，使用pH值", True),
        ("ru", "запустите файл `script name` или main.py", True),
        ("ru", "пишите на someone@example.org или www.example.org/page", True),
        ("ru", "назовите переменную user_name или item2", True),
    ],
)
def test_a_lower_case_latin_word_fails_the_words_and_names_or_code_do_not(
    tag: str, insertion: str, passes: bool
) -> None:
    row = one(f"{SENTENCES[tag]} {insertion} {MORE[tag]}", tag)
    assert row["line_pass"] is True
    assert row["word_pass"] is passes


def test_wrong_words_are_named() -> None:
    assert wrong_words("Это очень important и really просто, см. main.py и NASA.") == ["important", "really"]


def test_languages_are_compared_by_primary_language() -> None:
    portuguese = "Todas as manhãs vamos ao mercado comprar frutas frescas e pão."
    assert fidelity_table([portuguese], ["pt"], ["pt-BR", "en"])["in_language"].to_pylist() == [True]


def test_the_table_has_the_schema_even_without_rows() -> None:
    assert fidelity_table([], [], ["en"]).schema == FIDELITY_SCHEMA
    assert fidelity_table([SENTENCES["en"]], ["en"]).schema == FIDELITY_SCHEMA


@pytest.mark.parametrize(
    ("languages", "candidates", "named"),
    [
        (["xx"], None, "xx"),
        (["fi"], ["en", "et"], "fi"),
        (["wo"], None, "wo"),
        (["en", "en"], None, "2 languages"),
    ],
)
def test_impossible_requests_are_refused_with_a_fix(
    languages: list[str], candidates: list[str] | None, named: str
) -> None:
    with pytest.raises(PinchError, match=named) as caught:
        fidelity_table(["text"], languages, candidates)
    assert caught.value.fix


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(len(TWELVE))))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    texts = [f"{SENTENCES[tag]}\n{MORE[TWELVE[index // 2]]}" for index, tag in enumerate(TWELVE)]
    table = fidelity_table(texts, TWELVE, TWELVE)
    shuffled = fidelity_table([texts[i] for i in order], [TWELVE[i] for i in order], TWELVE)
    assert shuffled.equals(table.take(pa.array(order)))
