"""How fast this machine tunes and answers, from a few seconds' trial."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from polypinch.chat import ChatFormat, Encoded
from polypinch.tune.batches import flatten
from polypinch.tune.loss import batch_loss, row_losses


@dataclass(frozen=True)
class Speed:
    """Tokens per second of each kind of work.

    Attributes:
        tuning: forward and backward.
        loss: forward only.
        answering: drawn tokens, for a batch of 32.
    """

    tuning: float
    loss: float
    answering: float


def measure(model: Any, chat: ChatFormat) -> Speed:
    """Time a model, with trainable adapters in place, on a few hundred tokens.

    The first call of each warms up and is not counted.
    """
    vocabulary = min(len(chat.tokenizer), model.get_input_embeddings().weight.shape[0])
    ids = torch.randint(0, vocabulary, (96,), generator=torch.Generator().manual_seed(0)).tolist()
    rows = [Encoded(np.array(ids, np.int32), np.arange(len(ids)) >= 40, False)] * 4
    batch = flatten(rows).to(next(model.parameters()).device)
    tokens = len(rows) * len(ids)

    def tuning() -> None:
        batch_loss(model, batch).backward()
        model.zero_grad()

    def loss() -> None:
        row_losses(model, rows)

    prompts = torch.tensor([ids[:48]] * 32, device=batch.input_ids.device)

    def answering() -> None:
        with torch.inference_mode():
            model.generate(
                input_ids=prompts,
                attention_mask=torch.ones_like(prompts),
                max_new_tokens=4,
                min_new_tokens=4,
                do_sample=False,
                pad_token_id=chat.pad_id,
            )

    handle = model.get_output_embeddings().register_forward_pre_hook(
        lambda _, inputs: (inputs[0].contiguous(),)
    )
    try:
        return Speed(tokens / _seconds(tuning), tokens / _seconds(loss), 32 * 4 / _seconds(answering))
    finally:
        handle.remove()


def _seconds(work: Any) -> float:
    work()
    started = time.monotonic()
    work()
    return time.monotonic() - started
