from __future__ import annotations

import json
from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.pool import ImportOptions, export_pool, import_pool, open_pool
from tests.pools import parallel_pool

POOL = parallel_pool(("en", "fi", "ru"), train=5, heldout=2)


def test_json_lines_come_back_as_the_pool_they_were(tmp_path: Path) -> None:
    assert export_pool(POOL, tmp_path / "rows.jsonl") == 21
    options = ImportOptions(language_column="language", key="item_id", split="split", licence="CC0-1.0")
    import_pool([str(tmp_path / "rows.jsonl")], tmp_path / "again.parquet", options)
    columns = ["item_id", "language", "messages", "licence", "origin", "split"]
    assert open_pool(str(tmp_path / "again.parquet")).select(columns).equals(POOL.select(columns))


def test_a_parquet_file_opens_as_the_pool_it_was(tmp_path: Path) -> None:
    export_pool(POOL, tmp_path / "pool.parquet")
    assert open_pool(str(tmp_path / "pool.parquet")).select().equals(POOL.select())


def test_some_languages_and_a_split_alone(tmp_path: Path) -> None:
    assert export_pool(POOL, tmp_path / "fi.jsonl", languages=["fi"], split="heldout") == 2
    rows = [json.loads(line) for line in (tmp_path / "fi.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {(row["language"], row["split"]) for row in rows} == {("fi", "heldout")}


def test_what_makes_no_sense_is_refused_and_nothing_is_written_over(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="ending"):
        export_pool(POOL, tmp_path / "pool.txt")
    with pytest.raises(PinchError, match="no rows in sw"):
        export_pool(POOL, tmp_path / "pool.jsonl", languages=["sw"])
    with pytest.raises(PinchError, match="no split 'test'"):
        export_pool(POOL, tmp_path / "pool.jsonl", split="test")
    (tmp_path / "mine.jsonl").write_text("mine")
    with pytest.raises(PinchError, match="exists"):
        export_pool(POOL, tmp_path / "mine.jsonl")
    assert (tmp_path / "mine.jsonl").read_text() == "mine"
