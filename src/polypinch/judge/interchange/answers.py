"""Answers as AlpacaEval's ``model_outputs.json`` and FastChat's ``model_answer/*.jsonl``, in and out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.answer import ANSWER_SCHEMA
from polypinch.conversation import encodable
from polypinch.errors import PinchError
from polypinch.files import fingerprint
from polypinch.languages import language as named
from polypinch.pool import with_context
from polypinch.reading import read_rows, row_errors

Row = dict[str, Any]
Key = tuple[str, str]
"""(item_id, language)."""

_KEPT = ("thought", "finish_reason", "prompt_tokens", "completion_tokens", "engine", "sampling")


def model_outputs(
    answers: pa.Table, prompts: Mapping[Key, str], generator: str, dataset: str = "polypinch"
) -> list[Row]:
    """Return answers as AlpacaEval's model outputs.

    Args:
        answers: in :data:`~polypinch.answer.answers.ANSWER_SCHEMA`, one sample per item and language.
        prompts: the instruction of every (item_id, language).
        generator: the model's name.
        dataset: theirs is a name for a part of the evaluation set.

    Raises:
        PinchError: an answer has no prompt, or there are several samples, of which they could hold one.
    """
    rows, seen = [], set()
    for row in answers.to_pylist():
        key = (row["item_id"], row["language"])
        if key in seen:
            raise PinchError(f"{key[0]} ({key[1]}) has several answers", fix="keep one sample per prompt")
        if key not in prompts:
            raise PinchError(f"{key[0]} ({key[1]}) has no prompt", fix="give the pool that was answered")
        seen.add(key)
        theirs = {"instruction": prompts[key], "output": row["text"], "generator": generator}
        rows.append({**theirs, "dataset": dataset, **{name: row[name] for name in row if name != "text"}})
    return rows


def read_model_outputs(path: Path, language: str | None = None) -> tuple[pa.Table, dict[Key, str], str]:
    """Read AlpacaEval's model outputs.

    Args:
        path: the file.
        language: of outputs that do not say theirs, as all but our own do not.

    Returns:
        Answers in :data:`~polypinch.answer.answers.ANSWER_SCHEMA`; the instruction of every (item_id,
        language), where the item is named by the instruction unless it has a name; and the generator.

    Raises:
        PinchError: naming the file and row.
    """
    rows: list[Row] = []
    prompts: dict[Key, str] = {}
    generators: dict[str, None] = {}
    for chunk in read_rows(str(path)):
        for number, row in chunk.rows:
            instruction, output = row.get("instruction"), row.get("output")
            generator = row.get("generator") or path.stem
            is_text = isinstance(instruction, str) and isinstance(output, str | None)
            if not is_text or not isinstance(generator, str):
                raise PinchError(
                    f"{path}: row {number}: instruction, output and generator have to be texts",
                    fix="give AlpacaEval's model_outputs.json",
                )
            with row_errors(path, number, "give AlpacaEval's model_outputs.json"):
                shown = encodable(with_context(str(instruction), row.get("input")), "instruction")
            tag = row.get("language") or language
            if tag is None:
                raise PinchError(f"{path}: row {number}: no language", fix="say it with --language")
            key = (str(row.get("item_id") or fingerprint(shown)[:16]), named(tag).tag)
            if key in prompts:
                raise PinchError(f"{path}: row {number}: {key[0]} ({key[1]}) is answered twice")
            prompts[key] = shown
            generators[generator] = None
            known = {name: row.get(name) for name in ANSWER_SCHEMA.names}
            rows.append({**known, "sample": known["sample"] or 0, "item_id": key[0], "language": key[1]})
            rows[-1]["text"] = output
    if len(generators) != 1:
        raise PinchError(f"{path}: outputs of {', '.join(generators) or 'nobody'}", fix="one model per file")
    with row_errors(path, None, "give AlpacaEval's model_outputs.json"):
        return pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA), prompts, next(iter(generators))


def model_answers(answers: pa.Table, model: str) -> list[Row]:
    """Return answers as FastChat's, one row per item and language, a choice for each sample.

    Args:
        answers: in :data:`~polypinch.answer.answers.ANSWER_SCHEMA`.
        model: the model's name.
    """
    rows: dict[tuple[str, str], Row] = {}
    for row in answers.to_pylist():
        item, tag = row["item_id"], row["language"]
        base = {"question_id": item, "answer_id": f"{model}/{item}/{tag}", "model_id": model, "choices": []}
        found = rows.setdefault((item, tag), {**base, "tstamp": 0.0, "language": tag})
        found["choices"].append(
            {"index": row["sample"], "turns": [row["text"]], **{name: row.get(name) for name in _KEPT}}
        )
    return list(rows.values())


def _first_turn(turns: Any) -> str:
    """Return the first turn's text, however turns are written: as texts, as objects, or as one text alone."""
    if isinstance(turns, str):
        return turns
    turn = turns[0]
    if isinstance(turn, dict):
        turn = turn["content"] if "content" in turn else turn["text"]
    if isinstance(turn, bool | int | float):
        return str(turn)
    if not isinstance(turn, str):
        raise TypeError(f"a turn is {type(turn).__name__}, text is needed")
    return turn


_FIELDS = "a row has question_id, model_id and choices, each with index and turns"


def read_model_answers(path: Path, language: str | None = None) -> tuple[pa.Table, str]:
    """Read FastChat's answers, of the first turn.

    Args:
        path: the file.
        language: of answers that do not say theirs.

    Returns:
        Answers in :data:`~polypinch.answer.answers.ANSWER_SCHEMA`, and the model's name.

    Raises:
        PinchError: naming the file and row.
    """
    rows: list[Row] = []
    models: dict[str, None] = {}
    for chunk in read_rows(str(path)):
        for number, row in chunk.rows:
            tag = row.get("language") or language
            if tag is None:
                raise PinchError(f"{path}: row {number}: no language", fix="say it with --language")
            try:
                shared = {"item_id": str(row["question_id"]), "language": named(tag).tag}
                for one in row["choices"]:
                    kept = {name: one.get(name) for name in _KEPT}
                    rows.append({**shared, "sample": one["index"], "text": _first_turn(one["turns"]), **kept})
                models[str(row["model_id"])] = None
            except (LookupError, TypeError, AttributeError) as error:
                raise PinchError(
                    f"{path}: row {number}: not FastChat's: {type(error).__name__}: {error}", fix=_FIELDS
                ) from error
    if len(models) != 1:
        raise PinchError(f"{path}: answers of {', '.join(models) or 'nobody'}", fix="one model per file")
    with row_errors(path, None, _FIELDS):
        return pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA), next(iter(models))
