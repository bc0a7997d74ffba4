import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from polypinch.cli.pool import pool_app
from polypinch.errors import PinchError
from tests.pool.small import write_lines

runner = CliRunner()


def test_show_prints_counts_and_rows_as_one_json_document() -> None:
    result = runner.invoke(pool_app, ["show", "pinch12", "--json", "--language", "fi", "-n", "2"])
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert found["rows"]["heldout"]["fi"] == 64
    assert sum(found["tasks"]["refusal"].values()) == 6
    assert [row["language"] for row in found["examples"]] == ["fi", "fi"]


def test_show_prints_an_item_in_all_its_languages() -> None:
    result = runner.invoke(pool_app, ["show", "pinch12", "--item", "e001"])
    assert result.exit_code == 0
    assert "e001 (sw, heldout)" in result.stdout
    assert "e001 (zh, heldout)" in result.stdout


@pytest.mark.parametrize("option", [["--item", "x999"], ["--language", "tlh"]])
def test_show_refuses_what_the_pool_has_not(option: list[str]) -> None:
    result = runner.invoke(pool_app, ["show", "pinch12", *option])
    assert isinstance(result.exception, PinchError)


def test_import_then_check_exits_with_1_where_there_is_a_problem(tmp_path: Path) -> None:
    rows = [{"prompt": "Miksi taivas on sininen?", "completion": "Koska ilma sirottaa valoa."}] * 2
    file, out = write_lines(tmp_path / "a.jsonl", rows), tmp_path / "p.parquet"
    done = runner.invoke(pool_app, ["import", str(file), "--language", "fi", "--out", str(out), "--json"])
    assert json.loads(done.stdout)["rows"] == {"train": {"fi": 2}}
    checked = runner.invoke(pool_app, ["check", str(out), "--json"])
    assert checked.exit_code == 1
    duplicates = next(
        check for check in json.loads(checked.stdout)["checks"] if check["name"] == "duplicates"
    )
    assert duplicates["problems"] == 1


def test_check_prints_what_it_proves_and_exits_with_0(tmp_path: Path) -> None:
    rows = [{"prompt": f"Miksi taivas on sininen, osa {n}?", "completion": "Koska ilma."} for n in range(3)]
    file, out = write_lines(tmp_path / "a.jsonl", rows), tmp_path / "p.parquet"
    runner.invoke(pool_app, ["import", str(file), "--language", "fi", "--out", str(out)])
    result = runner.invoke(pool_app, ["check", str(out)])
    assert result.exit_code == 0
    assert "no problems" in result.stdout
