"""A seeded order of items that is the same on every machine, whatever the order of the input."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ranks = npt.NDArray[np.uint64]

_FNV_OFFSET, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def ranks(ids: pa.Array | pa.ChunkedArray, seed: int, purpose: str) -> Ranks:
    """Hash ids to 64-bit ranks; sorting by them gives the seeded order.

    FNV-1a (Fowler, Noll and Vo; RFC 9923) over the UTF-8 bytes, keyed, then SplitMix64's finaliser
    (Steele, Lea and Flood 2014). Vectorised over the Arrow buffers: no Python object per row.

    Args:
        ids: n strings, none null.
        seed: the plan's seed.
        purpose: separates orders that must be independent of each other.

    Returns:
        n unsigned 64-bit integers.
    """
    array = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    array = pc.cast(array, pa.large_binary())
    if len(array) == 0:
        return np.empty(0, np.uint64)
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.empty(0, np.uint8)
    starts, lengths = offsets[:-1], np.diff(offsets)
    key = np.frombuffer(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:8], np.uint64)[0]
    with np.errstate(over="ignore"):
        value = np.full(len(array), _FNV_OFFSET ^ key, np.uint64)
        alive = np.arange(len(array)) if lengths.max() else np.empty(0, np.int64)
        for position in range(int(lengths.max())):
            alive = alive[lengths[alive] > position]
            value[alive] = (value[alive] ^ data[starts[alive] + position]) * _FNV_PRIME
        return _finalise(value)


def _finalise(value: Ranks) -> Ranks:
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
