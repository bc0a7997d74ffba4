"""What the scripts share. Each is run as ``SCRIPT EXPORT MODEL RESULT``: the folder that we wrote, the model.

They count by language the tokens of each row, and those that are learnt, and know nothing of polypinch.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

IGNORED = -100


def arguments() -> tuple[Path, str]:
    """Return the rows' folder, where work goes on, as its entries name files there, and the model's."""
    export, model = Path(sys.argv[1]).resolve(), sys.argv[2]
    model = str(Path(model).resolve()) if Path(model).exists() else model
    sys.argv[3] = str(Path(sys.argv[3]).resolve())
    os.chdir(export)
    return export, model


def finish(rows: Iterable[tuple[Sequence[int], Sequence[int]]], **more: Any) -> None:
    """Write the counts of rows (input_ids, labels), which are in the file's order, and what else there is."""
    lines = [json.loads(line) for line in Path("train.jsonl").read_text(encoding="utf-8").splitlines()]
    tokens: Counter[str] = Counter()
    learnt: Counter[str] = Counter()
    whole = list(rows)
    assert len(whole) == len(lines), f"{len(whole)} rows of {len(lines)}"
    for line, (ids, labels) in zip(lines, whole, strict=True):
        tokens[line["language"]] += len(ids)
        learnt[line["language"]] += sum(label != IGNORED for label in labels)
    Path(sys.argv[3]).write_text(json.dumps({"tokens": tokens, "learnt": learnt, "rows": len(whole), **more}))
