"""How far apart languages are: by descent, script and structure, with a named source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from typing import Literal, cast, get_args

import langcodes
import numpy as np
import numpy.typing as npt

from polypinch.errors import PinchError
from polypinch.languages.tags import Language, language

Array = npt.NDArray[np.float64]
Source = Literal["tree", "uriel"]

_SCRIPTS = "script: ISO 15924 codes of Unicode's CLDR through langcodes (Unicode-3.0)"
TREE = (
    "descent: polypinch's table of branches and top-level families, after Glottolog 5 (CC BY 4.0)"
    f"; {_SCRIPTS}; structure: not known to this source"
)
URIEL = (
    "descent and structure: URIEL (Littell et al. 2017, doi:10.18653/v1/E17-2002) as packaged in urielplus {}"
    f" (Khan et al. 2025, aclanthology.org/2025.coling-main.463; CC BY-SA 4.0); {_SCRIPTS}"
)


@dataclass(frozen=True)
class Distances:
    """Distances between n languages, 0 (the same) to 1; NaN where the source does not know a language.

    Attributes:
        languages: their tags.
        genetic: (n, n) by descent.
        script: (n, n) 0 where both are written in the same script, else 1.
        typological: (n, n) by structure.
        source: where they are from, with the licence.
    """

    languages: tuple[str, ...]
    genetic: Array
    script: Array
    typological: Array
    source: str

    def similarity(self) -> Array:
        """Return (n, n) similarities: 1 less the mean of the distances known of descent and structure.

        Script is left out: Shaham et al. (2024, arXiv 2401.01854, section 4.1) saw no strong sign of it.
        A language is wholly like itself; a pair of which nothing is known is wholly unlike.
        """
        both = np.stack([self.genetic, self.typological])
        known = np.isfinite(both)
        total = np.where(known, both, 0.0).sum(axis=0)
        mean = np.divide(total, known.sum(axis=0), out=np.ones_like(total), where=known.any(axis=0))
        np.fill_diagonal(mean, 0.0)
        return np.asarray(1.0 - mean, np.float64)


def distances(tags: Sequence[str], source: Source = "tree") -> Distances:
    """Return the distances between languages.

    Args:
        tags: n language tags.
        source: ``tree``, always there: a third for languages of one branch, two thirds for branches of one
            top-level family, 1 beyond; of structure nothing. ``uriel``, in the extra of that name: the angle
            between two languages' family memberships, and between their known typological features, over a
            right angle, as URIEL+ defines both distances.

    Raises:
        PinchError: a language is unknown, or the source is not installed.
    """
    found = [language(tag) for tag in tags]
    script = np.array([[float(a.script != b.script) for b in found] for a in found]).reshape(len(found), -1)
    names = tuple(one.tag for one in found)
    if source == "tree":
        genetic = np.array([[_by_tree(a, b) for b in found] for a in found]).reshape(script.shape)
        return Distances(names, genetic, script, np.full(script.shape, np.nan), TREE)
    families, features = _uriel()
    return Distances(
        names,
        _angles(families.rows(names), over_shared=False),
        script,
        _angles(features.rows(names), over_shared=True),
        URIEL.format(version("urielplus")),
    )


def _by_tree(a: Language, b: Language) -> float:
    if a.tag == b.tag:
        return 0.0
    if a.family is None or b.family is None:
        return float("nan")
    return 1 / 3 if a.family == b.family else 2 / 3 if a.stock == b.stock else 1.0


@dataclass(frozen=True)
class _Vectors:
    at: dict[str, int]
    values: npt.NDArray[np.float32]

    def rows(self, tags: Sequence[str]) -> Array:
        """Return a row for each language; all NaN for one that is not there."""
        rows = np.full((len(tags), self.values.shape[1]), np.nan)
        for index, tag in enumerate(tags):
            place = self.at.get(langcodes.Language.get(tag).to_alpha3())
            if place is not None:
                rows[index] = np.where(self.values[place] < 0, np.nan, self.values[place])
        return rows


@lru_cache(maxsize=1)
def _uriel() -> tuple[_Vectors, _Vectors]:
    if find_spec("urielplus") is None:
        raise PinchError("URIEL is not installed", fix='pip install "polypinch[uriel]", or use the tree')
    # The package's own class writes into its folder and sets up logging: only its data is read.
    folder = files("urielplus") / "database" / "original_uriel"
    loaded = []
    for name in ("family_features.npz", "features.npz"):
        with (folder / name).open("rb") as file, np.load(file) as data:
            # Several sources may tell of one feature; as in URIEL, any that says yes counts (-1: unknown).
            values = data["data"].max(axis=2).astype(np.float32)
            loaded.append(_Vectors({str(code): at for at, code in enumerate(data["langs"])}, values))
    return loaded[0], loaded[1]


def _angles(rows: Array, *, over_shared: bool) -> Array:
    """Return (n, n) angles between rows over a right angle, over the columns that both know.

    NaN where a row knows nothing, or, without ``over_shared``, belongs to nothing.
    """
    count = len(rows)
    result = np.full((count, count), np.nan)
    for a in range(count):
        for b in range(count):
            shared = np.isfinite(rows[a]) & np.isfinite(rows[b])
            ours, theirs = rows[a, shared], rows[b, shared]
            norm = np.sqrt((ours @ ours) * (theirs @ theirs))
            if norm > 0:
                result[a, b] = 2 / np.pi * np.arccos(np.clip(ours @ theirs / norm, -1.0, 1.0))
    if over_shared:
        return result
    np.fill_diagonal(result, np.where(np.nansum(rows, axis=1) > 0, 0.0, np.nan))
    return result


def named(source: str) -> Source:
    """Return a source by its name.

    Raises:
        PinchError: there is none of that name.
    """
    if source not in get_args(Source):
        raise PinchError(f"no source of similarity {source!r}", fix=f"known: {', '.join(get_args(Source))}")
    return cast(Source, source)
