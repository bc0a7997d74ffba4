"""What answers are written as."""

from __future__ import annotations

import pyarrow as pa

ANSWERS_FILE = "answers.parquet"

ANSWER_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("sample", pa.int32()),
        ("text", pa.string()),
        ("thought", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("engine", pa.string()),
        ("sampling", pa.string()),
    ]
)
"""One row per (item, language, sample).

``text`` is the answer alone; ``thought`` what the model thought aloud before it, empty where it did not;
``sampling`` the settings as JSON.
"""
