from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from polypinch.cli.fidelity import fidelity_command
from polypinch.errors import PinchError
from polypinch.files import write_table
from tests.fidelity.sentences import SENTENCES

app = typer.Typer(rich_markup_mode=None)
app.command()(fidelity_command)

ROWS = [
    {"completion": SENTENCES["ru"], "lang": "ru", "source": "a"},
    {"completion": SENTENCES["en"], "lang": "ru", "source": "a"},
    {"completion": SENTENCES["en"], "lang": "ru", "source": "b"},
    {"completion": SENTENCES["fi"], "lang": "fi", "source": "a"},
    {"completion": "42", "lang": "fi", "source": "a"},
]


def written(folder: Path, kind: str) -> Path:
    path = folder / f"answers.{kind}"
    if kind == "parquet":
        write_table(path, pa.Table.from_pylist(ROWS))
    elif kind == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ROWS[0])
            writer.writeheader()
            writer.writerows(ROWS)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def output(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def as_json(path: Path, *arguments: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(
        output(path, "--text", "completion", "--language", "lang", "--json", *arguments)
    )
    return said


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_json_gives_rates_per_language_and_over_all(tmp_path: Path, kind: str) -> None:
    said = as_json(written(tmp_path, kind))
    finnish, russian = said["languages"]
    assert said["candidates"] == ["fi", "ru", "en"]
    assert (finnish["language"], finnish["n"], finnish["n_abstained"]) == ("fi", 2, 1)
    assert finnish["in_language"]["value"] == 1.0
    assert finnish["word_pass"]["value"] is None
    assert russian["line_pass"]["value"] == pytest.approx(1 / 3)
    assert russian["line_pass"]["low"] < 1 / 3 < russian["line_pass"]["high"]
    assert said["all"]["in_language"]["value"] == pytest.approx(2 / 3)


def test_averaging_over_sources_weighs_them_the_same(tmp_path: Path) -> None:
    said = as_json(written(tmp_path, "csv"), "--average-over", "source")
    assert said["languages"][1]["in_language"]["value"] == 0.25


def test_conditions_and_candidates_are_heeded(tmp_path: Path) -> None:
    path = written(tmp_path, "csv")
    assert [row["language"] for row in as_json(path, "--where", "lang=fi")["languages"]] == ["fi"]
    assert as_json(path, "--candidates", "fi, ru,et")["candidates"] == ["fi", "ru", "et"]
    assert as_json(path, "--open")["candidates"] is None


def test_the_table_shows_every_language_and_a_dash_where_nothing_was_judged(tmp_path: Path) -> None:
    lines = output(written(tmp_path, "csv"), "--text", "completion", "--language", "lang").splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["fi", "ru", "all"]
    assert lines[2].rstrip().endswith("–")
    assert "33.3" in lines[3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "completion, lang, source"),
        (["--text", "completion", "--language", "lang", "--where", "lang"], "column=value"),
        (["--text", "completion", "--language", "lang", "--candidates", "fi,en"], "ru"),
        (["--open", "--candidates", "fi"], "exclude each other"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, arguments: list[str], said: str) -> None:
    with pytest.raises(PinchError) as caught:
        output(written(tmp_path, "csv"), *arguments)
    assert said in str(caught.value)


def test_published_answers_are_read_with_a_language_for_all(tmp_path: Path) -> None:
    outputs, choices = tmp_path / "model_outputs.json", tmp_path / "model.jsonl"
    rows = [
        {"instruction": str(n), "output": text} for n, text in enumerate((SENTENCES["fi"], SENTENCES["en"]))
    ]
    outputs.write_text(json.dumps([{**row, "generator": "m"} for row in rows]), encoding="utf-8")
    turns = [{"index": 0, "turns": [SENTENCES["fi"], SENTENCES["en"]]}]
    choices.write_text(json.dumps({"question_id": 1, "model_id": "m", "choices": turns}), encoding="utf-8")
    (by_alpaca, _), (by_fastchat, _) = (
        json.loads(output(path, "--language", "fi", "--json"))["languages"] * 2 for path in (outputs, choices)
    )
    assert (by_alpaca["n"], by_alpaca["in_language"]["value"]) == (2, 0.5)
    assert (by_fastchat["n"], by_fastchat["in_language"]["value"]) == (1, 1.0)


def test_a_file_without_languages_is_asked_for_one_and_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps({"text": SENTENCES["fi"]}) + "\n", encoding="utf-8")
    with pytest.raises(PinchError, match="row 1: no column language") as caught:
        output(path)
    assert "--language" in str(caught.value.fix)
    assert (
        json.loads(output(path, "--language", "fi", "--json"))["languages"][0]["in_language"]["value"] == 1.0
    )


def test_a_folder_of_shards_is_one_file_of_answers(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"part-{number}.jsonl").write_text(
            json.dumps({"text": SENTENCES["fi"], "language": "fi"}) + "\n", encoding="utf-8"
        )
    assert json.loads(output(tmp_path, "--json"))["languages"][0]["n"] == 2
