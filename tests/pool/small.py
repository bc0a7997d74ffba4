"""Small pools for the tests of this room."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.pool import POOL_SCHEMA, Pool, open_pool


def rows(items: int = 30, languages: tuple[str, ...] = ("en", "fi", "ru")) -> list[dict[str, Any]]:
    """Some rows of pinch12, to be spoiled."""
    table = open_pool("pinch12").select().to_pylist()
    chosen = sorted({row["item_id"] for row in table})[:items]
    return [row for row in table if row["item_id"] in chosen and row["language"] in languages]


def find(table: list[dict[str, Any]], item: str, tag: str) -> dict[str, Any]:
    return next(row for row in table if row["item_id"] == item and row["language"] == tag)


def pool(table: list[dict[str, Any]]) -> Pool:
    return Pool.from_table(pa.Table.from_pylist(table, schema=POOL_SCHEMA), "small")


def write_lines(path: Path, objects: Iterable[Any]) -> Path:
    path.write_text(
        "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in objects), encoding="utf-8"
    )
    return path


def read_pool(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = open_pool(str(path)).select().to_pylist()
    return found


def texts(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in row["messages"]]
