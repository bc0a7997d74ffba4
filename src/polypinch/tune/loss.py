"""Loss over rows laid end to end, for training and for held-out text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from polypinch.chat import ChatFormat, Encoded
from polypinch.conversation import Messages, response
from polypinch.errors import PinchError
from polypinch.progress import track
from polypinch.thoughts import answer_of
from polypinch.tune.batches import Flat, by_token_budget, flatten
from polypinch.tune.forward import Way, attending, causal_model, halves, padded_losses, states_of, way
from polypinch.tune.head import position_losses, summed_loss
from polypinch.tune.table import HELDOUT_LOSS_SCHEMA


def batch_loss(model: Any, batch: Flat) -> Tensor:
    """Return the cross-entropy in nats, summed over a batch's supervised tokens (a scalar).

    The model must be :func:`~polypinch.tune.forward.attending`, from here to the end of the backward pass.
    """
    inner = causal_model(model)
    if way(inner) is Way.padded:
        return padded_losses(inner, batch).sum()
    body, head, soft_cap, scale = halves(inner)
    return summed_loss(states_of(body, batch, scale), head.weight, batch.labels, head.bias, soft_cap)


@contextmanager
def loss_as_forward(model: Any) -> Iterator[None]:
    """Make calling a model, and within it its head, return what :func:`batch_loss` does.

    A sharded model gathers a module's weights when the module is called, and nowhere else.
    """
    body, head, soft_cap, scale = halves(causal_model(model))

    def of_head(states: Tensor, labels: Tensor) -> Tensor:
        return summed_loss(states, head.weight, labels, head.bias, soft_cap)

    def of_model(batch: Flat) -> Tensor:
        loss: Tensor = head(states_of(body, batch, scale), batch.labels)
        return loss

    head.forward, model.forward = of_head, of_model
    try:
        yield
    finally:
        del head.forward, model.forward


@torch.inference_mode()
def row_losses(
    model: Any, rows: Sequence[Encoded], micro_tokens: int = 512, label: str | None = None
) -> list[float]:
    """Return each row's cross-entropy in nats, summed over its supervised tokens."""
    inner = causal_model(model)
    place = inner.get_input_embeddings().weight.device
    model.eval()
    losses = [0.0] * len(rows)
    parts = by_token_budget([len(row) for row in rows], micro_tokens)
    with attending(inner):
        for part in track(parts, label) if label else parts:
            batch = flatten([rows[index] for index in part]).to(place)
            if not len(batch.labels):
                continue
            if way(inner) is Way.padded:
                each = padded_losses(inner, batch)
            else:
                body, head, soft_cap, scale = halves(inner)
                states = states_of(body, batch, scale)
                each = position_losses(states, head.weight, batch.labels, head.bias, soft_cap)
            sums = torch.zeros(len(part), dtype=torch.float64).index_add_(
                0, batch.rows.cpu(), each.double().cpu()
            )
            for index, value in zip(part, sums.tolist(), strict=True):
                losses[index] = value
    return losses


def heldout_loss(
    model: Any,
    chat: ChatFormat,
    rows: pa.Table,
    micro_tokens: int = 512,
    label: str | None = "held-out loss",
) -> pa.Table:
    """Measure how well a model predicts reference responses, in bits per byte.

    Bits per byte do not depend on how a tokenizer cuts a language, so languages can be compared.
    The end-of-turn token counts in the bits and as no byte; a thought before a response in neither. Nothing
    is truncated: bits of a part over bytes of the whole would flatter languages that need many tokens.

    Args:
        model: a causal language model, tuned or not.
        chat: its chat format.
        rows: n rows with ``item_id``, ``language`` and ``messages``, each ending in a response.
        micro_tokens: tokens in one forward pass.
        label: names the progress bar; ``None`` shows none.

    Returns:
        n rows in :data:`HELDOUT_LOSS_SCHEMA`, in the order given.

    Raises:
        PinchError: a row has no response.
    """
    conversations = [_without_thought(messages) for messages in rows["messages"].to_pylist()]
    texts = [response(messages) for messages in conversations]
    for item, tag, text in zip(rows["item_id"].to_pylist(), rows["language"].to_pylist(), texts, strict=True):
        if not (text or "").strip():
            raise PinchError(
                f"held-out item {item!r} in {tag!r} has no response, so its loss cannot be measured",
                fix="add reference responses, or turn the held-out loss off",
            )
    # Only the last response is the reference: earlier turns are context.
    encoded = [row.last_turn() for row in chat.encode_each(conversations)]
    nats = row_losses(model, encoded, micro_tokens, label)
    sizes = [len((text or "").strip().encode()) for text in texts]
    bits = [value / size / 0.6931471805599453 for value, size in zip(nats, sizes, strict=True)]
    counts = [row.supervised_tokens for row in encoded]
    columns = [rows["item_id"], rows["language"], nats, counts, sizes, bits]
    return pa.table(
        [pa.array(c, f.type) if isinstance(c, list) else c.combine_chunks() for c, f in
         zip(columns, HELDOUT_LOSS_SCHEMA, strict=True)],
        schema=HELDOUT_LOSS_SCHEMA,
    )  # fmt: skip


def _without_thought(messages: Messages) -> Messages:
    last = messages[-1]
    if last["role"] != "assistant":
        return messages
    answer = answer_of(last["content"])
    return messages if answer == last["content"] else [*messages[:-1], {**last, "content": answer}]
