"""What a task's scores are written as."""

from __future__ import annotations

import pyarrow as pa

SCORES_FILE, CHOICES_FILE = "scores.parquet", "choices.parquet"

SCORE_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("answer", pa.string()),
    ]
)
"""One row per (item, language, metric). ``answer``: what was written, or the likeliest choice."""

CHOICE_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("choice", pa.int32()),
        ("log_probability", pa.float64()),
        ("characters", pa.int32()),
    ]
)
"""One row per (item, language, choice); natural logarithms, the end of the turn included."""
