"""Whether languages give most to their kin: section 4.1 of the paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from polypinch.experiments.exposure.measure import left_out
from polypinch.experiments.measured import LOSS, SCORE, Measured
from polypinch.experiments.transfer.measure import Cell
from polypinch.experiments.transfer.measure import measure as measure_transfer
from polypinch.languages import distances
from polypinch.stats import Array, mantel, without_means


@dataclass(frozen=True)
class Pair:
    """Transfer between two languages beside how far apart they are: a row of ``similarity``.

    Attributes:
        model: the base model.
        measure: ``loss_change`` or ``score``.
        trained: the language tuned on.
        evaluated: the other.
        value: what the one gives the other, more being better, without row and column means.
        genetic: distance by descent, 0 to 1.
        script: distance by script.
        typological: distance by structure.
    """

    model: str
    measure: str
    trained: str
    evaluated: str
    value: float
    genetic: float | None
    script: float | None
    typological: float | None


@dataclass(frozen=True)
class Coefficient:
    """A correlation of transfer with distance: a row of ``similarity_correlations``.

    Attributes:
        model: the base model.
        measure: ``loss_change`` or ``score``.
        distance: ``genetic``, ``script`` or ``typological``.
        coefficient: ``Pearson`` or ``Spearman``.
        value: the coefficient.
        p: of Mantel's test.
        n: languages.
        least: the smallest coefficient when a language is left out.
        least_without: which.
        most: the greatest.
        most_without: which.
    """

    model: str
    measure: str
    distance: str
    coefficient: str
    value: float
    p: float
    n: int
    least: float
    least_without: str | None
    most: float
    most_without: str | None


TABLES = {"similarity": Pair, "similarity_correlations": Coefficient}
"""The rows of each exported table, by its name."""


@dataclass(frozen=True)
class Similarity:
    """Transfer between languages beside how far apart they are.

    Attributes:
        model: the base model.
        source: of the distances.
        pairs: of languages.
        coefficients: correlations.
    """

    model: str
    source: str
    pairs: tuple[Pair, ...]
    coefficients: tuple[Coefficient, ...]


def measure(measured: Measured) -> Similarity | None:
    """Return transfer between two languages beside how far apart they are, with Mantel's test."""
    transfer = measure_transfer(measured)
    if transfer is None:
        return None
    trained = {cell.trained for cell in transfer.cells}
    tags = [tag for tag in measured.axes.languages if tag in trained]
    # Structure is known to URIEL alone; where it is not installed, descent and script are left.
    apart = distances(tags, "uriel" if find_spec("urielplus") else "tree")
    kinds = {name: getattr(apart, name) for name in ("genetic", "script", "typological")}
    off = ~np.eye(len(tags), dtype=bool)
    pairs: list[Pair] = []
    coefficients: list[Coefficient] = []
    for name in (LOSS, SCORE):
        matrix = _matrix(tags, transfer.cells, name)
        if not np.isfinite(matrix[off]).all():
            continue
        rest = without_means(matrix)
        for one, other in zip(*np.nonzero(off), strict=True):
            far = {kind: _known(values[one, other]) for kind, values in kinds.items()}
            pairs.append(Pair(measured.model, name, tags[one], tags[other], float(rest[one, other]), **far))
        for kind, values in kinds.items():
            for coefficient, ranks in (("Pearson", False), ("Spearman", True)):
                test = mantel(matrix, values, ranks)
                if math.isfinite(test.value):
                    left = left_out(tags, test.least_without), left_out(tags, test.most_without)
                    coefficients.append(
                        Coefficient(measured.model, name, kind, coefficient, test.value, test.p, test.n,
                                    test.least, left[0], test.most, left[1])
                    )  # fmt: skip
    if not coefficients:
        return None
    return Similarity(measured.model, apart.source, tuple(pairs), tuple(coefficients))


def _matrix(tags: Sequence[str], cells: Sequence[Cell], measure: str) -> Array:
    """Return (trained, evaluated), more being better; NaN where it was not measured."""
    at = {tag: index for index, tag in enumerate(tags)}
    matrix = np.full((len(tags), len(tags)), np.nan)
    for cell in cells:
        if cell.measure == measure and cell.trained in at and cell.evaluated in at:
            value = cell.estimate.value
            matrix[at[cell.trained], at[cell.evaluated]] = -value if measure == LOSS else value
    return matrix


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
