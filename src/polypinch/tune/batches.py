"""Rows laid end to end: no padding, positions restarted, attention kept within each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from polypinch.chat import Encoded
from polypinch.models import Segments
from polypinch.seeded import ranks


@dataclass(frozen=True)
class Flat:
    """Rows end to end, as one batch of one sequence.

    Attributes:
        input_ids: (1, t) the rows' tokens.
        position_ids: (1, t) counting from 0 within each row.
        segments: where each row begins and ends, so that it attends to itself alone.
        keep: (n,) the positions whose next token is supervised.
        labels: (n,) those next tokens.
        rows: (n,) which row each of them belongs to.
    """

    input_ids: Tensor
    position_ids: Tensor
    segments: Segments
    keep: Tensor
    labels: Tensor
    rows: Tensor

    def to(self, device: torch.device) -> Flat:
        """Return the same on another device."""
        return Flat(
            self.input_ids.to(device),
            self.position_ids.to(device),
            self.segments.to(device),
            self.keep.to(device),
            self.labels.to(device),
            self.rows.to(device),
        )


def flatten(rows: Sequence[Encoded]) -> Flat:
    """Lay rows end to end."""
    lengths = [len(row) for row in rows]
    ids = torch.from_numpy(np.concatenate([row.input_ids for row in rows])).long()
    positions = torch.cat([torch.arange(length) for length in lengths])
    supervised = torch.from_numpy(np.concatenate([row.supervised for row in rows]))
    owner = torch.repeat_interleave(torch.arange(len(rows)), torch.tensor(lengths))
    # A row's first token has no predecessor to predict it from.
    targets = torch.nonzero(supervised & (positions > 0)).squeeze(-1)
    return Flat(ids[None], positions[None], Segments.of(lengths), targets - 1, ids[targets], owner[targets])


def epochs_of_steps(
    items: pa.Array | pa.ChunkedArray, rows_per_step: int, epochs: int, seed: int
) -> list[list[int]]:
    """Return the row indices of every optimiser step of every epoch, each epoch in an order of its own.

    The order is a seeded one of items, so two mixtures over the same items in different languages meet them
    in the same steps. An epoch's last step may be smaller; its loss is normalised by its own tokens.
    """
    steps = []
    for epoch in range(epochs):
        order = ranks(items, seed, f"epoch/{epoch}").argsort(kind="stable").tolist()
        steps += [order[start : start + rows_per_step] for start in range(0, len(order), rows_per_step)]
    return steps


def steps_in_stages(
    rows: pa.Table, first: str | None, rows_per_step: int, epochs: int, seed: int
) -> list[list[int]]:
    """Return the row indices of every step: all epochs of one language's rows, then all epochs of the rest.

    Args:
        rows: with ``item_id`` and ``language``.
        first: the language of the first stage; ``None``, or one that no row or every row is in, makes a
            single stage.
        rows_per_step: as in :func:`epochs_of_steps`.
        epochs: of each stage.
        seed: of each stage's order.
    """
    if first is None:
        return epochs_of_steps(rows["item_id"], rows_per_step, epochs, seed)
    steps = []
    tags = rows["language"].to_pylist()
    for of_first in (True, False):
        stage = [index for index, tag in enumerate(tags) if (tag == first) == of_first]
        within = epochs_of_steps(rows["item_id"].take(stage), rows_per_step, epochs, seed) if stage else []
        steps += [[stage[index] for index in step] for step in within]
    return steps


def by_token_budget(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Group indices into parts of at most ``budget`` tokens, a longer row alone; short rows together.

    Every index comes once, and the parts are as few as rows in order of length allow, and then as even: the
    largest decides the memory. Sorting by length wastes nothing here, as nothing is padded, but keeps the
    quadratic cost of attention low.
    """
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    parts = _filled(order, lengths, budget)
    low, high = 0, budget
    while high - low > 1:
        middle = (low + high) // 2
        even = _filled(order, lengths, middle)
        if len(even) > len(parts):
            low = middle
        else:
            high, parts = middle, even
    return parts


def _filled(order: Sequence[int], lengths: Sequence[int], budget: int) -> list[list[int]]:
    parts: list[list[int]] = []
    room = 0
    for index in order:
        if not parts or lengths[index] > room:
            parts.append([])
            room = budget
        parts[-1].append(index)
        room -= lengths[index]
    return parts


def share_out(lengths: Sequence[int], processes: int) -> list[list[int]]:
    """Divide rows among processes, so that each has about as many tokens.

    The longest row goes first, always to whoever has the fewest tokens (Graham 1969, doi 10.1137/0117039:
    nobody gets more than 4/3 of the best division's most). With more processes than rows some get none.
    """
    shares: list[list[int]] = [[] for _ in range(processes)]
    tokens = [0] * processes
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        least = tokens.index(min(tokens))
        shares[least].append(index)
        tokens[least] += lengths[index]
    return shares
