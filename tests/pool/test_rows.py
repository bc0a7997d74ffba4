from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import polypinch.pool.pool as module
from polypinch.errors import PinchError
from polypinch.pool import POOL_SCHEMA, Pool
from tests.pool.small import rows

TAGS = ["en", "fi"]
LAYOUTS = ["memory", "file", "folder of unlike files"]


def made(tmp_path: Path, layout: str, table: pa.Table) -> Pool:
    if layout == "memory":
        return Pool.from_table(table, "small")
    if layout == "file":
        pq.write_table(table, tmp_path / "pool.parquet", row_group_size=7)
        return Pool.from_parquet(tmp_path / "pool.parquet")
    half = table.num_rows // 2
    pq.write_table(table[:half], tmp_path / "a.parquet", row_group_size=7)
    large = table[half:].set_column(3, "source", table["source"][half:].cast(pa.large_string()))
    pq.write_table(large.select(POOL_SCHEMA.names[::-1]), tmp_path / "b.parquet")
    return Pool.from_parquet(tmp_path)


def table_of(found: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(found, schema=POOL_SCHEMA)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_found_are_the_training_rows_in_order(tmp_path: Path, layout: str) -> None:
    held = [{**row, "split": "heldout"} for row in rows(3)]
    nowhere = [{**row, "language": None, "split": None} for row in rows(3)]
    train = [{**row, "split": "train"} for row in rows(20)]
    pool = made(tmp_path, layout, table_of([*held, *nowhere, *train, *train[:9]]))
    chosen = sorted({row["item_id"] for row in train})[:9:2]

    found = pool.find(pa.array([*chosen, "no such item"]), TAGS)

    expected = [row for row in [*train, *train[:9]] if row["item_id"] in chosen and row["language"] in TAGS]
    pairs = [(row["item_id"], row["language"]) for row in expected]
    assert [pair for part in found for pair in part.pairs()] == pairs
    wanted = set(pairs[1::2])
    some = [part.only(wanted) for part in found]
    unpacked = pa.concat_tables(pool.unpack(some, ["messages", "source"]))
    assert unpacked.schema == pa.schema([POOL_SCHEMA.field("messages"), POOL_SCHEMA.field("source")])
    assert unpacked.to_pylist() == [
        {"messages": row["messages"], "source": row["source"]}
        for row in expected
        if (row["item_id"], row["language"]) in wanted
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pool_without_some_items_has_them_nowhere(tmp_path: Path, layout: str) -> None:
    train = [{**row, "split": "train"} for row in rows(6)]
    items = sorted({row["item_id"] for row in train})
    whole = made(tmp_path, layout, table_of(train))

    pool = whole.without(pa.array(items[:2]), "some").without(pa.array(items[2:3]), "more")

    assert {item for part in pool.find(pa.array(items), TAGS) for item, _ in part.pairs()} == set(items[3:])
    assert set(pool.select()["item_id"].to_pylist()) == set(pool.head(99)["item_id"].to_pylist())
    assert pool.split_languages() == {"train": {"en": 3, "fi": 3, "ru": 3}}
    assert pool.count() == 9
    assert whole.count() == 18


@pytest.fixture
def may_hash(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Hold fingerprints of files back until it is set."""
    allowed, plain = Event(), module.file_sha256

    def slow(path: Path) -> str:
        assert allowed.wait(30)
        return plain(path)

    monkeypatch.setattr(module, "file_sha256", slow)
    return allowed


def test_rows_are_counted_while_the_fingerprint_is_taken(tmp_path: Path, may_hash: Event) -> None:
    whole = made(tmp_path, "file", table_of(rows(4)))
    may_hash.set()
    known = whole.fingerprint
    may_hash.clear()

    pool = Pool.from_parquet(tmp_path / "pool.parquet")
    assert pool.count() == 12
    may_hash.set()
    assert pool.fingerprint == known == pool.fingerprint


def test_a_file_that_vanishes_before_its_fingerprint_is_named(tmp_path: Path, may_hash: Event) -> None:
    pool = made(tmp_path, "file", table_of(rows(4)))
    (tmp_path / "pool.parquet").unlink()
    may_hash.set()
    with pytest.raises(PinchError, match=r"pool\.parquet: not readable: No such file"):
        _ = pool.fingerprint
