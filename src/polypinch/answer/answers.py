"""Prompts to a table of answers, batch by batch, resumable in the middle."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from polypinch.answer.engine import Completion, Engine
from polypinch.answer.http import HttpEngine, Question, Reply
from polypinch.answer.log import AnswerLog
from polypinch.answer.sampling import Sampling
from polypinch.answer.table import ANSWER_SCHEMA, ANSWERS_FILE
from polypinch.chat import ChatFormat
from polypinch.conversation import prompt
from polypinch.errors import PinchError
from polypinch.files import canonical_json, read_table, write_table
from polypinch.progress import Bar, bar
from polypinch.thoughts import Said, split_thought

_LOG = "answers.jsonl"


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
    engine: Engine | HttpEngine,
    chat: ChatFormat | None,
    sampling: Sampling,
    directory: Path,
    label: str = "answer",
) -> pa.Table:
    """Answer prompts, keeping every finished batch.

    Called again after a kill with the same arguments and directory, it draws only what is missing; the
    seed of a batch is its own, so the answers are those of an undisturbed run. A server is asked for each
    answer alone, with a seed of its own.

    Args:
        rows: n rows with ``item_id``, ``language`` and ``messages``; a final assistant turn is not shown.
        engine: what answers.
        chat: the model's chat format; ``None`` where a server has it.
        sampling: the settings.
        directory: ``shards/`` under it holds finished batches until all are; then ``answers.parquet``.
        label: names the progress bar.

    Returns:
        n × samples rows in :data:`ANSWER_SCHEMA`, in the order of ``rows``.

    Raises:
        PinchError: there is nothing to answer, the settings contradict each other, or a server gave no
            answer; what was answered is kept.
    """
    if not rows.num_rows:
        raise PinchError("there is no prompt to answer", fix="choose items and languages that the pool has")
    if sampling.samples > 1 and sampling.temperature == 0:
        raise PinchError("several samples at temperature 0 are all the same", fix="set a temperature")
    shards = directory / "shards"
    with bar(label, rows.num_rows * sampling.samples) as shown:
        if isinstance(engine, HttpEngine):
            _ask(rows, engine, sampling, shards, shown)
        else:
            assert chat is not None
            _draw(rows, engine, chat, sampling, shards, shown)
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
    write_table(directory / ANSWERS_FILE, table)
    shutil.rmtree(shards)
    return table


def _draw(
    rows: pa.Table, engine: Engine, chat: ChatFormat, sampling: Sampling, shards: Path, shown: Bar
) -> None:
    """Let an engine complete what is missing, batch by batch."""
    prompts = [chat.encode_prompt(prompt(messages)) for messages in rows["messages"].to_pylist()]
    for number, group in enumerate(batches([len(tokens) for tokens in prompts], sampling)):
        shard = shards / f"{number:06}.parquet"
        if not shard.exists():
            completions = engine.complete(
                [prompts[request.row] for request in group], sampling, _seed(f"{sampling.seed}/{number}")
            )
            _keep(shard, [(request.row, request.sample) for request in group], completions)
        shown.advance(len(group))


def _ask(rows: pa.Table, engine: HttpEngine, sampling: Sampling, shards: Path, shown: Bar) -> None:
    """Ask a server for what is missing; each answer is on the disk before the next one is asked for."""
    log = AnswerLog(shards / _LOG)
    places = [
        (row, sample)
        for row in range(rows.num_rows)
        for sample in range(sampling.samples)
        if (row, sample) not in log.places
    ]
    shown.advance(len(log.places))
    prompts = rows.select(["item_id", "language", "messages"]).to_pylist()
    questions = [
        Question(
            f"{prompts[row]['item_id']} ({prompts[row]['language']})",
            prompt(prompts[row]["messages"]),
            _seed(f"{sampling.seed}/{row}/{sample}"),
        )
        for row, sample in places
    ]

    def answered(place: int, reply: Reply) -> None:
        log.append(*places[place], reply)
        shown.advance()

    with log.writing():
        engine.converse(questions, sampling, answered)
    answers = log.read()
    _keep(shards / "000000.parquet", list(answers), list(answers.values()))


def _seed(of: str) -> int:
    return int.from_bytes(hashlib.sha256(of.encode()).digest()[:4], "big")


def _keep(shard: Path, places: list[tuple[int, int]], answers: Sequence[Completion | Reply]) -> None:
    texts = [_said(one) for one in answers]
    columns = {
        "row": pa.array([row for row, _ in places], pa.int64()),
        "sample": pa.array([sample for _, sample in places], pa.int32()),
        "text": pa.array([said.answer if said else None for said in texts], pa.string()),
        "thought": pa.array([said.thought if said else None for said in texts], pa.string()),
        "finish_reason": pa.array([one.finish_reason for one in answers], pa.string()),
        "prompt_tokens": pa.array([one.prompt_tokens for one in answers], pa.int32()),
        "completion_tokens": pa.array([one.completion_tokens for one in answers], pa.int32()),
    }
    write_table(shard, pa.table(columns))


def _said(answered: Completion | Reply) -> Said | None:
    """Return an answer and the thought before it; ``None`` where the answer was withheld."""
    if isinstance(answered, Completion):
        return Said(answered.thought, answered.text)
    return None if answered.text is None else split_thought(answered.text)
