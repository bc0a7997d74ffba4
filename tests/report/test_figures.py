import json
import math
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.report.figures import FIGURES, loss_change_by_dose, loss_change_heatmap, mixtures_strip
from polypinch.report.points import Scale, clamped, end_labels, joint_domain, own_domains, shown_points
from polypinch.report.theme import DARK, LIGHT, chart_config
from tests.report.fake import study

FEW = study(doses=(0, 8), seen=("es",), unseen=("ar", "zh"))
MANY = study(
    models=("one", "two"), doses=(0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 400), rows=5000,
    unseen=("ar", "cs", "et", "he", "it", "sw", "zh", "de", "ja", "pt"),
)  # fmt: skip


def values(spec: Any) -> list[dict[str, Any]]:
    if isinstance(spec, dict):
        own = spec["values"] if isinstance(spec.get("values"), list) else []
        return [row for row in own if isinstance(row, dict)] + [
            row for one in spec.values() for row in values(one)
        ]
    return [row for one in spec for row in values(one)] if isinstance(spec, list) else []


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("data", [FEW, MANY], ids=["few", "many"])
def test_a_figure_draws_its_own_model_and_names_no_colour(name: str, data: Any) -> None:
    table, draw = FIGURES[name]
    if not getattr(data, table):
        pytest.skip("two doses make no curve")
    text = json.dumps(draw(data, data.models[0]))
    assert not re.search(r"#[0-9a-fA-F]{6}", text)
    assert len(values(json.loads(text))) > 0
    if table not in ("mixtures", "curves"):
        neutral = {0.0, 50.0}
        drawn = {row["value"] for row in values(json.loads(text)) if "value" in row} - neutral
        own = {round(row.value, 6) for row in getattr(data, table) if row.model == data.models[0]}
        assert drawn
        assert drawn <= own


def test_both_themes_have_the_same_parts() -> None:
    assert chart_config(LIGHT).keys() == chart_config(DARK).keys()
    assert LIGHT.keys() == DARK.keys()


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [(text, "paper") for text in ("ink", "soft", "base", "seen", "unseen", "alarm")]
    + [("ink", "good"), ("ink", "bad"), ("ink", "wash")],
)
def test_text_has_enough_contrast(palette: dict[str, str], text: str, ground: str) -> None:
    one, other = sorted((_luminance(palette[text]), _luminance(palette[ground])))
    assert (other + 0.05) / (one + 0.05) >= 4.5  # WCAG 2.2, AA


def test_the_baseline_stands_at_no_change_and_the_untuned_base_off_the_line() -> None:
    rows = [row for row in values(loss_change_by_dose(FEW, FEW.models[0])) if "value" in row]
    assert {row["value"] for row in rows if row["arm"] == "english"} == {0.0}
    assert {row["tuned"] for row in rows if row["arm"] == "untuned"} == {False}


def test_points_tell_whether_the_arm_was_trained_on_the_language() -> None:
    data = study()
    role = {(p["arm"], p["key"]): p["role"] for p in shown_points(data, data.models[0], data.loss)}
    assert role["pinch-8", "es"] == role["pinch-8", "seen"] == role["mixed", "ar"] == "trained"
    assert role["english", "es"] == role["pinch-24", "unseen"] == "not trained"
    assert role["mixed", "en"] == "base"


def test_heatmap_is_bold_only_where_all_languages_together_leave_out_no_change() -> None:
    for row in values(loss_change_heatmap(study(), "gemma-3-270m")):
        if "sure" in row:
            assert row["sure"] == (not row["least"] <= 0 <= row["most"])
            assert -1 <= row["tone"] <= 1
    narrow = [row for row in study().loss_change if row.language in ("fi", "seen") and row.low > 0]
    assert narrow
    edge = [replace(row, low_together=-1.0) if row.low_together is not None else row for row in narrow]
    drawn = values(loss_change_heatmap(replace(study(), loss_change=edge), "gemma-3-270m"))
    assert {row["key"]: row["sure"] for row in drawn if "sure" in row} == {"fi": False, "seen": True}


@pytest.mark.parametrize("data", [FEW, MANY], ids=["few", "many"])
def test_strip_has_a_cell_for_any_dose_and_not_too_many(data: Any) -> None:
    cells = [row for row in values(mixtures_strip(data)) if "at" in row]
    for arm in data.arms:
        mine = [cell for cell in cells if cell["arm"] == arm.name]
        assert len(mine) <= 123
        assert any(cell["group"] != "base" for cell in mine) == (arm.dose_examples > 0)


def test_values_are_written_with_a_true_minus_and_zero_without_a_sign() -> None:
    measure = Scale("", "", axis="", text="+.3f")
    assert [measure.say(value) for value in (-0.0124, 0.5, 0.0, -0.0001)] == [
        "−0.012",
        "+0.500",
        "0.000",
        "−0.000",
    ]


_POINT = st.fixed_dictionaries(
    {"value": st.floats(-5, 5), "half": st.floats(0, 1), "tuned": st.booleans(), "strong": st.booleans()}
)


@given(st.lists(_POINT, min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_domain_holds_every_tuned_value_and_clamping_keeps_the_rest_inside(
    drawn: list[dict[str, Any]],
) -> None:
    points = [
        p | {"arm": str(index), "low": p["value"] - p["half"], "high": p["value"] + p["half"]}
        for index, p in enumerate(drawn)
    ]
    bottom, top = joint_domain(points, 0.0)
    assert bottom < 0 < top
    voice = any(p["strong"] for p in points)
    for before, after in zip(points, clamped(points, bottom, top, str), strict=True):
        assert bottom - 1e-6 <= after["y_low"] <= after["y"] <= after["y_high"] <= top + 1e-6
        outside = not bottom <= before["value"] <= top
        assert bool(after["off"]) == (outside and before["strong"] == voice)
        assert not (before["tuned"] and after["off"])


def test_values_off_the_scale_are_said_once_for_each_arm() -> None:
    points = [
        {"arm": "untuned", "strong": True, "value": value, "low": value, "high": value} for value in (5, 7)
    ]
    assert [point["off"] for point in clamped(points, 0, 1, str)] == ["5 to 7 ↑", ""]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 9), st.floats(0, 1)), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_panels_are_equally_wide_and_hold_their_intervals(drawn: list[tuple[str, float, float]]) -> None:
    points = [{"name": name, "tuned": True, "low": at - half, "high": at + half} for name, at, half in drawn]
    domains = own_domains(points)
    widths = [top - bottom for bottom, top in domains.values()]
    assert all(math.isclose(width, widths[0], abs_tol=1e-9) for width in widths)
    for point in points:
        bottom, top = domains[point["name"]]
        assert bottom - 1e-9 <= point["low"]
        assert point["high"] <= top + 1e-9


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=18))
@settings(max_examples=60, deadline=None)
def test_names_at_line_ends_neither_overlap_nor_swap(ends: list[float]) -> None:
    arm = study(doses=(0, 8)).arms[-1]
    points = [
        {"key": str(at), "name": f"n{at}", "group": "seen", "arm": arm.name, "strong": False, "y": y}
        for at, y in enumerate(ends)
    ]
    labels = end_labels(points, [arm], -1.0, 1.0, 400)
    places = [(1 - label["label_y"]) / 2 * 400 for label in labels]
    assert [label["y"] for label in labels] == sorted(ends, reverse=True)
    assert all(later - earlier >= 14.4 for earlier, later in pairwise(places))
    assert all(-9 <= place <= 411 for place in places)
