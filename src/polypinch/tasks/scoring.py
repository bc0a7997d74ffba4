"""Scores of a model on a task: answers checked, or choices weighed by their likelihood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.answer import Sampling, TransformersEngine, answer
from polypinch.chat import ChatFormat
from polypinch.conversation import Message
from polypinch.files import write_table
from polypinch.tasks.numbers import number_match
from polypinch.tasks.sets import Item, TaskSet
from polypinch.tasks.spans import exact_match, span_f1
from polypinch.tasks.spec import Metric
from polypinch.tasks.table import CHOICE_SCHEMA, CHOICES_FILE, SCORE_SCHEMA, SCORES_FILE
from polypinch.tune import row_losses

_SAME = 1e-6  # relative difference of log-probabilities that is a tie: equal sums differ by rounding


def run_task(
    tasks: TaskSet,
    model: Any,
    chat: ChatFormat,
    sampling: Sampling,
    directory: Path,
    micro_tokens: int = 512,
    label: str = "task",
) -> pa.Table:
    """Score a model on a task.

    Args:
        tasks: the items.
        model: a causal language model, tuned or not.
        chat: its chat format.
        sampling: how answers are drawn, where they are.
        directory: gets ``scores.parquet``, and ``answers.parquet`` or ``choices.parquet``. A killed run goes
            on from the answers that stand there.
        micro_tokens: tokens in one forward pass over choices.
        label: names the progress bar.

    Returns:
        Rows in :data:`SCORE_SCHEMA`.

    Raises:
        PinchError: a prompt cannot be encoded.
    """
    if tasks.is_choice:
        found = choice_likelihoods(tasks.items, model, chat, micro_tokens, label)
        write_table(directory / CHOICES_FILE, found)
        scores = score_choices(tasks, found["log_probability"].to_pylist())
    else:
        answers = answer(
            tasks.prompts(), TransformersEngine(model, chat), chat, sampling, directory, label=label
        )
        scores = score_answers(tasks, answers["text"].to_pylist())
    write_table(directory / SCORES_FILE, scores)
    return scores


def score_answers(tasks: TaskSet, texts: Sequence[str]) -> pa.Table:
    """Check answers, one per item in the task's order; return rows in :data:`SCORE_SCHEMA`."""
    rows = [
        (one.item_id, one.language, metric, _score(metric, text, one), text)
        for one, text in zip(tasks.items, texts, strict=True)
        for metric in tasks.metrics
    ]
    return _table(rows, SCORE_SCHEMA)


def _score(metric: Metric, text: str, item: Item) -> float:
    if metric == "number_match":
        return max(number_match(text, one, item.language) for one in item.right)
    return (span_f1 if metric == "f1" else exact_match)(text, item.right, item.language)


def as_answer(text: str) -> Message:
    """Return the turn in which a model gives an answer."""
    return {"role": "assistant", "content": text}


def choice_likelihoods(
    items: Sequence[Item], model: Any, chat: ChatFormat, micro_tokens: int = 512, label: str | None = None
) -> pa.Table:
    """Return how likely each choice is as the answer to its prompt, in :data:`CHOICE_SCHEMA`."""
    pairs = [(one, place, choice) for one in items for place, choice in enumerate(one.choices)]
    conversations = [[*one.messages, as_answer(choice)] for one, _, choice in pairs]
    encoded = [row.last_turn() for row in chat.encode_each(conversations)]
    nats = row_losses(model, encoded, micro_tokens, label)
    rows = [
        (one.item_id, one.language, place, -value, len(choice))
        for (one, place, choice), value in zip(pairs, nats, strict=True)
    ]
    return _table(rows, CHOICE_SCHEMA)


def score_choices(tasks: TaskSet, log_probabilities: Sequence[float]) -> pa.Table:
    """Score choices by likelihood; return rows in :data:`SCORE_SCHEMA`.

    ``accuracy`` takes the likeliest choice, ``accuracy_by_length`` the likeliest per character (near to
    acc_norm of lm-evaluation-harness). Where n choices tie, the right one among them counts 1/n.

    Args:
        tasks: the items.
        log_probabilities: of each item's choices, laid end to end.
    """
    rows = []
    left = iter(log_probabilities)
    for one in tasks.items:
        found = [next(left) for _ in one.choices]
        for metric in tasks.metrics:
            lengths = [len(choice) if metric == "accuracy_by_length" else 1 for choice in one.choices]
            each = [value / length for value, length in zip(found, lengths, strict=True)]
            top = max(each)
            best = [place for place, value in enumerate(each) if math.isclose(value, top, rel_tol=_SAME)]
            value = 1 / len(best) if one.label in best else 0.0
            rows.append((one.item_id, one.language, metric, value, one.choices[best[0]]))
    return _table(rows, SCORE_SCHEMA)


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )
