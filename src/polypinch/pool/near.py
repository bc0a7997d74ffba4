"""Near-duplicates between held-out and training instructions, by shared character n-grams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from polypinch.languages import language

JACCARD, CONTAINMENT = 0.4, 0.7
CONTAINED = 20
"""A text of fewer n-grams than this is too short for its containment to mean anything."""
BLOCK = 1_024
"""Texts compared at once: with 2,000 held-out ones, at most two million numbers."""
_LOGOGRAPHIC = frozenset({"Hans", "Hant", "Hani", "Jpan", "Kore"})


@dataclass(frozen=True)
class Near:
    """A training instruction that is nearly a held-out one.

    Attributes:
        trained: row number as given.
        held: row number as given.
        jaccard: shared n-grams over all n-grams of the two.
        containment: shared n-grams over those of the shorter.
    """

    trained: int
    held: int
    jaccard: float
    containment: float


def plain(text: str) -> str:
    """Fold case and drop all that is neither a letter, a mark nor a digit; words are one space apart."""
    kept = (
        char if char.isalnum() or not (char.isascii() or char.isspace()) else " " for char in text.casefold()
    )
    return " ".join("".join(kept).split())


def ngram_length(tag: str) -> int:
    """Return 3 for scripts that write a word in a character or two, and 5 for others."""
    return 3 if language(tag).script in _LOGOGRAPHIC else 5


def ngrams(text: str, length: int) -> set[str]:
    """Return the distinct character n-grams of a text; of a shorter text the text itself."""
    folded = plain(text)
    if len(folded) <= length:
        return {folded} if folded else set()
    return {folded[start : start + length] for start in range(len(folded) - length + 1)}


class HeldOut:
    """Held-out instructions of one language, indexed by n-gram, so that training rows can stream past.

    One row costs its n-grams and the held-out rows that share one: linear in the training rows.

    Args:
        texts: the held-out instructions.
        tag: their language.
    """

    def __init__(self, texts: Iterable[str], tag: str) -> None:
        self._length = ngram_length(tag)
        self._ids: dict[str, int] = {}
        sets = [ngrams(text, self._length) for text in texts]
        columns = [self._ids.setdefault(gram, len(self._ids)) for grams in sets for gram in grams]
        self._sizes = np.array([len(grams) for grams in sets], dtype=np.int64)
        self._matrix = _indicator(columns, self._sizes, len(self._ids)).T.tocsr()

    def near(self, texts: list[str]) -> Iterator[Near]:
        """Yield each text that is near a held-out one, with the nearest.

        Near is a Jaccard index ≥ 0.4, or containment ≥ 0.7 where the shorter has 20 n-grams or more.
        """
        for start in range(0, len(texts), BLOCK):
            for near in self._near(texts[start : start + BLOCK]):
                yield replace(near, trained=near.trained + start)

    def _near(self, texts: list[str]) -> Iterator[Near]:
        sets = [ngrams(text, self._length) for text in texts]
        known = [[self._ids[gram] for gram in grams if gram in self._ids] for grams in sets]
        hits = np.array([len(ids) for ids in known], dtype=np.int64)
        rows = _indicator([column for ids in known for column in ids], hits, len(self._ids))
        shared = (rows @ self._matrix).tocoo()
        sizes = np.array([len(grams) for grams in sets], dtype=np.int64)[shared.row]
        held = self._sizes[shared.col]
        jaccard = shared.data / (sizes + held - shared.data)
        shorter = np.minimum(sizes, held)
        containment = shared.data / shorter
        contained = (containment >= CONTAINMENT) & (shorter >= CONTAINED)
        found = np.flatnonzero((jaccard >= JACCARD) | contained)
        found = found[np.lexsort((-jaccard[found], shared.row[found]))]
        for index in found[np.unique(shared.row[found], return_index=True)[1]]:
            pair = int(shared.row[index]), int(shared.col[index])
            yield Near(*pair, float(jaccard[index]), float(containment[index]))


def _indicator(columns: list[int], sizes: npt.NDArray[np.int64], width: int) -> Any:
    starts = np.concatenate([[0], np.cumsum(sizes)])
    ones = np.ones(len(columns), dtype=np.int32)
    return sparse.csr_matrix((ones, np.array(columns, dtype=np.int64), starts), shape=(len(sizes), width))
