from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.tasks.numbers import last_number, number_match


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [
        ("She makes $18 every day.", "en", "18"),
        ("She sells 9 eggs at 2 $, so 9 × 2 = 18", "en", "18"),
        ("The total is 2,125.", "en", "2125"),
        ("$1,234,567.50 in all", "en", "1234567.50"),
        ("١٨ دولارا", "ar", "18"),
        ("٢٬١٢٥٫٥", "ar", "2125.5"),
        ("उत्तर १८ है।", "hi", "18"),
        ("₹ 1,00,000", "hi", "100000"),
        ("১২ টাকা", "bn", "12"),
        ("答案是１８元", "zh", "18"),
        ("一共 1，234 元。", "zh", "1234"),
        ("大约 27.6万", "zh", "276000"),
        ("Yhteensä 18,5 euroa", "fi", "18.5"),
        ("итого 1 234,5 рублей", "ru", "1234.5"),
        ("итого 276\u00a0000 $", "ru", "276000"),
        ("il totale è 1.234.567,5", "it", "1234567.5"),
        ("1’234.50 Franken", "de", "1234.50"),
        ("Gain: 50%", "en", "50"),
        ("it falls by -5 degrees", "en", "-5"),
        ("a loss of −$5", "en", "-5"),
        ("between 3-5", "en", "5"),
        ("10 - 5", "en", "5"),
        ("eggs:\n- 18 of them", "en", "18"),
        ("\\boxed{42}", "en", "42"),
        ("**18**", "en", "18"),
        ("\\boxed{2{,}125}", "en", "2125"),
        ("$2\\,125$ or $2,\\!125$", "en", "2125"),
        ("1, 2, 3", "en", "3"),
        ("1,2,3", "en", "3"),
        ("on 24.12.2025", "de", "2025"),
        ("5 m²", "en", "5"),
        ("0,125", "es", "0.125"),
        ("18.00", "en", "18"),
        ("3万5000円", "ja", "35000"),
        ("1億2000万", "ja", "120000000"),
        ("3만 5천 원", "ko", "35000"),
        ("5百万", "zh", "5000000"),
        ("5千克", "zh", "5"),
        ("3万個と5個", "ja", "5"),
        ("-3万5000", "ja", "-35000"),
        ("25 m2", "en", "25"),
        ("25 \\text{cm}^2", "en", "25"),
        ("5 км2", "ru", "5"),
        ("10^2 = 100", "en", "100"),
        ("B-52", "en", "52"),
        ("3–5", "de", "5"),
        ("f(x)-5", "en", "5"),
    ],
)
def test_the_last_number_is_read(text: str, tag: str, value: str) -> None:
    assert last_number(text, tag) == {Decimal(value)}


def test_a_form_that_a_language_leaves_open_is_read_both_ways() -> None:
    assert last_number("2.125", "es") == {Decimal(2125), Decimal("2.125")}
    assert last_number("2,125", "es") == {Decimal(2125), Decimal("2.125")}
    assert last_number("2.125", "en") == {Decimal("2.125")}
    assert last_number("2,125", "en") == {Decimal(2125)}


def test_a_space_parts_thousands_or_numbers() -> None:
    assert last_number("1 234", "fi") == {Decimal(1234)}
    assert last_number("1 234", "en") == {Decimal(1234), Decimal(234)}
    assert last_number("3 12 1 234", "fi") == {Decimal(1234)}
    assert last_number("boxes of 12 18", "en") == {Decimal(18)}


def test_no_number_matches_nothing() -> None:
    assert last_number("eighteen, ½", "en") == set()
    assert number_match("", "18", "en") == 0.0


@pytest.mark.parametrize("tag", ["en", "es", "ru", "sw", "zh", "de", "ja"])
@pytest.mark.parametrize("right", ["18", "2,125", "114,200", "276,000", "5,600"])
def test_published_answers_match_themselves_and_their_plain_digits(tag: str, right: str) -> None:
    """MGSM writes its answers the English way in every language."""
    plain = right.replace(",", "")
    assert number_match(f"= {right}", right, tag) == 1.0
    assert number_match(f"= {plain}.", right, tag) == 1.0
    assert number_match(f"= {int(plain) + 1}", right, tag) == 0.0


def test_published_answers_match_in_a_languages_own_writing() -> None:
    assert number_match("La respuesta es 114.200.", "114,200", "es") == 1.0
    assert number_match("Ответ: 114 200 долларов", "114,200", "ru") == 1.0
    assert number_match("答案：11.42万", "114,200", "zh") == 1.0
    assert number_match("The answer is 114.2", "114,200", "en") == 0.0


@given(st.integers(0, 10**9), st.sampled_from(["en", "es", "hi", "ar"]))
def test_any_whole_number_is_read_in_each_of_its_forms(value: int, tag: str) -> None:
    zero = {"hi": 0x966, "ar": 0x660}.get(tag, 0x30)
    for written in (f"{value}", f"{value:,}", f"{value:,}".replace(",", "\u202f")):
        digits = "".join(chr(zero + int(char)) if char.isdigit() else char for char in written)
        assert Decimal(value) in last_number(f"x {digits}.", tag)


@pytest.mark.parametrize("minus", "-−–‐‑－﹣")
@pytest.mark.parametrize(
    "before",
    [
        "",
        "答案是",
        "答えは",
        "คำตอบคือ",
        "답은",
        "**",
        "`",
        "[",
        "「",
        "\\boxed{",
        "= ",
        "¥",
        "\u200e",
        "\u061c",
        "|",
    ],
)
def test_a_minus_right_before_the_digits_is_one_whatever_stands_before_it(before: str, minus: str) -> None:
    assert last_number(f"{before}{minus}5", "ja") == {Decimal(-5)}
    assert last_number(f"{before}{minus}\u200e٥", "ar") == {Decimal(-5)}
    assert last_number(f"4{minus}5", "ja") == {Decimal(5)}


@given(parts=st.lists(st.integers(1, 9999), min_size=3, max_size=3), tag=st.sampled_from(["zh", "ja", "ko"]))
def test_a_number_with_myriads_is_their_sum(parts: list[int], tag: str) -> None:
    hundred_million, myriad = {"zh": "亿万", "ja": "億万", "ko": "억만"}[tag]
    text = f"{parts[0]}{hundred_million}{parts[1]}{myriad}{parts[2]}"
    assert last_number(text, tag) == {Decimal(parts[0] * 10**8 + parts[1] * 10**4 + parts[2])}
