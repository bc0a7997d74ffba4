from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from benchmarks.judge_stub import served
from benchmarks.translating_stub import TranslatingStub
from polypinch.errors import PinchError
from polypinch.mix import Budget, Dose, MixPlan, make_mixture
from polypinch.openai_server import Patience
from polypinch.pool import Pool, open_pool
from polypinch.translate import (
    ServerTranslator,
    Translated,
    Tries,
    Wanted,
    load_prompt,
    translate_rows,
    wanted_by_plan,
    wanted_of_pool,
)
from tests.running import polypinch

QUICK = Patience(timeout_s=30, backoff_s=0.005)


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    """The built-in pool's English alone."""
    path = tmp_path_factory.mktemp("pool") / "english.parquet"
    pq.write_table(open_pool("pinch12").select(where=pc.field("language") == "en"), path)
    return open_pool(str(path))


def plan(pool: Pool, count: int, *tags: str) -> MixPlan:
    return MixPlan(
        pool=pool.name, budget=Budget(examples=60), doses=(Dose(languages=tags, count=count),), seed=3
    )


def translate(address: str, wanted: list[Wanted], folder: Path, **options: Any) -> Translated:
    translator = ServerTranslator("m", address, load_prompt(), "en", patience=QUICK)
    return translate_rows(wanted, translator, "en", folder, **options)


def keys(wanted: list[Wanted]) -> set[tuple[str, str]]:
    return {(row.item_id, row.language) for row in wanted}


def test_a_plan_wants_exactly_what_it_lacks_and_more_wants_more(english: Pool) -> None:
    small, large = (wanted_by_plan(plan(english, count, "fi", "ru"), english) for count in (6, 20))
    assert len(small) == 6
    assert len(large) == 20
    assert keys(small) < keys(large)
    assert sorted(row.language for row in small) == ["fi"] * 3 + ["ru"] * 3
    assert not wanted_by_plan(plan(open_pool("pinch12"), 6, "fi", "ru"), open_pool("pinch12"))


def test_the_first_items_of_a_pool_are_the_same_whatever_their_number(english: Pool) -> None:
    few, many = (wanted_of_pool(english, "en", ["de", "sw"], items) for items in (5, 9))
    assert keys(few) < keys(many)
    assert len(few) == 10
    with pytest.raises(PinchError, match="no rows in 'fi'"):
        wanted_of_pool(english, "fi", ["de"], 5)


def test_what_is_translated_is_what_the_plan_then_mixes(english: Pool, tmp_path: Path) -> None:
    wanted = wanted_by_plan(plan(english, 10, "fi", "hi"), english)
    with served(TranslatingStub()) as address:
        done = translate(address, wanted, tmp_path)
    assert [(line.language, line.wanted, line.translated, line.left_out) for line in done.lines] == [
        ("fi", 5, 5, 0),
        ("hi", 5, 5, 0),
    ]
    assert set(done.rows["origin"].to_pylist()) == {"translated"}
    joined = tmp_path / "joined"
    joined.mkdir()
    pq.write_table(english.select(), joined / "english.parquet")
    pq.write_table(done.rows, joined / "translated.parquet")
    mixture = make_mixture(plan(english, 10, "fi", "hi"), open_pool(str(joined))).table
    others = mixture.filter(pc.not_equal(mixture["language"], "en"))
    taken = set(zip(others["item_id"].to_pylist(), others["language"].to_pylist(), strict=True))
    assert taken == keys(wanted)


def test_what_a_check_doubts_is_tried_again_with_the_reason_and_then_left_out(
    english: Pool, tmp_path: Path
) -> None:
    wanted = wanted_of_pool(english, "en", ["fi", "zh", "ar"], 30)
    stub = TranslatingStub(errs=0.5)
    with served(stub) as address:
        done = translate(address, wanted, tmp_path)
    tries = Tries(tmp_path / "tries.jsonl").read()
    assert sum(map(len, tries.values())) == stub.counts["good"] == sum(line.tries for line in done.lines)
    doubted = sum(not one.is_good for row in tries.values() for one in row)
    assert 0 <= doubted - stub.wrong <= 6  # every error; and a good row that is refused is tried three times
    assert all(len(row) == 3 for row in tries.values() if not row[-1].is_good)
    assert done.rows.num_rows + len(done.left_out) == len(wanted)
    assert "An earlier translation was not accepted" in json.dumps(stub.last) or stub.wrong == 0


def test_a_run_that_was_cut_short_goes_on_and_pays_for_nothing_twice(english: Pool, tmp_path: Path) -> None:
    wanted = wanted_of_pool(english, "en", ["fi"], 40)
    stub = TranslatingStub()
    stub.script.extend([None] * 15 + ["500"] * 200)
    with served(stub) as address:
        with pytest.raises(PinchError, match="cannot be reached"):
            translate(address, wanted, tmp_path, concurrency=2)
        log = tmp_path / "tries.jsonl"
        log.write_bytes(log.read_bytes() + b'{"item_id": "torn')
        stub.script.clear()
        done = translate(address, wanted, tmp_path, concurrency=2)
        assert stub.counts["good"] == 40
        again = translate(address, wanted, tmp_path)
    assert stub.counts["good"] == 40
    assert done.rows.equals(again.rows)
    assert done.rows.num_rows == 40


def test_no_more_is_spent_than_allowed(english: Pool, tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("m: {input: 10, output: 10}")
    pq.write_table(english.select(), tmp_path / "pool.parquet")
    with served(TranslatingStub()) as address:
        what = ("translate", tmp_path / "pool.parquet", "--to", "fi", "--items", 20, "--out", tmp_path / "o")
        arguments = (*what, "--model", "m", "--base-url", address, "--prices", tmp_path / "prices.yaml")
        foreseen = json.loads(polypinch(*arguments, "--estimate", "--json").stdout)
        assert foreseen["rows"] == 20
        short = polypinch(*arguments, "--max-cost", foreseen["cost"] / 4)
        assert short.returncode == 2
        assert "the limit was reached" in short.stderr
        done = polypinch(*arguments, "--json")
    (line,) = json.loads(done.stdout)["languages"]
    assert (line["translated"], line["open"]) == (20, 0)
    assert line["cost"] <= foreseen["cost"]


def test_people_translate_in_a_sheet_and_its_lines_are_checked(english: Pool, tmp_path: Path) -> None:
    pq.write_table(english.select(), tmp_path / "pool.parquet")
    (tmp_path / "plan.yaml").write_text(
        yaml.safe_dump(
            plan(english, 4, "fi").model_dump(mode="json") | {"pool": str(tmp_path / "pool.parquet")}
        )
    )
    sheet = tmp_path / "sheet.csv"
    arguments = ("translate", tmp_path / "plan.yaml", "--out", tmp_path / "o", "--by-hand", sheet)
    assert polypinch(*arguments).returncode == 0
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 8
    finnish = {
        (row["item_id"], place + 1): turn["content"]
        for row in open_pool("pinch12").select(where=pc.field("language") == "fi").to_pylist()
        for place, turn in enumerate(row["messages"])
    }
    for line in lines[:-2]:
        line["target"] = finnish[line["item_id"], int(line["turn"])]
    lines[0]["target"] = lines[0]["source"]
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(reversed(lines))
    (line,) = json.loads(polypinch(*arguments, "--json").stdout)["languages"]
    assert (line["wanted"], line["translated"], line["open"]) == (4, 2, 2)
    assert "copied" in line["doubts"]
    lines[2]["source"] = "something else"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    assert "line 4: its source is not what item" in polypinch(*arguments).stderr


def test_nobody_named_is_told_how_many_rows_there_are(english: Pool, tmp_path: Path) -> None:
    pq.write_table(english.select(), tmp_path / "pool.parquet")
    told = polypinch(
        "translate", tmp_path / "pool.parquet", "--to", "de", "--items", 3, "--out", tmp_path / "o"
    )
    assert told.returncode == 2
    assert "3 rows are to be translated" in told.stderr
