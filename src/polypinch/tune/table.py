"""What a tuning and a held-out loss are written as."""

from __future__ import annotations

import pyarrow as pa

SUMMARY_FILE = "summary.json"
"""What was tuned, in counts, seconds and names."""

HELDOUT_LOSS_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("nats", pa.float64()),
        ("supervised_tokens", pa.int32()),
        ("bytes", pa.int32()),
        ("bits_per_byte", pa.float64()),
    ]
)
