"""Two files of answers as pairs to be judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.answer import ANSWERS_FILE
from polypinch.conversation import response
from polypinch.errors import PinchError
from polypinch.fidelity import read_answers
from polypinch.judge.interchange import read_model_answers, read_model_outputs
from polypinch.judge.pairs import PAIR_SCHEMA, conversation
from polypinch.pool import Pool
from polypinch.reading import join_key, kind_of, read_rows

Key = tuple[str, str]
"""(item_id, language)."""


def read_pairs(ours: Path, theirs: Path, pool: Pool | None, language: str | None = None) -> pa.Table:
    """Read two files of answers as pairs.

    Args:
        ours: an answer file, a folder that ``polypinch answer`` made, AlpacaEval's ``model_outputs.json``, or
            FastChat's ``model_answer/MODEL.jsonl``, of which the first turn counts.
        theirs: the other; what only one of them has is a missing answer on the other's side.
        pool: holds the prompts and references, by item and language; without it the files must have a column
            ``prompt``, and may have ``reference``; AlpacaEval's hold their prompts, FastChat's do not.
        language: of AlpacaEval's and FastChat's answers that do not say theirs.

    Returns:
        Rows in :data:`~polypinch.judge.PAIR_SCHEMA`.

    Raises:
        PinchError: a file lacks a column or an item's prompt, or the two share no item.
    """
    sides = [_read_side(path, language) for path in (ours, theirs)]
    keys = list(dict.fromkeys([*sides[0], *sides[1]]))
    if not set(sides[0]) & set(sides[1]):
        raise PinchError(
            f"{ours} and {theirs} share no item and language", fix="their item_id and language must agree"
        )
    shown = _of_pool(pool) if pool is not None else {}
    rows = []
    for key in keys:
        found = [side.get(key) for side in sides]
        prompts = [row["prompt"] for row in found if row is not None and row.get("prompt")]
        if len({" ".join(text.split()) for text in prompts}) > 1:
            raise PinchError(
                f"item {key[0]!r} in {key[1]!r} has another prompt in {ours} than in {theirs}:"
                f" {_short(prompts[0])} and {_short(prompts[1])}",
                fix="the two answered different prompts under one id: give answers to the same",
            )
        told, reference = shown.get(key, (next(iter(prompts), None), None))
        if told is None:
            where = f"pool {pool.name}" if pool is not None else "the answer files"
            raise PinchError(
                f"item {key[0]!r} in {key[1]!r} has no prompt in {where}",
                fix="name the pool that was answered (--prompts), or add a column prompt",
            )
        references = [row.get("reference") for row in found if row is not None]
        rows.append(
            {
                "item_id": key[0],
                "language": key[1],
                "prompt": told,
                "arm_text": found[0]["text"] if found[0] else None,
                "against_text": found[1]["text"] if found[1] else None,
                "reference": reference or next((text for text in references if text), None),
            }
        )
    return pa.Table.from_pylist(rows, schema=PAIR_SCHEMA)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def _read_side(path: Path, language: str | None) -> dict[Key, dict[str, Any]]:
    ours = path / ANSWERS_FILE
    file = ours if ours.is_file() else path
    found: dict[Key, dict[str, Any]] = {}
    for row in _rows(file, language):
        key = (join_key(row["item_id"] or ""), row["language"])
        if not key[0] or key in found:
            raise PinchError(
                f"{file}: item {key[0]!r} in {key[1]!r} stands twice, or has no id",
                fix="keep one answer (sample) per item and language",
            )
        found[key] = row
    return found


def published_answers(file: Path, language: str | None = None) -> pa.Table | None:
    """Read answers as AlpacaEval's ``model_outputs.json`` or FastChat's ``model_answer/MODEL.jsonl``.

    Args:
        file: any file of rows.
        language: of answers that do not say theirs.

    Returns:
        Answers in :data:`~polypinch.answer.answers.ANSWER_SCHEMA`, of AlpacaEval's with a column ``prompt``;
        ``None`` where the first row is neither's.

    Raises:
        PinchError: naming the file and row.
    """
    if kind_of(file) == ".parquet":
        return None
    first = next((row for chunk in read_rows(str(file)) for _, row in chunk.rows), {})
    if {"instruction", "output"} <= first.keys() and "text" not in first:
        answers, prompts, _ = read_model_outputs(file, language)
        told = [prompts[row["item_id"], row["language"]] for row in answers.to_pylist()]
        return answers.append_column("prompt", pa.array(told))
    if {"question_id", "choices"} <= first.keys():
        return read_model_answers(file, language)[0]
    return None


def _rows(file: Path, language: str | None) -> list[dict[str, Any]]:
    answers = published_answers(file, language)
    if answers is None:
        answers = read_answers(file, others=["item_id"], optional=["prompt", "reference"])
    return list(answers.to_pylist())


def _of_pool(pool: Pool) -> dict[Key, tuple[str, str | None]]:
    table = pool.select(["item_id", "language", "messages"])
    columns = [table[name].to_pylist() for name in ("item_id", "language", "messages")]
    return {
        (item, tag): (conversation(messages), (response(messages) or "").strip() or None)
        for item, tag, messages in zip(*columns, strict=True)
    }
