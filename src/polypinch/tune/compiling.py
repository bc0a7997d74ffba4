"""Compiling the parts of a model that are many small passes over the same numbers, where it pays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

# Norms and gated activations are chains of element-wise passes; everything else is a matrix product already.
_PARTS = ("RMSNorm", "MLP")
# Weights of the body times tokens, forward and backward. Compiling took 5 to 8 s and saved 7 to 9 % of a
# step on two cores, so that they must have at least 100 s before them.
WORTHWHILE = 1e13


def pays(body: Any, tokens: int) -> bool:
    """Tell whether a tuning over so many tokens is long enough for compiling to pay.

    It depends on the work alone, not on a measured time, so that a resumed run computes as the first did.
    """
    weights = sum(weight.numel() for name, weight in body.named_parameters() if "embed_tokens" not in name)
    on_cpu = next(body.parameters()).device.type == "cpu"
    return on_cpu and weights * tokens >= WORTHWHILE and shutil.which("g++") is not None


@contextmanager
def compiled(body: Any, wanted: bool) -> Iterator[None]:
    """Run a model's norms and feed-forward blocks compiled; as they were afterwards.

    Shapes are dynamic and torch keeps compiled code in memory and on disk, so a study pays once.
    """
    parts = [part for part in body.modules() if wanted and type(part).__name__.endswith(_PARTS)]
    for part in parts:
        part.compile(dynamic=True)
    try:
        with torch._dynamo.config.patch(recompile_limit=64):
            yield
    finally:
        for part in parts:
            part._compiled_call_impl = None
