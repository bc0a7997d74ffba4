"""The keys and values of rows that are being answered, and the attention that reads them.

Prompts come in laid end to end, as in tuning; then every row gains one token per step. All rows end in the
same column, so that a sliding window over the past is one slice for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from polypinch.errors import PinchError
from polypinch.models import Segments, segment_attention

NAME = "polypinch_past"


class Past:
    """What n rows have said so far, layer by layer.

    Hand it to a model's body as ``body(input_ids=…, position_ids=…, past=…)`` while its attention is
    :data:`NAME`: between :meth:`reading` calls with prompts laid end to end, then with (n, 1) ids per step.

    Args:
        lengths: of the prompts, in tokens.
        new_tokens: each row gains at most so many.
        device: where the model is.
    """

    def __init__(self, lengths: Sequence[int], new_tokens: int, device: torch.device) -> None:
        self.column = max(lengths)
        self._room = self.column + new_tokens
        self._starts = [self.column - length for length in lengths]
        self._device = device
        self._layers: dict[int, tuple[Tensor, Tensor]] = {}
        self._mask = torch.zeros(len(lengths), 1, 1, self._room, dtype=torch.bool, device=device)
        for row, start in enumerate(self._starts):
            self._mask[row, ..., start:] = True
        self._added: dict[torch.dtype, Tensor] = {}
        self.segments: Segments | None = None
        self._rows = range(0)

    def __len__(self) -> int:
        return len(self._starts)

    def reading(self, rows: range) -> None:
        """Take the next forward pass for these rows' prompts, laid end to end."""
        self._rows = rows
        self.segments = Segments.of([self.column - self._starts[row] for row in rows], self._device)

    def drawing(self) -> None:
        """Take all forward passes from now on for one token of each row."""
        self.segments = None

    def put(self, layer: int, key: Tensor, value: Tensor) -> None:
        """Keep the keys and values of prompts laid end to end, (1, kv heads, t, d)."""
        assert self.segments is not None
        if layer not in self._layers:
            self._layers[layer] = (self._empty(key), self._empty(value))
        begin = 0
        for row, length in zip(self._rows, self.segments.lengths, strict=True):
            for kept, states in zip(self._layers[layer], (key, value), strict=True):
                kept[row, :, self._starts[row] : self.column] = states[0, :, begin : begin + length]
            begin += length

    def grow(self, layer: int, key: Tensor, value: Tensor, window: int | None) -> tuple[Tensor, Tensor]:
        """Add one token per row, (n, kv heads, 1, d), and return what it sees, (n, kv heads, m, d)."""
        keys, values = self._layers[layer]
        keys[:, :, self.column : self.column + 1] = key
        values[:, :, self.column : self.column + 1] = value
        seen = self._seen(window)
        return keys[:, :, seen], values[:, :, seen]

    def mask(self, window: int | None, dtype: torch.dtype) -> Tensor | None:
        """Return what to add to the scores of those columns, (n, 1, 1, m); ``None`` for nothing."""
        seen = self._seen(window)
        if seen.start >= max(self._starts):
            return None
        if dtype not in self._added:
            self._added[dtype] = torch.zeros(self._mask.shape, dtype=dtype, device=self._device).masked_fill_(
                ~self._mask, -torch.inf
            )
        return self._added[dtype][..., seen]

    def keep(self, rows: Sequence[int]) -> list[int]:
        """Let all rows but these go.

        Rows from the end move into the places that fall vacant: nothing else is copied.

        Returns:
            For each place, which row is there now.
        """
        left = len(rows)
        kept = set(rows)
        order = list(range(left))
        vacant = [place for place in range(left) if place not in kept]
        moving = [row for row in rows if row >= left]
        for place, row in zip(vacant, moving, strict=True):
            order[place] = row
            for tensors in self._layers.values():
                for states in tensors:
                    states[place, :, : self.column] = states[row, :, : self.column]
            for mask in (self._mask, *self._added.values()):
                mask[place] = mask[row]
        self._layers = {layer: (k[:left], v[:left]) for layer, (k, v) in self._layers.items()}
        self._mask = self._mask[:left]
        self._added = {dtype: mask[:left] for dtype, mask in self._added.items()}
        self._starts = [self._starts[row] for row in order]
        return order

    def _empty(self, states: Tensor) -> Tensor:
        # Zeros, not whatever was there: a masked column counts nothing times its value, and not a number is
        # not nothing.
        return states.new_zeros(len(self), states.shape[1], self._room, states.shape[3])

    def _seen(self, window: int | None) -> slice:
        end = self.column + 1
        return slice(0 if window is None else max(0, end - window), end)


def past_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    past: Past | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attend to a row's own past; the function that transformers calls.

    Args:
        module: the model's attention layer.
        query: (1, heads, t, d) for prompts laid end to end; (n, heads, 1, d) for a token of each row.
        key: as ``query``, with kv heads, a divisor of ``heads``.
        value: as ``key``.
        attention_mask: unused; the past says it all.
        scaling: of the scores; by default 1/√d.
        dropout: unused; nothing is trained here.
        sliding_window: a token sees itself and ``sliding_window - 1`` before it.
        softcap: scores become ``c · tanh(scores / c)``, as in Gemma 2.
        past: of the rows.
        others: what models pass to every attention.

    Returns:
        (1, t, heads, d) or (n, 1, heads, d), and no weights.

    Raises:
        PinchError: the model does not hand the past on, or needs an attention that is not known here.
    """
    if past is None:
        raise PinchError(
            f"{type(module).__name__} does not hand on to its attention what answering needs",
            fix="choose another base model",
        )
    if past.segments is not None:
        past.put(module.layer_idx, key, value)
        return segment_attention(
            module, query, key, value, None, scaling, 0.0, sliding_window, softcap, past.segments, **others
        )
    n, heads, _, width = query.shape
    scale = width**-0.5 if scaling is None else scaling
    keys, values = past.grow(module.layer_idx, key, value, sliding_window)
    mask = past.mask(sliding_window, query.dtype)
    # The heads that share a key stand where several tokens would: each key is read once for all of them.
    query = query.reshape(n, keys.shape[1], -1, width)
    if softcap is None:
        out = scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scale)
    else:
        scores = softcap * torch.tanh(query @ keys.transpose(-1, -2) * scale / softcap)
        scores = scores if mask is None else scores + mask
        out = scores.softmax(-1, dtype=torch.float32).to(values.dtype) @ values
    return out.reshape(n, 1, heads, -1), None


AttentionInterface.register(NAME, past_attention)
