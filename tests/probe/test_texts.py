from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from polypinch.errors import PinchError
from polypinch.probe import read_texts
from tests.pools import parallel_pool


def table(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_pinch12_is_read_by_name_an_items_turns_joined() -> None:
    found = read_texts("pinch12", 5)
    assert found.languages[0] == "en"
    assert len(found.languages) == 12
    assert len(found.items) == 5
    assert len(found.texts) == 60
    assert all("\n\n" in text for text in found.texts.values())
    assert read_texts("pinch12", 8).items[:5] == found.items


def test_fewer_items_are_those_in_most_languages(tmp_path: Path) -> None:
    pool = parallel_pool(("en", "fi", "ru"), train=12, without=lambda item, tag: tag == "ru" and item > "t4")
    pq.write_table(pool.select(), tmp_path / "pool.parquet")
    found = read_texts(str(tmp_path / "pool.parquet"), 4)
    assert all((item, "ru") in found.texts for item in found.items)
    lone = parallel_pool(("en", "fi"), train=3, without=lambda item, tag: tag == "en" and item == "t0")
    pq.write_table(lone.select(), tmp_path / "lone.parquet")
    assert set(read_texts(str(tmp_path / "lone.parquet")).items) == {"t1", "t2"}


def test_a_file_has_a_column_a_language(tmp_path: Path) -> None:
    where = table(
        tmp_path / "t.csv", "item_id,eng,fi\n1,Good day.,Hyvää päivää.\n2,Thanks.,\n3,Yes.,Kyllä.\n"
    )
    found = read_texts(where)
    assert found.languages == ("en", "fi")
    assert len(found.items) == 3
    assert len(found.texts) == 5
    lines = [{"en": "a", "fi": "b", "ru": "c", "url": "x"}] * 2
    where = table(tmp_path / "t.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert read_texts(where, only=["fi"]).languages == ("en", "fi")


@pytest.mark.parametrize(
    ("text", "only", "message"),
    [
        ("en,topic\na,b\n", None, "topic"),
        ("fi,ru\na,b\n", None, "beside the same in English"),
        ("en\na\n", None, "another language"),
        ("en,fi\na,b\n", ["ru"], "no column for ru"),
        ("en,fi\na,\n", ["fi"], "no text in fi"),
        ("en,eng\na,b\n", None, "named twice"),
    ],
)
def test_texts_that_are_not_parallel_are_refused(
    tmp_path: Path, text: str, only: list[str] | None, message: str
) -> None:
    with pytest.raises(PinchError, match=message):
        read_texts(table(tmp_path / "t.csv", text), only=only)
