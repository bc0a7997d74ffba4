"""How fast this machine tunes and answers, from a few seconds' trial."""

from __future__ import annotations

import time
from typing import Any

import torch

from polypinch.answer import Sampling, TransformersEngine
from polypinch.chat import ChatFormat, Encoded
from polypinch.study.spending import Speed
from polypinch.tune import attending, batch_loss, causal_model, flatten, row_losses


def measure(model: Any, chat: ChatFormat) -> Speed:
    """Time a model, with trainable adapters in place, on a few hundred tokens.

    The first call of each warms up and is not counted.
    """
    vocabulary = min(len(chat.tokenizer), model.get_input_embeddings().weight.shape[0])
    ids = torch.randint(0, vocabulary, (96,), generator=torch.Generator().manual_seed(0)).tolist()
    rows = [Encoded.of(ids, [index >= 40 for index in range(len(ids))])] * 4
    batch = flatten(rows).to(next(model.parameters()).device)
    tokens = len(rows) * len(ids)

    def tuning() -> None:
        with attending(model):
            batch_loss(model, batch).backward()
        model.zero_grad()

    def loss() -> None:
        row_losses(model, rows)

    engine = TransformersEngine(causal_model(model), chat)
    few = Sampling(max_new_tokens=4)

    def answering() -> int:
        return sum(done.completion_tokens for done in engine.complete([ids[:48]] * 32, few, 0))

    drawn = answering()
    return Speed(
        tuned=tokens / _seconds(tuning),
        scored=tokens / _seconds(loss),
        drawn=drawn / _seconds(answering),
    )


def _seconds(work: Any) -> float:
    work()
    started = time.monotonic()
    work()
    return time.monotonic() - started
