"""The pool's table: its columns and their values."""

from __future__ import annotations

import pyarrow as pa

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))

POOL_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("messages", MESSAGES),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("origin", pa.string()),
        ("split", pa.string()),
    ]
)
"""One row per (item, language). ``origin``: native, translated or model; ``split``: train or heldout."""

SPLITS = ("train", "heldout")
ORIGINS = ("native", "translated", "model")
