"""Every column of every table is documented, from where it is made, and written as documented."""

from __future__ import annotations

import csv
import re
from dataclasses import fields
from pathlib import Path

import pytest

from polypinch.publish import documentation, report
from polypinch.publish.columns import described
from polypinch.report import ROWS, Step
from tests.planted import LADDER, plant

DOCS = Path(__file__).parents[2] / "docs/tables.md"
ALL = {**ROWS, "steps": Step}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = plant(tmp_path_factory.mktemp("planted"), LADDER)
    report(made.record, made.graph, made.store, made.out)
    return made.out / "tables"


def test_the_page_of_tables_is_what_the_code_says() -> None:
    again = "Path('docs/tables.md').write_text(polypinch.publish.documentation()) writes it anew"
    assert DOCS.read_text(encoding="utf-8") == documentation(), again


@pytest.mark.parametrize("name", ALL)
def test_every_column_says_what_it_is(name: str) -> None:
    known = described(ALL[name])
    assert [one.name for one in fields(ALL[name]) if not known.get(one.name)] == []


@pytest.mark.parametrize("name", [name for name in ALL if name != "tasks"])
def test_a_report_writes_the_documented_columns(tables: Path, name: str) -> None:
    with (tables / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        head = next(csv.reader(file))
        assert next(csv.reader(file)) if name != "judge" else True
    part = DOCS.read_text(encoding="utf-8").split(f"## `tables/{name}.csv`")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", part, re.M) == head
