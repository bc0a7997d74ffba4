from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from polypinch.errors import PinchError
from polypinch.publish import Finished, report_together
from polypinch.publish.together import comparable, names_of
from polypinch.specs import validate
from polypinch.study import Inputs, Store, Study, build, open_inputs
from tests.pools import parallel_pool


def opened(study: dict[str, Any], **changes: Any) -> Inputs:
    return open_inputs(validate({**study, **changes}, Study, "study"))


def finished(inputs: Inputs, folder: Path) -> Finished:
    store = Store(folder / "store")
    return Finished(folder, inputs, build(inputs, store), store)


def test_studies_alike_in_what_they_hold_out_have_no_warning(tiny_study: dict[str, Any]) -> None:
    assert comparable({"a": opened(tiny_study), "b": opened(tiny_study, seeds=[3])}) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heldout": {"items": 2}}, "They hold out different items. a: 4; b: 2; 2 of them are the same"),
        (
            {"heldout": {"answered": 3}},
            "They answer different numbers of prompts in each language. a: 4; b: 3",
        ),
        ({"languages": {"seen": ["es", "fi"]}}, "Beside the 2 that all have: a: ru"),
        ({"languages": {"seen": ["es"], "unseen": ["fi", "ru"]}}, "by seen: a: es, fi; b: es"),
        ({"comparison": {"against": "untuned"}}, "different opponents. a: english; b: untuned"),
        ({"tuning": {"epochs": 2}}, "against its own opponent"),
    ],
)
def test_what_cannot_be_compared_is_said(
    tiny_study: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    found = comparable({"a": opened(tiny_study), "b": opened(tiny_study, **changes)})
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"base": "ru", "languages": {"seen": ["es", "fi"]}, "arms": [{"name": "english"}]},
            r"base languages differ \(a: en; b: ru\)",
        ),
        ({"arms": [{"name": "english"}], "languages": {}}, "no language in common"),
    ],
)
def test_studies_with_nothing_to_compare_are_refused(
    tiny_study: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(PinchError, match=words):
        comparable({"a": opened(tiny_study), "b": opened(tiny_study, **changes)})


def test_other_held_out_texts_under_the_same_names_are_refused(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    rows = parallel_pool(("en", "es", "fi", "ru"), train=24, heldout=4).select().to_pylist()
    for row in rows:
        row["messages"][0]["content"] += " Really?"
    table = parallel_pool(("en", "es", "fi", "ru"), train=24, heldout=4).select()
    pq.write_table(type(table).from_pylist(rows, table.schema), tmp_path / "other.parquet")
    with pytest.raises(PinchError, match="no held-out text is in all"):
        comparable({"a": opened(tiny_study), "b": opened(tiny_study, pool=str(tmp_path / "other.parquet"))})


def test_studies_of_one_name_go_by_their_folders(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    inputs = opened(tiny_study)
    other = opened(tiny_study, name="other")
    assert names_of([finished(inputs, tmp_path / "x"), finished(other, tmp_path / "y")]) == ["tiny", "other"]
    assert names_of([finished(inputs, tmp_path / "x"), finished(inputs, tmp_path / "y")]) == ["x", "y"]
    same = [finished(inputs, tmp_path / at / "out") for at in "xy"]
    assert names_of(same) == [str(one.folder) for one in same]


def test_one_study_or_an_unfinished_one_is_refused(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    inputs = opened(tiny_study)
    one = finished(inputs, tmp_path / "x")
    with pytest.raises(PinchError, match="same twice"):
        report_together([one, one], tmp_path / "out")
    with pytest.raises(PinchError, match="steps are not done"):
        report_together([one, finished(inputs, tmp_path / "y")], tmp_path / "out")
    assert not (tmp_path / "out").exists()
