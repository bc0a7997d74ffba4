from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from polypinch.errors import PinchError
from polypinch.pool import POOL_SCHEMA, open_pool
from tests.pool.small import rows


def write(path: Path, items: int = 5) -> Path:
    pq.write_table(pa.Table.from_pylist(rows(items), schema=POOL_SCHEMA), path)
    return path


def test_a_file_and_a_folder_of_it_hold_the_same_rows(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet")
    one, folder = open_pool(str(file)), open_pool(str(tmp_path))
    assert one.select().equals(folder.select())
    assert one.count() == 15
    assert one.head(2, ["item_id"], pc.field("language") == "fi").num_rows == 2


def test_the_fingerprint_follows_the_content_not_the_place(tmp_path: Path) -> None:
    one, same, other = (
        write(tmp_path / "a.parquet"),
        write(tmp_path / "b.parquet"),
        write(tmp_path / "c.parquet", 6),
    )
    assert (
        open_pool(str(one)).fingerprint
        == open_pool(str(same)).fingerprint
        != open_pool(str(other)).fingerprint
    )
    assert open_pool("pinch12").fingerprint == open_pool("pinch12").fingerprint


def test_other_things_are_refused_with_the_way_to_a_pool(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n")
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "b.parquet")
    wrong = pa.Table.from_pylist(rows(1), schema=POOL_SCHEMA).set_column(2, "messages", pa.array(["a"] * 3))
    pq.write_table(wrong, tmp_path / "c.parquet")
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("a.jsonl", "polypinch pool import"),
        ("b.parquet", "column item_id, .* is missing"),
        ("c.parquet", "column messages is string, not list"),
        ("empty", "no Parquet file"),
        ("none", "no pool"),
    ):
        with pytest.raises(PinchError, match=message):
            open_pool(str(tmp_path / name))
