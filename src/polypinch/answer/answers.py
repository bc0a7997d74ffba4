"""Prompts to a table of answers, batch by batch, resumable in the middle."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from polypinch.answer.engine import Engine
from polypinch.answer.sampling import Sampling
from polypinch.chat.format import ChatFormat
from polypinch.errors import PinchError
from polypinch.files import canonical_json, read_table, write_table
from polypinch.pool.table import prompt
from polypinch.progress import bar

ANSWER_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("sample", pa.int32()),
        ("text", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("engine", pa.string()),
        ("sampling", pa.string()),
    ]
)
"""One row per (item, language, sample); ``sampling`` is the settings as JSON."""


class Request(NamedTuple):
    """One answer to be drawn: where its prompt stands, which sample it is, and the prompt's length."""

    row: int
    sample: int
    tokens: int


def batches(lengths: list[int], sampling: Sampling) -> list[list[Request]]:
    """Group prompts of like length under the token budget; the longest come first.

    The longest first: a batch that does not fit in memory fails at the start, not after hours.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    requests = [
        Request(row=row, sample=s, tokens=lengths[row]) for row in order for s in range(sampling.samples)
    ]
    groups: list[list[Request]] = []
    for request in requests:
        wide = groups[-1][0].tokens + sampling.max_new_tokens if groups else 0
        if not groups or wide * (len(groups[-1]) + 1) > sampling.batch_tokens:
            groups.append([])
        groups[-1].append(request)
    return groups


def answer(
    rows: pa.Table,
    engine: Engine,
    chat: ChatFormat,
    sampling: Sampling,
    directory: Path,
    label: str = "answer",
) -> pa.Table:
    """Answer prompts, keeping every finished batch.

    Called again after a kill with the same arguments and directory, it draws only what is missing; the
    seed of a batch is its own, so the answers are those of an undisturbed run.

    Args:
        rows: n rows with ``item_id``, ``language`` and ``messages``; a final assistant turn is not shown.
        engine: what answers.
        chat: the model's chat format.
        sampling: the settings.
        directory: ``shards/`` under it holds finished batches until all are; then ``answers.parquet``.
        label: names the progress bar.

    Returns:
        n × samples rows in :data:`ANSWER_SCHEMA`, in the order of ``rows``.

    Raises:
        PinchError: there is nothing to answer, or the settings contradict each other.
    """
    if not rows.num_rows:
        raise PinchError("there is no prompt to answer", fix="choose items and languages that the pool has")
    if sampling.samples > 1 and sampling.temperature == 0:
        raise PinchError("several samples at temperature 0 are all the same", fix="set a temperature")
    prompts = [chat.encode_prompt(prompt(messages)) for messages in rows["messages"].to_pylist()]
    groups = batches([len(tokens) for tokens in prompts], sampling)
    shards = directory / "shards"
    total = sum(len(group) for group in groups)
    with bar(label, total) as shown:
        for number, group in enumerate(groups):
            shard = shards / f"{number:06}.parquet"
            if not shard.exists():
                digest = hashlib.sha256(f"{sampling.seed}/{number}".encode()).digest()
                completions = engine.complete(
                    [prompts[request.row] for request in group], sampling, int.from_bytes(digest[:4], "big")
                )
                write_table(
                    shard,
                    pa.table(
                        {
                            "row": [request.row for request in group],
                            "sample": pa.array([request.sample for request in group], pa.int32()),
                            "text": [c.text for c in completions],
                            "finish_reason": [c.finish_reason for c in completions],
                            "prompt_tokens": pa.array([c.prompt_tokens for c in completions], pa.int32()),
                            "completion_tokens": pa.array(
                                [c.completion_tokens for c in completions], pa.int32()
                            ),
                        }
                    ),
                )
            shown.advance(len(group))
    drawn = pa.concat_tables([read_table(path) for path in sorted(shards.glob("*.parquet"))])
    drawn = drawn.sort_by([("row", "ascending"), ("sample", "ascending")])
    table = pa.table(
        {
            "item_id": rows["item_id"].take(drawn["row"]),
            "language": rows["language"].take(drawn["row"]),
            **{name: drawn[name] for name in drawn.column_names if name != "row"},
            "engine": [engine.name] * drawn.num_rows,
            "sampling": [canonical_json(sampling.model_dump(mode="json"))] * drawn.num_rows,
        }
    ).cast(ANSWER_SCHEMA)
    write_table(directory / "answers.parquet", table)
    shutil.rmtree(shards)
    return table
