from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from polypinch.measure import FIDELITY, MEASURES, Measure
from polypinch.report.dosing import dose_curves, dose_table
from tests.report.fake import study, without
from tests.report.test_figures import values

MODEL = "gemma-3-270m"


def parts(data: Any, part: str) -> list[dict[str, Any]]:
    return [row for row in values(dose_curves(data, MODEL)) if row.get("part") == part]


def test_every_dose_stands_at_its_place_on_a_log_axis_with_a_zero() -> None:
    spec = dose_curves(study(doses=(0, 1, 8, 64, 96)), MODEL)
    scales = (one["encoding"].get("x", {}).get("scale") for one in spec["spec"]["layer"])
    first = next(scale for scale in scales if scale)
    assert (first["type"], first["domain"], first["constant"]) == ("symlog", [0, 96], 0.5)
    measured = [row["dose"] for row in values(spec) if row.get("part") in ("none", "measured")]
    assert sorted(set(measured)) == [0, 1, 8, 64, 96]


def test_one_panel_for_each_average_and_one_where_there_is_only_one() -> None:
    assert {row["panel"] for row in parts(study(), "measured")} == {
        *("All other languages", "Seen average", "Unseen average")
    }
    only = study(unseen=())
    kept = [row for row in only.curves if row.language == "others"]
    assert {row["panel"] for row in parts(replace(only, curves=kept), "measured")} == {"All other languages"}
    lone = study(seen=("fi",), unseen=("ar",))
    assert {row["panel"] for row in parts(lone, "measured")} == {"All other languages", "Finnish", "Arabic"}


def test_what_cannot_be_told_is_drawn_so() -> None:
    told = {(row["group"], row["dose"]): row["told"] for row in parts(study(), "measured")}
    assert [told["seen", dose] for dose in (8, 24, 72)] == [False, True, True]
    assert not any(told["unseen", dose] for dose in (8, 24, 72))
    said = {row["group"]: row["said"] for row in parts(study(), "said")}
    assert said["seen"] == "smallest told, in one training: 24"
    assert said["unseen"] == "no dose can be told from none"


def test_the_noise_floor_is_a_band_and_said_to_be_unknown_with_one_seed() -> None:
    assert not parts(study(), "noise")
    assert "unknown: one seed" in str(dose_curves(study(), MODEL)["title"])
    bands = parts(study(seeds=3), "noise")
    assert {(row["low"], row["high"]) for row in bands} == {(-0.003, 0.003)}
    assert len(bands) == 3


def test_the_tests_are_a_table_with_the_sample_that_could_tell() -> None:
    table = dose_table(study(seeds=3), MODEL)
    rows = {row.name: row.cells for row in table.rows}
    seen = rows["Seen average: better than no dose"]
    assert [cell and cell["value"] for cell in seen] == ["cannot tell", "yes", "yes", "310 items or 7 seeds"]
    unseen = rows["Unseen average: better than no dose"]
    assert [cell and cell["value"] for cell in unseen] == [None, None, "cannot tell", "310 items or 7 seeds"]
    assert len(table.arms) == len(seen)
    assert not dose_table(without(study(), "doses"), MODEL).rows


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.name)
def test_the_curves_and_tests_are_those_of_the_leading_measure(measure: Measure) -> None:
    data = replace(study(seeds=3), leading=measure)
    text = json.dumps(dose_curves(data, MODEL), ensure_ascii=False)
    assert measure.change_heading in text
    assert f"{'lower' if measure.lower_is_better else 'higher'} is better" in text
    assert ("bits" in text) == (measure.name == "loss")
    noise = [row for row in data.noise if row.measure == measure.name and row.language == "others"]
    assert len(parts(data, "noise")) == (3 if noise else 0)
    if measure is FIDELITY:
        assert "%" in str(dose_table(data, MODEL).rows)
