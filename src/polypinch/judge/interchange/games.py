"""Both orders of a pair together, as other tools keep them: one record per pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from polypinch.judge.protocol import ORDERS, VERDICT_SCHEMA

Row = dict[str, Any]

SHARED = ("arm", "against", "seed", "item_id", "language", "judge")
VERDICTS = "verdicts"
"""The field of a record, unknown to other tools, that holds what their own fields cannot."""


def games(verdicts: pa.Table) -> Iterator[tuple[Row, dict[str, Row]]]:
    """Join the verdicts on each pair by each judge.

    Args:
        verdicts: in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`.

    Yields:
        What the pair's verdicts share, and by order what they do not (nulls left out).

    Raises:
        ValueError: a pair was judged twice in the same order.
    """
    found: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in verdicts.to_pylist():
        seen = found.setdefault(tuple(row[name] for name in SHARED), {})
        if row["order"] in seen:
            raise ValueError(f"judged twice in the same order: {row}")
        own = {name: value for name, value in row.items() if name not in (*SHARED, "order")}
        seen[row["order"]] = {name: value for name, value in own.items() if value is not None}
    for key, seen in found.items():
        yield dict(zip(SHARED, key, strict=True)), seen


def record(shared: Row, seen: dict[str, Row]) -> Row:
    """Return the field that carries verdicts through another tool's file unchanged."""
    return {VERDICTS: {**shared, "orders": {order: seen[order] for order in ORDERS if order in seen}}}


def from_record(row: Row) -> list[Row]:
    """Return the verdicts that :func:`record` kept in a row."""
    kept = dict(row[VERDICTS])
    orders = kept.pop("orders")
    return [{**kept, "order": order, **orders[order]} for order in ORDERS if order in orders]


def table(rows: list[Row]) -> pa.Table:
    """Return verdicts as a table; what a row lacks is null."""
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)
