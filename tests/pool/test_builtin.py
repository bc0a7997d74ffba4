import re
import time
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.languages.tags import PAPER_LANGUAGES
from polypinch.pool import POOL_SCHEMA, Pool, check_pool, open_pool, pinch12_items
from polypinch.pool.builtin import WIDER_LANGUAGES

AMERICAN = re.compile(
    r"\b\w*(?:[ck]olor|meter|center|gray|harbor|neighbor|\blabor\b|flavor|behavior|favor(?:ite)?|honor|traveled"
    r"|aluminum|hemoglobin|summariz|recogniz|organiz|realiz|apologiz|specializ|analyz|defense|judgment)\w*",
    re.IGNORECASE,
)
BRITISH_TOO = {"thermometer", "thermometers", "perimeter", "parameter", "diameter", "barometer"}


def test_pinch12_has_264_items_in_all_twelve_languages_of_the_paper() -> None:
    pool = open_pool("pinch12")
    assert pool.languages() == sorted(PAPER_LANGUAGES)
    assert pool.split_languages() == {
        split: dict.fromkeys(sorted(PAPER_LANGUAGES), count)
        for split, count in (("heldout", 64), ("train", 200))
    }


def test_pinch25_holds_pinch12_and_the_same_items_in_more_languages() -> None:
    pool, narrow = open_pool("pinch25"), open_pool("pinch12")
    assert pool.languages() == sorted({*PAPER_LANGUAGES, *WIDER_LANGUAGES})
    counts = dict.fromkeys(pool.languages(), 64), dict.fromkeys(pool.languages(), 200)
    assert tuple(pool.split_languages()[split] for split in ("heldout", "train")) == counts
    columns = ["item_id", "language", "messages", "split"]
    ours = pc.is_in(pc.field("language"), pa.array(PAPER_LANGUAGES))
    assert pool.select(columns, ours).equals(narrow.select(columns))
    assert pinch12_items("pinch25").equals(pinch12_items())
    assert pool.fingerprint != narrow.fingerprint


def test_the_checker_finds_no_problem_in_the_wider_languages() -> None:
    there = pc.is_in(pc.field("language"), pa.array(["en", *WIDER_LANGUAGES]))
    report = check_pool(Pool.from_table(open_pool("pinch25").select(where=there), "wider"))
    assert report.problems == []
    assert {check.name: check for check in report.checks}["complete"].examined == 264


def test_pinch12_opens_within_a_second_in_the_schema_of_a_pool() -> None:
    started = time.perf_counter()
    table = open_pool("pinch12").select()
    assert time.perf_counter() - started < 1
    assert table.schema == POOL_SCHEMA
    assert set(table["licence"].to_pylist()) == {"CC0-1.0"}


def test_english_was_written_and_the_others_rendered() -> None:
    table = open_pool("pinch12").select(["language", "origin"])
    assert {(row["language"] == "en", row["origin"]) for row in table.to_pylist()} == {
        (True, "model"),
        (False, "translated"),
    }


def test_the_checker_finds_no_problem_in_pinch12() -> None:
    report = check_pool(open_pool("pinch12"))
    assert report.problems == []
    assert report.ok
    by_name = {check.name: check for check in report.checks}
    assert by_name["complete"].examined == 264
    assert by_name["numbers"].examined == 264 * 11
    assert by_name["leaks"].examined == 200 * 12
    assert by_name["language"].examined > 0.9 * 2 * 264 * 12


def test_half_of_the_items_are_of_everyday_life_and_every_task_is_held_out() -> None:
    items = pinch12_items().to_pylist()
    assert Counter(row["domain"] for row in items) == {"everyday": 132, "knowledge": 132}
    assert {row["task"] for row in items} == {row["task"] for row in items if row["split"] == "heldout"}


def test_held_out_items_are_in_three_strata_and_four_tasks_are_trained_on_nowhere() -> None:
    items = pinch12_items().to_pylist()
    assert Counter(row["stratum"] for row in items) == {"first": 40, "known": 20, "unseen": 4, None: 200}
    trained = {row["task"] for row in items if row["split"] == "train"}
    unseen = {row["task"] for row in items if row["stratum"] == "unseen"}
    assert unseen == {"clarification", "debugging", "proof", "support"}
    assert unseen & trained == set()


def test_later_items_answer_at_length_too() -> None:
    rows = open_pool("pinch12").select(where=pc.field("language") == "en").to_pylist()
    long = Counter(row["split"] for row in rows if len(row["messages"][1]["content"].split()) >= 120)
    assert long["heldout"] >= 8
    assert long["train"] >= 10


def test_pseudocode_and_tables_have_the_same_shape_in_every_language() -> None:
    def shape(text: str) -> list[str]:
        inside, marks = False, []
        for line in text.splitlines():
            inside ^= line == "```"
            if inside:
                marks.append(f"code {len(line) - len(line.lstrip())}" if line != "```" else line)
            elif line.startswith("| "):
                marks.append(f"row {line.count('|')}")
        return marks

    rows = open_pool("pinch25").select().to_pylist()
    english = {row["item_id"]: row["messages"] for row in rows if row["language"] == "en"}
    for row in rows:
        for mine, theirs in zip(row["messages"], english[row["item_id"]], strict=True):
            assert shape(mine["content"]) == shape(theirs["content"]), (row["item_id"], row["language"])


def test_the_english_is_in_british_spelling() -> None:
    rows = open_pool("pinch12").select(where=pc.field("language") == "en").to_pylist()
    found = {
        word.lower()
        for row in rows
        for message in row["messages"]
        for word in AMERICAN.findall(message["content"])
    }
    assert found - BRITISH_TOO == set()


def test_labels_of_classification_are_among_those_that_the_instruction_names() -> None:
    tasks = {row["item_id"]: row["task"] for row in pinch12_items().to_pylist()}
    for row in open_pool("pinch25").select().to_pylist():
        asked, answer = (message["content"] for message in row["messages"])
        spaced = row["language"] not in ("zh", "ja")
        if tasks[row["item_id"]] == "classification" and len(answer.split()) == 1 and spaced:
            assert answer.strip(".").casefold() in asked.casefold(), (row["item_id"], row["language"], answer)


FIRST_FINGERPRINT = "afb720670001353ba64b2d3e78e499435d8513dc5e4fd03cf53b74939d59748d"


def test_the_first_version_is_what_it_was_byte_by_byte() -> None:
    pool = open_pool("pinch12@1")
    assert (pool.name, pool.fingerprint, pool.count()) == ("pinch12@1", FIRST_FINGERPRINT, 2_400)
    assert pool.fingerprint != open_pool("pinch12").fingerprint


def test_items_of_the_first_version_stay_in_their_split_and_task() -> None:
    first, now = (
        {row.pop("item_id"): row for row in pinch12_items(name).to_pylist()}
        for name in ("pinch12@1", "pinch12")
    )
    assert len(first) == 200
    assert {item: now[item] for item in first} == first
    assert Counter(row["stratum"] for row in first.values()) == {"first": 40, None: 160}
