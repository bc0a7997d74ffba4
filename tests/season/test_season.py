from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from benchmarks.judge_stub import served
from tests.running import Ended, polypinch
from tests.season.english import write_rows
from tests.tiny import tiny_model
from tests.translate.words import WordStub

ROWS = 40


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """English rows of the size of a sentence or two."""
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", ROWS)


def season(rows: Path, out: Path, languages: str, *more: object) -> Ended:
    return polypinch("season", rows, "--languages", languages, "--out", out, "--licence", "MIT", *more)


def trained(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "train.jsonl").read_text(encoding="utf-8").splitlines()]


def by_language(out: Path) -> Counter[str]:
    return Counter(row["language"] for row in trained(out))


def test_without_a_translator_the_built_in_pool_is_put_in_and_all_that_means_is_told(
    rows: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = season(rows, out, "fi,sv,ru", "--count", 6)
    assert done.returncode == 0, done.stderr
    assert by_language(out) == {"en": ROWS, "fi": 3, "ru": 3}
    assert "not put in: sv" in done.stdout
    assert "cannot be told apart" in done.stdout
    card = (out / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["language"] == ["en", "fi", "ru"]
    assert head["license"] == "other"
    assert "| en | rows | MIT | native | 40 |" in card
    assert "| fi | pinch25 | CC0-1.0 | translated | 3 |" in card
    assert "no rows in sv" in card
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["languages"][1]["sources"] == {"pinch25": 3}
    assert "dataset: polypinch" in (out / "llamafactory.yaml").read_text(encoding="utf-8")
    for entry in ("trl.yaml", "axolotl.yaml", "dataset_info.json"):
        assert "train.jsonl" in (out / entry).read_text(encoding="utf-8")


def test_the_plan_makes_the_same_rows_again(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with served(WordStub()) as address:
        assert season(rows, out, "de,fi", "--count", 6, "--translator", address).returncode == 0
    tiny_model(tmp_path / "model")
    again = tmp_path / "again"
    done = polypinch("mix", out / "plan.yaml", "--out", again, "--model", tmp_path / "model")
    assert done.returncode == 0, done.stderr
    assert (again / "export" / "train.jsonl").read_bytes() == (out / "train.jsonl").read_bytes()


def test_a_row_that_fails_its_checks_is_replaced_so_the_dose_is_what_was_asked(
    rows: Path, tmp_path: Path
) -> None:
    def spoil(name: str, sources: list[str], turns: list[str]) -> list[str]:
        return sources if name == "German" and any(n in sources[0] for n in ("case 2", "case 31")) else turns

    out = tmp_path / "out"
    with served(WordStub(spoil)) as address:
        done = season(rows, out, "de,pt", "--count", 20, "--translator", address)
    assert done.returncode == 0, done.stderr
    assert by_language(out) == {"en": ROWS - 20, "de": 10, "pt": 10}
    assert len({row["item_id"] for row in trained(out)}) == ROWS
    assert "left out" in done.stdout
    german = [row["messages"][0]["content"] for row in trained(out) if row["language"] == "de"]
    assert not any("Please" in text for text in german)


def test_run_again_it_asks_for_nothing_and_a_larger_pinch_for_the_rest_alone(
    rows: Path, tmp_path: Path
) -> None:
    out, stub = tmp_path / "out", WordStub()
    with served(stub) as address:
        assert season(rows, out, "de,fr", "--count", 6, "--translator", address).returncode == 0
        first = trained(out)
        assert stub.counts["requests"] == 6
        assert season(rows, out, "de,fr", "--count", 6, "--translator", address).returncode == 0
        assert stub.counts["requests"] == 6
        assert trained(out) == first
        assert season(rows, out, "de,fr", "--count", 10, "--translator", address).returncode == 0
        assert stub.counts["requests"] == 10
    dosed = [row for row in first if row["language"] != "en"]
    assert all(row in trained(out) for row in dosed)


def test_a_translator_that_cannot_do_a_language_is_refused_before_it_has_tried_them_all(
    rows: Path, tmp_path: Path
) -> None:
    def spoil(name: str, sources: list[str], turns: list[str]) -> list[str]:
        return ["I cannot translate this.", "I'm sorry."] if name == "French" else turns

    stub = WordStub(spoil)
    with served(stub) as address:
        done = season(rows, tmp_path / "out", "de,fr", "--count", 8, "--translator", address)
    assert done.returncode == 2
    assert "failed their checks in every try, the last in fr" in done.stderr
    assert stub.counts["requests"] <= 4 + 3 * 4 + 3 * 4
    assert not (tmp_path / "out" / "train.jsonl").exists()


def test_a_dry_run_asks_nobody_and_says_what_it_would_take(rows: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("stub: {input: 1.0, output: 4.0}\n")
    stub = WordStub()
    with served(stub) as address:
        options = ["--count", 8, "--translator", address, "--prices", prices, "--dry-run", "--json"]
        done = season(rows, tmp_path / "out", "de,fr", *options)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout[done.stdout.index("{") :])
    assert (told["rows"], told["pinch"], told["to_translate"], told["most_calls"]) == (40, 8, 8, 24)
    assert 0 < told["cost"] < 0.1
    assert stub.counts["requests"] == 0
    assert not (tmp_path / "out" / "train.jsonl").exists()


def test_tuned_it_shows_before_and_after_in_every_language(rows: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out", tmp_path / "model"
    tiny_model(model)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("{epochs: 1, precision: fp32, rank: 4, learning_rate: 0.005}\n")
    options = ["--count", 6, "--model", model, "--tune", "--tuning", recipe, "--heldout-items", 4]
    stub = WordStub()
    with served(stub) as address:
        done = season(rows, out, "nl,fi", "--translator", address, *options)
        assert done.returncode == 0, done.stderr
        calls = stub.counts["requests"]
        assert calls == 6 + 4  # the pinch, and the held-out items in the one language that the pool lacks
        again = season(rows, out, "nl,fi", "--translator", address, *options)
        assert again.returncode == 0
        assert stub.counts["requests"] == calls
    page = (out / "before-after.html").read_text(encoding="utf-8")
    for text in ("before", "after", "Dutch", "Finnish", "untuned", "seasoned", "machine translations"):
        assert text in page
    with (out / "tables" / "before-after.csv").open(encoding="utf-8") as file:
        lines = {(line["measure"], line["language"]): line for line in csv.DictReader(file)}
    assert {tag for measure, tag in lines if measure == "loss"} >= {"en", "nl", "fi", "others"}
    loss = lines["loss", "nl"]
    assert float(loss["after"]) - float(loss["before"]) == pytest.approx(float(loss["change"]), abs=1e-9)
    assert float(loss["low"]) <= float(loss["change"]) <= float(loss["high"])
    card = (out / "model" / "README.md").read_text(encoding="utf-8")
    assert "against the base model without tuning, over one training" in card
    assert re.search(r"bits per byte\) \| Dutch \| [\d.]+ \| [\d.]+ \| [−+]?[\d.]+ \([−+]?[\d.]+ to", card)
    assert "One training: another seed would differ" in card
    done = polypinch("export", out, "--arm", "seasoned", "--adapter", "--out", tmp_path / "adapter")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "adapter" / "tokenizer.json").exists()
    refused = polypinch("export", out, "--arm", "pinch", "--out", tmp_path / "x")
    assert "it has seasoned" in refused.stderr
    assert (out / "model" / "model.safetensors").exists()
    adapter = next((out / "store" / "tune").glob("seasoned-*"))
    assert (adapter / "adapter" / "adapter_model.safetensors").exists()
    mixture = next((out / "store" / "mixture").glob("seasoned-*")) / "mixture.parquet"
    mixed = pq.read_table(mixture, columns=["item_id", "language"]).to_pylist()
    assert mixed == [{name: row[name] for name in ("item_id", "language")} for row in trained(out)]


def test_what_was_only_looked_at_does_not_hold_its_folder(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert season(rows, out, "es", "--count", 4, "--language", "de", "--dry-run").returncode == 0
    other = write_rows(tmp_path / "other.jsonl", 30)
    assert season(other, out, "es", "--count", 4).returncode == 0
    assert by_language(out) == {"en": 30, "es": 4}
    refused = season(rows, out, "es", "--count", 4)
    assert "holds a season of other rows" in refused.stderr
    assert by_language(out) == {"en": 30, "es": 4}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": "missing.jsonl"}, "missing.jsonl: no such file"),
        ({"languages": "de,xx"}, "unknown language 'xx'"),
        ({"languages": "en"}, "no language but 'en'"),
        ({"languages": "sv"}, "pinch25 has no rows in sv"),
        ({"more": ["--tune"]}, "which model is to be tuned"),
        ({"more": ["--model", "./models/mine"]}, "no such folder"),
        ({"more": ["--count", 41]}, "there are 40 rows"),
        ({"more": ["--translator", "http://127.0.0.1:9/v1"]}, "nobody answers at"),
    ],
)
def test_what_cannot_work_is_refused_with_a_reason(
    rows: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    source = rows.with_name(changes["rows"]) if "rows" in changes else rows
    done = season(source, tmp_path / "out", changes.get("languages", "fi"), *changes.get("more", []))
    assert done.returncode == 2
    assert message in done.stderr


def test_a_folder_of_other_rows_is_not_mixed_up_with_these(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert season(rows, out, "fi").returncode == 0
    other = tmp_path / "other.jsonl"
    other.write_text(rows.read_text(encoding="utf-8").replace("people", "everyone"), encoding="utf-8")
    done = season(other, out, "fi")
    assert done.returncode == 2
    assert "holds a season of other rows" in done.stderr
