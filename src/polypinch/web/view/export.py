"""What is shown, as files: CSV that no spreadsheet takes for formulas, and JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from polypinch.terminal import cell
from polypinch.web.view.index import Answer

COLUMNS = (
    "model", "arm", "seed", "item_id", "language", "sample", "prompt", "text", "thought", "finish_reason",
    "in_language", "response_language", "marks",
)  # fmt: skip


def rows(answers: Iterable[Answer], prompts: Mapping[tuple[str, str], str]) -> Iterator[dict[str, Any]]:
    """Yield answers as rows of :data:`COLUMNS`."""
    for one in answers:
        tuned = one.run.tuned
        values = (
            tuned.model, tuned.arm, tuned.seed, one.item_id, one.language, one.sample,
            prompts.get((one.item_id, one.language)), one.text, one.thought, one.finish_reason,
            one.in_language, one.response_language, list(one.marks),
        )  # fmt: skip
        yield dict(zip(COLUMNS, values, strict=True))


def as_csv(lines: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield CSV, line by line, its header first."""
    yield _csv(COLUMNS)
    for line in lines:
        yield _csv({**line, "marks": "; ".join(line["marks"])}.values())


def _csv(values: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(value) for value in values])
    return out.getvalue()


def as_json_lines(lines: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield JSON Lines."""
    for line in lines:
        yield json.dumps(line, ensure_ascii=False) + "\n"
