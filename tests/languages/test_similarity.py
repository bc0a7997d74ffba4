from __future__ import annotations

import numpy as np
import pytest

from polypinch.errors import PinchError
from polypinch.languages import similarity
from polypinch.languages.similarity import distances, named

TAGS = ("en", "de", "es", "hi", "fi", "et", "zh", "ar", "eo")


@pytest.mark.parametrize("source", ["tree", "uriel"])
def test_distances_are_symmetric_between_0_and_1_and_0_to_oneself(source: similarity.Source) -> None:
    found = distances(TAGS, source)
    for matrix in (found.genetic, found.script, found.typological, found.similarity()):
        np.testing.assert_allclose(matrix, matrix.T)
        known = matrix[np.isfinite(matrix)]
        assert ((known >= 0) & (known <= 1 + 1e-9)).all()
    np.testing.assert_allclose(np.diag(found.similarity()), 1.0)
    assert np.isfinite(found.similarity()).all()


def test_the_tree_knows_branches_and_stocks_and_says_when_it_knows_nothing() -> None:
    found = distances(TAGS)
    at = {tag: index for index, tag in enumerate(found.languages)}
    assert found.genetic[at["fi"], at["et"]] == pytest.approx(1 / 3)
    assert found.genetic[at["en"], at["hi"]] == pytest.approx(2 / 3)
    assert found.genetic[at["en"], at["zh"]] == 1
    assert np.isnan(found.genetic[at["en"], at["eo"]])
    assert np.isnan(found.typological[at["en"], at["de"]])
    assert found.similarity()[at["en"], at["eo"]] == 0
    assert "Glottolog" in found.source


@pytest.mark.parametrize(
    ("a", "b", "genetic", "typological"),
    [
        ("en", "de", 0.6336, 0.4033),
        ("fi", "et", 0.3918, 0.1635),
        ("es", "it", 0.5295, 0.4176),
        ("hi", "es", 0.9304, 0.5515),
        ("ru", "cs", 0.5804, 0.4228),
    ],
)
def test_uriels_distances_are_those_that_its_package_computes(
    a: str, b: str, genetic: float, typological: float
) -> None:
    """Known answers: urielplus 1.3.2, ``new_genetic_distance`` and ``new_featural_distance``."""
    found = distances([a, b], "uriel")
    assert found.genetic[0, 1] == pytest.approx(genetic, abs=5e-5)
    assert found.typological[0, 1] == pytest.approx(typological, abs=5e-5)
    assert "CC BY-SA 4.0" in found.source


def test_without_the_extra_uriel_is_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    similarity._uriel.cache_clear()
    monkeypatch.setattr(similarity, "find_spec", lambda name: None)
    with pytest.raises(PinchError, match=r"polypinch\[uriel\]"):
        distances(["en", "de"], "uriel")
    similarity._uriel.cache_clear()


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(PinchError, match="tree, uriel"):
        named("wals")
