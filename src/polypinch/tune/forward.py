"""How a model reads a batch: rows end to end, or padded where it attends in a way of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from polypinch.chat import Encoded
from polypinch.errors import PinchError
from polypinch.models import SEGMENTED, segmented
from polypinch.processes import world
from polypinch.progress import say
from polypinch.tune.batches import Flat, flatten

# Two sums in bf16 may differ by so much of what they are.
_LIKE = 0.05


class Way(StrEnum):
    """How a model reads a batch.

    ``segments``: its rows end to end, through our attention and our head. ``padded``: side by side, through
    all of the model's own, which takes longer and more memory.
    """

    segments = "segments"
    padded = "padded"


_WAYS: WeakKeyDictionary[Any, Way] = WeakKeyDictionary()


class Halves(NamedTuple):
    """A causal model in two.

    Attributes:
        body: ids to states.
        head: a linear layer; states to logits.
        soft_cap: of the logits, or ``None``.
        scale: states are multiplied by it before the head, as some families scale their logits.
    """

    body: Any
    head: Any
    soft_cap: float | None
    scale: float


def causal_model(model: Any) -> Any:
    """Return transformers' own model within peft's or a parallel wrapper."""
    model = getattr(model, "module", model)
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def halves(model: Any) -> Halves:
    """Return a causal model's body and head, adapters in place.

    Raises:
        PinchError: its head is no plain linear layer.
    """
    body, head = model.get_decoder(), model.get_output_embeddings()
    # Sharded, its class is one of Linear's own; adapted by peft or quantised, its weight is another thing.
    if not isinstance(head, torch.nn.Linear) or not head.weight.is_floating_point():
        raise PinchError(
            f"the output head is a {type(head).__name__}; only a plain linear head can be tuned through",
            fix="leave lm_head out of the adapter's targets",
        )
    # Cohere multiplies its logits, Granite divides them.
    scale = getattr(model.config, "logit_scale", None) or 1
    divisor = getattr(model.config, "logits_scaling", None) or 1
    known = isinstance(scale, int | float) and isinstance(divisor, int | float)
    factor = scale / divisor if known else 1.0
    return Halves(body, head, getattr(model.config, "final_logit_softcapping", None), factor)


def states_of(body: Any, batch: Flat, scale: float = 1.0) -> Tensor:
    """Return the states, (n, d), whose next token is supervised, times ``scale``."""
    output = body(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        segments=batch.segments,
        use_cache=False,
    )
    states: Tensor = output.last_hidden_state[0, batch.keep]
    return states if scale == 1 else states * scale


def padded_losses(model: Any, batch: Flat) -> Tensor:
    """Return the cross-entropy of each supervised position, (n,) in fp32, by the model's own forward pass."""
    ids, mask, rows, places = _padded(batch)
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    chosen = logits[rows[batch.keep], places[batch.keep]]
    return cross_entropy(chosen.float(), batch.labels, reduction="none")


def _padded(batch: Flat) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return a batch's rows side by side, (n, longest), their mask, and each token's row and place there."""
    lengths = batch.segments.lengths
    device = batch.input_ids.device
    rows = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths)).to(device)
    places = batch.position_ids[0]
    ids = torch.zeros(len(lengths), max(lengths), dtype=torch.long, device=device)
    mask = torch.zeros_like(ids)
    ids[rows, places] = batch.input_ids[0]
    mask[rows, places] = 1
    return ids, mask, rows, places


@contextmanager
def attending(model: Any) -> Iterator[None]:
    """Let a model attend as its way of reading needs, and as before afterwards.

    Args:
        model: a causal model, adapted or not.

    Raises:
        PinchError: it cannot be read rightly in either way.
    """
    inner = causal_model(model)
    if way(inner) is Way.padded:
        yield
    else:
        with segmented(inner):
            yield


def way(model: Any) -> Way:
    """Return how a model reads a batch.

    Asked of the model rather than of a list of names: rows end to end must give the logits that the model's
    own forward pass gives. Asked once, and not of several processes' shares of one.

    Raises:
        PinchError: rows that stand padded beside others give other logits than alone: such a model cannot be
            tuned or measured rightly.
    """
    if model not in _WAYS:
        if world() > 1 or model.config._attn_implementation == SEGMENTED:
            return Way.segments  # someone has chosen already
        _WAYS[model] = _ask(model)
        if _WAYS[model] is Way.padded:
            say(f"{type(model).__name__} attends in a way of its own: rows are padded, which takes longer")
    return _WAYS[model]


@torch.inference_mode()
def _ask(model: Any) -> Way:
    training = model.training
    model.eval()
    device = model.get_input_embeddings().weight.device
    rows = [[5, 6, 7, 8, 9, 10, 5, 7], [11, 12, 13]]
    batch = flatten([Encoded.of(ids, [True] * len(ids)) for ids in rows]).to(device)
    try:
        alone = [model(input_ids=torch.tensor([ids], device=device), use_cache=False) for ids in rows]
        expected = torch.cat([output.logits[0, :-1].float() for output in alone])
        if _near(_end_to_end(model, batch), expected):
            return Way.segments
        ids, mask, row_of, places = _padded(batch)
        beside = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        if _near(beside[row_of, places][batch.keep].float(), expected):
            return Way.padded
    finally:
        model.train(training)
    raise PinchError(
        f"{type(model).__name__} answers a padded row otherwise than the row alone, so it cannot be tuned",
        fix="choose another base model",
    )


def _end_to_end(model: Any, batch: Flat) -> Tensor | None:
    """Return the logits of rows end to end; ``None`` where the model cannot read them so."""
    try:
        body, head, soft_cap, scale = halves(model)
        with segmented(model):
            logits = head(states_of(body, batch, scale)).float()
    except (PinchError, TypeError, ValueError, AttributeError, KeyError, RuntimeError, IndexError):
        return None
    return logits if soft_cap is None else soft_cap * torch.tanh(logits / soft_cap)


def _near(found: Tensor | None, expected: Tensor) -> bool:
    return found is not None and bool((found - expected).norm() <= _LIKE * expected.norm())
