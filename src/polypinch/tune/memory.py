"""Whether a step's activations fit, told before the first step."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import psutil
import torch
from torch import Tensor

from polypinch.tune.batches import Flat
from polypinch.tune.forward import causal_model
from polypinch.tune.loss import batch_loss

# Part of what is free that activations may take: gradients, the optimiser and the head's buffers come on top.
_SHARE = 0.5
_PER_TOKEN: WeakKeyDictionary[Any, dict[str, float]] = WeakKeyDictionary()


def saved_bytes(model: Any, batch: Flat) -> int:
    """Return the bytes that a forward pass keeps for the backward pass, weights aside.

    Args:
        model: a trainable model whose attention is :func:`~polypinch.models.attention.segmented`.
        batch: a small one; what is kept grows with its tokens.
    """
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = batch_loss(model, batch)
    del loss
    return sum(kept.values())


def free_bytes(device: torch.device) -> int:
    """Return the memory that is free on a device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def needs_checkpointing(model: Any, batch: Flat, largest: int, free: int, adapters: str = "") -> bool:
    """Tell whether activations must be computed twice because they do not fit once.

    Args:
        model: a trainable model whose attention is segmented.
        batch: a small batch to measure on.
        largest: tokens of the largest micro-batch to come.
        free: bytes free now.
        adapters: says what is tuned of the model; it is measured once for each.
    """
    known = _PER_TOKEN.setdefault(causal_model(model), {})
    if adapters not in known:
        known[adapters] = saved_bytes(model, batch) / batch.input_ids.numel()
    return known[adapters] * largest > _SHARE * free
