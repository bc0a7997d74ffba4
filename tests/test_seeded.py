from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from polypinch.seeded import ranks

MASK = (1 << 64) - 1


def by_hand(text: str, key: int) -> int:
    value = 0xCBF29CE484222325 ^ key
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=20), st.integers(0, 2**31))
def test_ranks_are_those_computed_one_string_at_a_time(texts: list[str], seed: int) -> None:
    import hashlib

    key = int.from_bytes(hashlib.sha256(f"{seed}/x".encode()).digest()[:8], "little")
    assert ranks(pa.array(texts), seed, "x").tolist() == [by_hand(text, key) for text in texts]


@given(st.lists(st.text(max_size=10), min_size=3, max_size=20))
def test_ranks_do_not_depend_on_slicing_or_type(texts: list[str]) -> None:
    array = pa.array(texts)
    assert ranks(array.slice(2), 1, "x").tolist() == ranks(array, 1, "x").tolist()[2:]
    assert ranks(array.dictionary_encode(), 1, "x").tolist() == ranks(array, 1, "x").tolist()
    assert ranks(pa.chunked_array([array, array]), 1, "x").tolist() == 2 * ranks(array, 1, "x").tolist()


def test_ranks_spread_evenly() -> None:
    found = ranks(pa.array([f"item-{index}" for index in range(20_000)]), 3, "base")
    counts, _ = np.histogram(found.astype(np.float64), bins=20, range=(0, 2.0**64))
    assert abs(counts - 1000).max() < 150


def test_seed_and_purpose_give_other_orders() -> None:
    ids = pa.array([f"item-{index}" for index in range(50)])
    orders = {tuple(ranks(ids, seed, purpose).argsort().tolist()) for seed in (1, 2) for purpose in "ab"}
    assert len(orders) == 4
