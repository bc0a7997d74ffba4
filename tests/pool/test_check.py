import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from polypinch.errors import PinchError
from polypinch.pool import Check, CheckReport, check_pool
from polypinch.pool.texts import added_numbers, missing_numbers
from tests.pool.small import find, pool, rows

Rows = list[dict[str, Any]]
ITEM = "e003"


def named(report: CheckReport, name: str) -> Check:
    return next(check for check in report.checks if check.name == name)


def edit(tag: str, turn: int, change: Callable[[str], str]) -> Callable[[Rows], Rows]:
    def spoil(table: Rows) -> Rows:
        message = find(table, ITEM, tag)["messages"][turn]
        message["content"] = change(message["content"])
        return table

    return spoil


def drop(table: Rows) -> Rows:
    return [row for row in table if (row["item_id"], row["language"]) != (ITEM, "fi")]


def twice(table: Rows) -> Rows:
    return [*table, find(table, ITEM, "fi")]


def other_split(table: Rows) -> Rows:
    row = find(table, ITEM, "ru")
    row["split"] = "train" if row["split"] == "heldout" else "heldout"
    return table


def same_prompt(table: Rows) -> Rows:
    row = find(table, ITEM, "fi")
    row["messages"][0]["content"] = find(table, "e004", "fi")["messages"][0]["content"].upper()
    return table


def leak(table: Rows) -> Rows:
    held = next(row for row in table if row["split"] == "heldout" and row["language"] == "ru")
    find(table, ITEM, "ru")["messages"][0]["content"] = (
        held["messages"][0]["content"].replace(".", "!") + " Спасибо"
    )
    return table


def swap(table: Rows) -> Rows:
    fi, en = find(table, ITEM, "fi"), find(table, ITEM, "en")
    fi["messages"][1] = dict(en["messages"][1])
    return table


def mixed(text: str) -> str:
    return text + "\nThis sentence was left in English by whoever was in a hurry."


FAULTS: list[tuple[str, str, Callable[[Rows], Rows]]] = [
    ("missing translation", "complete", drop),
    ("row twice", "complete", twice),
    ("split differs by language", "splits", other_split),
    ("trailing space", "clean", edit("fi", 0, lambda text: text + " ")),
    ("empty response", "clean", edit("fi", 1, lambda text: "")),
    ("no instruction", "clean", edit("fi", 0, lambda text: "")),
    ("decomposed letters", "clean", edit("fi", 1, lambda text: unicodedata.normalize("NFD", text + "ä"))),
    ("bidi control", "clean", edit("ru", 1, lambda text: text[:3] + "\u202e" + text[3:])),
    ("run of Latin words", "script", edit("ru", 1, lambda text: text + " so it is said")),
    ("same prompt", "duplicates", same_prompt),
    ("leak", "leaks", leak),
    ("English under another tag", "language", swap),
    ("English sentence", "language", edit("fi", 1, mixed)),
    ("number lost", "numbers", edit("en", 1, lambda text: text + " It takes 4711 minutes.")),
    ("far too long", "lengths", edit("fi", 1, lambda text: " ".join([text] * 5))),
    ("not translated", "translated", swap),
]


def test_an_undisturbed_pool_has_no_problem() -> None:
    report = check_pool(pool(rows()))
    assert report.ok
    assert report.problems == []


@pytest.mark.parametrize(("name", "check", "spoil"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_a_fault_is_found_by_its_check(name: str, check: str, spoil: Callable[[Rows], Rows]) -> None:
    report = check_pool(pool(spoil(rows())))
    assert not report.ok
    assert named(report, check).problems >= 1, name
    assert any(found.item_id == ITEM for found in report.problems)


def test_numbers_in_other_digits_or_with_other_separators_are_the_same() -> None:
    table = rows()
    for tag, said in (
        ("en", " At 18:30, 12000 and 2.5."),
        ("fi", " Klo 18.30, 12 000 ja 2,5."),
        ("ru", " ١٨:٣٠, 12.000, 2,5."),
    ):
        find(table, ITEM, tag)["messages"][1]["content"] += said
    assert named(check_pool(pool(table)), "numbers").problems == 0


@pytest.mark.parametrize(
    ("english", "translation"),
    [
        ("in 1 hour", "tunnin päästä"),
        ("2 hours and 50 minutes", "ساعتان و50 دقيقة"),
        ("until 1:00", "до часа ночи, 1:00"),
        ("after 22:00", "रात 10 बजे के बाद"),
        ("at 19:30", "शाम 7:30 बजे"),
        ("around 0:30", "12:30 hodin"),
        ("one or two", "1 ou 2"),
        ("66 million years", "6600万年"),
        ("about 50 billion", "unos 50 000 millones"),
        ("384,000 kilometres", "38.4万公里"),
        ("The train leaves at 14:35.", "Le train part à 14 h 35."),
        ("The train leaves at 14:35.", "O trem sai às 14h35."),
        ("The train leaves at 14:35.", "列車は14時35分に出ます。"),
        ("The train leaves at 14:35.", "기차는 14시 35분에 떠납니다."),
    ],
)
def test_numbers_may_be_written_as_the_language_counts(english: str, translation: str) -> None:
    assert missing_numbers(english, translation) == []
    assert added_numbers(english, translation) == []


@pytest.mark.parametrize(
    ("english", "translation"),
    [
        ("3 hours", "kolme tuntia"),
        ("21 days", "päivää"),
        ("at 22:00", "11"),
        ("at 19:30", "7"),
        ("12", "1, 2"),
        ("1500 trees", "15 Bäume"),
        ("66 million years", "7000万年"),
        ("The train leaves at 14:35.", "Le train part à 14 h 45."),
        ("It takes 14 hours and 35 steps.", "14時35"),
    ],
)
def test_other_numbers_and_times_may_not_be_lost(english: str, translation: str) -> None:
    assert missing_numbers(english, translation) != []


def test_a_number_that_only_the_translation_has_is_listed_not_refused() -> None:
    found = named(check_pool(pool(edit("fi", 1, lambda text: text + " 4711.")(rows()))), "numbers")
    assert (found.problems, found.outliers) == (0, 1)


def test_responses_of_the_own_language_need_not_hold_the_english_numbers() -> None:
    table = edit("en", 1, lambda text: text + " It takes 4711 minutes.")(rows())
    for row in table:
        row["origin"] = "native"
    assert named(check_pool(pool(table)), "numbers").problems == 0


def test_code_is_not_taken_for_english() -> None:
    code = " ```for row in table.rows(): print(row) # and now for something completely different```"
    assert named(check_pool(pool(edit("fi", 1, lambda text: text + code)(rows()))), "language").problems == 0


def test_items_of_one_language_each_are_not_parallel_unless_told() -> None:
    table = [row for row in rows() if (row["language"] == "en") == (row["item_id"] < "e015")]
    table = [row for row in table if row["language"] in ("en", "fi")]
    assert named(check_pool(pool(table)), "complete").problems == 0
    assert named(check_pool(pool(table), parallel=True), "complete").problems == 30


def test_what_is_sampled_is_said() -> None:
    report = check_pool(pool(rows()), items=10, heldout=1)
    assert "every 3th item: 10 of 30" in str(named(report, "language").note)
    assert "held-out rows" in str(named(report, "leaks").note)


def test_a_report_is_json_able_and_counts_beyond_what_it_keeps() -> None:
    table = rows(items=60)
    for row in table:
        row["messages"][1]["content"] += " "
    report = check_pool(pool(table))
    clean = named(report, "clean")
    assert clean.problems == 180
    assert len(clean.findings) == 50
    assert not report.ok


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(PinchError, match="no rows"):
        check_pool(pool([]))


def test_system_turns_in_one_language_alone_are_a_problem() -> None:
    table = rows()
    assert named(check_pool(pool(table)), "system").problems == 0
    for row in table:
        if row["language"] == "en":
            row["messages"] = [{"role": "system", "content": "Be brief."}, *row["messages"]]
    found = named(check_pool(pool(table)), "system")
    assert found.problems == 1
    assert "100% of the rows in en and in 0% of those in" in found.findings[0].message


def test_findings_that_are_alike_are_grouped() -> None:
    check = Check("numbers", "all are kept")
    for place in range(70):
        check.problem(f"e{place}", "fi", f"response: lacks {place}")
    check.outlier("k1", None, "missing in ru")
    lines = check.in_groups()
    assert len(lines) == 6
    assert lines[0] == "problem: e0 fi: response: lacks 0"
    assert lines[3] == "problem: 47 more like these: e3 fi, e4 fi, e5 fi, e6 fi, e7 fi, …"
    assert lines[4:] == ["outlier: k1: missing in ru", "and 20 more, of any kind"]
