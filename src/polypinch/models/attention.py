"""Attention over rows laid end to end: each row sees itself alone, and nothing is padded.

Plugged into transformers by name, so every model that takes its attention from ``AttentionInterface`` can be
used as it is. On a CPU each row goes through torch's fused attention, short ones that are tuned on through
:mod:`~polypinch.models.short_attention`; on a GPU all go through torch's variable-length flash attention
at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from polypinch.errors import PinchError
from polypinch.models.short_attention import band, is_short, short_attention

SEGMENTED = "polypinch_segments"
# Layers that carry a state from token to token, by their type in a configuration and by their class.
_RECURRENT = re.compile(r"linear|mamba|conv|recurrent|ssm|rwkv|lstm|delta", re.IGNORECASE)
_STATEFUL = re.compile(r"Mamba|Rwkv|[ms]LSTM|Recurrent|DeltaNet|ShortConv|LinearAttention|LightningAttention")
_KNOWN_LAYERS = {"full_attention", "sliding_attention"}
_FLASH_WIDTH = 256


@dataclass(frozen=True)
class Segments:
    """Where rows laid end to end begin and end.

    Hand it to a model's body as ``body(input_ids=…, position_ids=…, segments=…)`` under :func:`segmented`.

    Attributes:
        lengths: of the rows, in tokens.
        offsets: (n + 1,) int32, on the model's device: the cumulative lengths, from 0.
    """

    lengths: tuple[int, ...]
    offsets: Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device | None = None) -> Segments:
        """Return the segments of rows of these lengths."""
        offsets = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
        return cls(tuple(lengths), offsets.to(device) if device is not None else offsets)

    def to(self, device: torch.device) -> Segments:
        """Return the same on another device."""
        return Segments(self.lengths, self.offsets.to(device))


def segment_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    segments: Segments | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attend causally within each segment; the function that transformers calls.

    Args:
        module: the model's attention layer.
        query: (1, heads, t, d).
        key: (1, kv heads, t, d); a divisor of ``heads``.
        value: as ``key``.
        attention_mask: unused; segments say it all.
        scaling: of the scores; by default 1/√d.
        dropout: of the probabilities.
        sliding_window: a token sees itself and ``sliding_window - 1`` before it.
        softcap: scores become ``c · tanh(scores / c)``, as in Gemma 2.
        segments: the rows; summing to t.
        others: what models pass to every attention; sinks and biases are refused.

    Returns:
        (1, t, heads, d), and no weights.

    Raises:
        PinchError: the model does not hand the segments on, or needs an attention that is not known here.
    """
    if segments is None:
        raise PinchError(
            f"{type(module).__name__} does not hand on to its attention what rows laid end to end need",
            fix="choose another base model",
        )
    for name in ("s_aux", "position_bias"):
        if others.get(name) is not None:
            raise PinchError(f"attention with {name} is not supported yet", fix="choose another base model")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if _flash(query, softcap, dropout):
        return _varlen(query, key, value, segments, scale, sliding_window), None
    # Split at once: the gradient of a slice is a tensor of zeros as large as the whole, one for each row.
    lengths = list(segments.lengths)
    rows = zip(*(torch.split(states[0], lengths, 1) for states in (query, key, value)), strict=True)
    parts = [_one_row(q, k, v, scale, dropout, sliding_window, softcap) for q, k, v in rows]
    return torch.cat(parts)[None], None


def _flash(query: Tensor, softcap: float | None, dropout: float) -> bool:
    return (
        query.is_cuda
        and query.dtype in (torch.bfloat16, torch.float16)
        and query.shape[-1] <= _FLASH_WIDTH
        and softcap is None
        and dropout == 0
    )


def _varlen(
    query: Tensor, key: Tensor, value: Tensor, segments: Segments, scale: float, window: int | None
) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415  (newer than the oldest torch we take)

    longest = max(segments.lengths)
    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))
    out = varlen_attn(
        query,
        key,
        value,
        segments.offsets,
        segments.offsets,
        longest,
        longest,
        scale=scale,
        window_size=(-1 if window is None else window - 1, 0),
        enable_gqa=True,
    )
    assert isinstance(out, Tensor)
    return out[None]


def _one_row(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scale: float,
    dropout: float,
    window: int | None,
    softcap: float | None,
) -> Tensor:
    """Attend within one row: (heads, t, d) and (kv heads, t, d) to (t, heads, d)."""
    heads, t, width = query.shape
    if query.requires_grad and softcap is None and not dropout and is_short(query):
        return short_attention(query, key, value, scale, window).transpose(0, 1)
    groups = heads // len(key)
    # A view for the heads that share a key: nothing is copied, and autograd sums their gradients.
    query = query.view(len(key), groups, t, width)
    key, value = (states[:, None].expand(-1, groups, -1, -1) for states in (key, value))
    mask = None if window is None or t <= window else band(t, window, query.device)
    if softcap is None:
        out = scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=dropout, is_causal=mask is None, scale=scale
        )
    else:
        scores = softcap * torch.tanh(query @ key.transpose(-1, -2) * scale / softcap)
        seen = band(t, t if window is None else window, query.device)
        weights = scores.float().masked_fill(~seen, -torch.inf).softmax(-1).to(value.dtype)
        out = torch.dropout(weights, dropout, dropout > 0) @ value
    return out.reshape(heads, t, width).transpose(0, 1)


AttentionInterface.register(SEGMENTED, segment_attention)


def refuse_recurrent(model: Any) -> None:
    """Refuse a model that carries a state from token to token.

    Raises:
        PinchError: it has recurrent layers: Mamba's, linear attention, convolutions over tokens …
    """
    layers = getattr(model.config, "layer_types", None) or ()
    kinds = sorted({kind for kind in layers if _RECURRENT.search(kind)})
    stateful = any(_STATEFUL.search(type(module).__name__) for module in model.modules())
    if kinds or stateful or getattr(model, "_is_stateful", False):
        what = f"layers of type {', '.join(kinds)}" if kinds else "recurrent layers"
        raise PinchError(
            f"{type(model).__name__} has {what}, which carry a state from token to token:"
            " such models are not supported",
            fix="choose a model whose layers all attend",
        )


@contextmanager
def segmented(model: Any, implementation: str = SEGMENTED) -> Iterator[None]:
    """Let a model attend within segments, and as before afterwards.

    Args:
        model: a causal language model.
        implementation: the attention's name in transformers, where it is not :func:`segment_attention`.

    Raises:
        PinchError: the model mixes its tokens by other means than causal attention, or its attention cannot
            be replaced; its rows cannot be laid end to end.
    """
    refuse_recurrent(model)
    config = model.config
    before = config._attn_implementation
    if before == implementation:
        yield
        return
    kinds = set(getattr(config, "layer_types", None) or ()) - _KNOWN_LAYERS
    if kinds or not model._can_set_attn_implementation():
        what = f"layers of type {', '.join(sorted(kinds))}" if kinds else "an attention of its own"
        raise PinchError(
            f"{type(model).__name__} has {what}, so its rows cannot be laid end to end",
            fix="choose a model whose layers are all full or sliding attention",
        )
    model.set_attn_implementation(implementation)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
