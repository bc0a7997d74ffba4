"""Whether what one language does for another goes with how far apart the two are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
import numpy.typing as npt

from polypinch.stats.bootstrap import Array
from polypinch.stats.transfer import extremes

PERMUTATIONS = 9999
_FEWEST = 4  # languages: with three, row and column means leave one degree of freedom


@dataclass(frozen=True)
class Mantel:
    """A correlation of two matrices over the same languages.

    Attributes:
        value: the coefficient over ordered pairs, row and column means taken out; NaN with fewer than four
            languages, or where a matrix holds nothing but row and column means.
        p: how often a renaming of the languages gives a coefficient at least as far from 0, this one counted.
        n: languages of which all pairs are known.
        least: smallest coefficient when one language is left out.
        least_without: its position; ``None`` where nothing can be left out.
        most: greatest coefficient when one language is left out.
        most_without: its position.
    """

    value: float
    p: float
    n: int
    least: float
    least_without: int | None
    most: float
    most_without: int | None


def mantel(values: Array, apart: Array, ranks: bool = False, seed: int = 0) -> Mantel:
    """Correlate a matrix of transfer with one of distances, and test it by renaming languages.

    Pairs that share a language are not independent, so an ordinary test of a correlation would find too
    much. Mantel's (1967, *Cancer Research* 27, 209-220) renames the languages in one of the matrices and
    keeps the pairs together: all renamings where there are few, else 9,999 drawn ones; two-sided. What a
    language gives to all, and takes from all, is not likeness: row and column means are first taken out of
    both matrices by least squares.

    Args:
        values: (n, n) from the trained to the evaluated language; the diagonal is left out, NaN is unknown.
        apart: (n, n) distances.
        ranks: Spearman's coefficient, of ranks of what the means leave; else Pearson's.
        seed: of the drawn renamings.
    """
    kept = _complete(np.isfinite(values) & np.isfinite(apart))
    ours, theirs = (one[np.ix_(kept, kept)] for one in (values, apart))
    left, right = _scaled(ours, ranks), _scaled(theirs, ranks)
    if left is None or right is None:
        return Mantel(np.nan, np.nan, len(kept), np.nan, None, np.nan, None)
    value = float((left * right).sum())
    names = _renamings(len(kept), seed)
    drawn = np.array([(left * right[np.ix_(one, one)]).sum() for one in names])
    as_far = np.abs(drawn) >= abs(value) - 1e-9
    all_of_them = len(names) == factorial(len(kept))
    p = as_far.mean() if all_of_them else (1 + as_far.sum()) / (1 + len(names))
    without: dict[int, float] = {}
    for position in kept:
        rest = [index for index in kept if index != position]
        one, other = (_scaled(matrix[np.ix_(rest, rest)], ranks) for matrix in (values, apart))
        if one is not None and other is not None:
            without[position] = float((one * other).sum())
    return Mantel(
        value,
        float(p),
        len(kept),
        *extremes(without),
    )


def without_means(matrix: Array) -> Array:
    """Return what an (n, n) matrix's row and column means leave of it, off the diagonal; 0 on it.

    Least squares over the cells off the diagonal, all of which are known.
    """
    n = len(matrix)
    rows, columns = np.nonzero(~np.eye(n, dtype=bool))
    design = np.zeros((len(rows), 2 * n))
    design[np.arange(len(rows)), rows] = 1
    design[np.arange(len(rows)), n + columns] = 1
    cells = matrix[rows, columns]
    found = np.zeros_like(matrix)
    found[rows, columns] = cells - design @ np.linalg.lstsq(design, cells, rcond=None)[0]
    return found


def _scaled(matrix: Array, ranks: bool) -> Array | None:
    """Return the matrix without its means, its cells of mean 0 and length 1; ``None`` if nothing is left."""
    if len(matrix) < _FEWEST:
        return None
    rest = without_means(matrix)
    off = ~np.eye(len(matrix), dtype=bool)
    if np.abs(rest).max() <= 1e-9 * max(1.0, float(np.abs(matrix[off]).max())):
        return None
    if ranks:
        from scipy.stats import rankdata  # noqa: PLC0415 (slow to import)

        # Least squares leaves ties apart by rounding.
        rest[off] = rankdata(np.round(rest[off], 12))
        rest[off] -= rest[off].mean()
    scaled: Array = rest / np.sqrt((rest**2).sum())
    return scaled


def _complete(known: npt.NDArray[np.bool_]) -> list[int]:
    """Return the positions left when languages with unknown pairs are dropped, the worst first."""
    kept = list(range(len(known)))
    while kept:
        lacking = ~known[np.ix_(kept, kept)]
        np.fill_diagonal(lacking, False)
        missing = lacking.sum(axis=0) + lacking.sum(axis=1)
        if not missing.any():
            break
        kept.pop(int(missing.argmax()))
    return kept


def _renamings(n: int, seed: int) -> list[list[int]]:
    if factorial(n) <= PERMUTATIONS:
        return [list(one) for one in permutations(range(n))]
    generator = np.random.default_rng(seed)
    return [generator.permutation(n).tolist() for _ in range(PERMUTATIONS)]
