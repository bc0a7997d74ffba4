"""Small pools for tests."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa

from polypinch.conversation import Messages
from polypinch.mix.counts import TokenCount
from polypinch.pool.pool import Pool
from polypinch.pool.table import POOL_SCHEMA


def row(item: str, tag: str, split: str = "train", **other: object) -> dict[str, object]:
    messages: Messages = [
        {"role": "user", "content": f"Question {item} in {tag}?"},
        {"role": "assistant", "content": f"Answer {item} in {tag}."},
    ]
    whole = {"item_id": item, "language": tag, "messages": messages, "source": "test", "licence": "CC0-1.0"}
    return {**whole, "origin": "native", "split": split, **other}


def pool_of(rows: Iterable[dict[str, object]], shuffle: int | None = None) -> Pool:
    listed = list(rows)
    if shuffle is not None:
        random.Random(shuffle).shuffle(listed)
    return Pool.from_table(pa.Table.from_pylist(listed, schema=POOL_SCHEMA), "test")


def parallel_pool(
    tags: Sequence[str],
    train: int,
    heldout: int = 0,
    shuffle: int | None = None,
    without: Callable[[str, str], bool] | None = None,
) -> Pool:
    items = [(f"t{index}", "train") for index in range(train)] + [
        (f"h{index}", "heldout") for index in range(heldout)
    ]
    rows = [
        row(item, tag, split) for item, split in items for tag in tags if not (without and without(item, tag))
    ]
    return pool_of(rows, shuffle)


def word_counter(rows: Sequence[Messages]) -> list[TokenCount]:
    """Count a row's item number as its tokens, so that sizes differ and are known."""
    sizes = [int("".join(filter(str.isdigit, messages[0]["content"]))) % 7 + 3 for messages in rows]
    return [TokenCount(size, size - 2, False) for size in sizes]
