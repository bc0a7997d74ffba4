"""The dose on a real axis: measured changes, the curves through them, and what can be told.

The axis is logarithmic with a zero: symmetric log, linear up to half of the smallest dose. One panel for each
average over languages, so that bands do not hide each other.
"""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from polypinch.measure import Measure
from polypinch.report.charts import WIDTH, Spec, finish
from polypinch.report.data import GROUPS, ReportData, Rows
from polypinch.report.estimates import DoseTest
from polypinch.report.layout import ArmLine, ArmTable, Head
from polypinch.report.points import base_name, noise_of
from polypinch.report.tables import number_text

_GAP = 54  # px between panels, room for the next one's axis
_HEIGHT = 300
_NAMES = {"others": "All other languages", "seen": "Seen average", "unseen": "Unseen average"}
_MEMBERS = {"others": ("seen", "unseen"), "seen": ("seen",), "unseen": ("unseen",)}
_GROUP = alt.Scale(domain=[*GROUPS, "others"])
_COLOR = alt.Color("group:N", scale=_GROUP, legend=None)
_STROKE = alt.Stroke("group:N", scale=_GROUP, legend=None)


def panel_names(data: ReportData) -> dict[str, str]:
    """Return the averages' names in the order of their panels; a language alone has its own name."""
    found = {}
    for key, name in _NAMES.items():
        members = [one.name for one in data.languages if one.group in _MEMBERS[key]]
        found[key] = members[0] if len(members) == 1 else name
    return found


def smallest_told(data: ReportData, model: str, group: str) -> int | None:
    """Return the minimum effective dose of a group, or ``None`` where none can be told."""
    return next(
        (
            row.dose
            for row in data.doses
            if (row.model, row.language, row.question) == (model, group, "effective") and row.smallest
        ),
        None,
    )


def told_of(data: ReportData, model: str, group: str) -> set[int]:
    """Return the doses of a group that are themselves told to be better than none."""
    return {
        row.dose
        for row in data.doses
        if (row.model, row.language, row.question) == (model, group, "effective") and row.told
    }


def _smallest_word(data: ReportData, model: str) -> str:
    one = any(row.model == model and row.n_seeds < 2 for row in data.doses)
    return "smallest told, in one training" if one else "smallest that works"


def _parts(data: ReportData, model: str) -> Rows:
    """Return all that is drawn, by panel and part."""
    rows = [row for row in data.curves if row.model == model]
    names = panel_names(data)
    parts: Rows = []
    for group in dict.fromkeys(row.language for row in rows):
        about = {"panel": names[group], "group": group}
        least, told_doses = smallest_told(data, model, group), told_of(data, model, group)
        for row in rows:
            if row.language != group:
                continue
            numbers = {end: round(getattr(row, end), 6) for end in ("dose", "value", "low", "high")}
            part = "none" if row.curve == "measured" and row.dose == 0 else row.curve
            parts.append({**about, "part": part, **numbers, "told": row.dose in told_doses})
        spread = noise_of(data, model, data.leading.name, group)
        if spread is not None:
            parts.append({**about, "part": "noise", "low": -spread, "high": spread})
        said = "no dose can be told from none" if least is None else f"{_smallest_word(data, model)}: {least}"
        parts.append({**about, "part": "said", "dose": least, "said": said})
    return parts


def dose_curves(data: ReportData, model: str) -> Spec:
    """Draw the change of the leading measure over the dose, with a monotone and a saturating fit."""
    parts = _parts(data, model)
    measured = [part for part in parts if part["part"] in ("none", "measured")]
    doses = sorted({part["dose"] for part in measured})
    bend = doses[1] / 2
    ends = [0.0, *(part[end] for part in parts for end in ("low", "high") if end in part)]
    margin = 0.06 * (max(ends) - min(ends)) or 0.01
    largest = doses[-1]
    for part in parts:
        if part["part"] == "said" and part["dose"] is not None:
            part["right"] = math.log1p(part["dose"] / bend) > 0.5 * math.log1p(largest / bend)
    x = alt.X(
        "dose:Q",
        scale=alt.Scale(type="symlog", constant=bend, domain=[0, largest], nice=False, padding=9),
        axis=alt.Axis(
            title=f"examples not in {base_name(data)}", values=doses, format="~f", labelFontSize=10,
            labelPadding=5, labelOverlap="greedy", labelSeparation=3, grid=False,
        ),
    )  # fmt: skip
    scale = alt.Scale(domain=[min(ends) - margin, max(ends) + 2.5 * margin], nice=False, zero=False)
    ticks = f"datum.value === 0 ? '0' : format(datum.value, '{data.leading.change_axis}')"
    y = alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(labelExpr=ticks, tickCount=6))
    panels = list(dict.fromkeys(part["panel"] for part in parts))
    columns = len(panels)
    width = (WIDTH - 40) // columns - _GAP
    chart = alt.layer(*_layers(x, y, data.leading), data=alt.Data(values=parts)).properties(
        width=width, height=_HEIGHT
    )
    chart = chart.facet(
        facet=alt.Facet("panel:N", sort=panels, title=None, header=alt.Header(labelAnchor="start")),
        columns=columns,
        spacing={"row": 64, "column": _GAP},
        bounds="flush",
    ).resolve_axis(x="independent", y="independent")
    spread = noise_of(data, model, data.leading.name, "others")
    noise = "grey: noise floor" if spread is not None else "noise floor unknown: one seed"
    better, worsens = ("lower", "rises") if data.leading.lower_is_better else ("higher", "falls")
    note = (
        f"the dose is on a log axis with a zero; {better} is better;"
        f" line: saturating fit, dashes: fit that never {worsens}; bands and whiskers: 95 %;"
        f" hollow: cannot be told from no dose; {noise}"
    )
    spec = finish(chart, f"Over the dose: {data.leading.change_heading}", note, least=300)
    spec["usermeta"] |= {"gap": _GAP, "cell": 250, "fewest": 1, "widest": WIDTH}
    return spec


def _layers(x: alt.X, y: alt.Y, measure: Measure) -> list[Any]:
    def part(name: str, more: str = "true") -> Any:
        return alt.Chart().transform_filter(f"datum.part === '{name}' && {more}")

    low, high = alt.Y("low:Q", title=None), "high:Q"
    tip = [
        alt.Tooltip("dose:Q"),
        *(alt.Tooltip(f"{name}:Q", format=measure.change_tip) for name in ("value", "low", "high")),
    ]
    dots = {"filled": True, "size": 70, "opacity": 1}
    said: dict[str, Any] = {"style": "quiet", "fontSize": 11}
    top = alt.value(6)
    return [
        part("noise").mark_rect(style="noise").encode(y=low, y2=high),
        part("none").mark_rule(style="zero").encode(y=alt.YDatum(0)),
        part("saturating").mark_area(opacity=0.13).encode(x=x, y=low, y2=high, color=_COLOR),
        part("saturating").mark_line(strokeWidth=2.5).encode(x=x, y=y, color=_COLOR),
        part("isotonic").mark_area(opacity=0.07).encode(x=x, y=low, y2=high, color=_COLOR),
        part("isotonic").mark_line(strokeWidth=1.25, strokeDash=[4, 3]).encode(x=x, y=y, color=_COLOR),
        part("said", "datum.dose !== null").mark_rule(style="zero", strokeDash=[2, 3]).encode(x=x),
        part("measured").mark_rule(strokeWidth=1.75).encode(x=x, y=low, y2=high, color=_COLOR),
        part("measured", "datum.told").mark_point(**dots).encode(x=x, y=y, color=_COLOR, tooltip=tip),
        part("measured", "!datum.told")
        .mark_point(**dots, style="hollow", strokeWidth=2)
        .encode(x=x, y=y, stroke=_STROKE, tooltip=tip),
        part("said", "datum.dose !== null && datum.right")
        .mark_text(**said, align="right", dx=-5)
        .encode(x=x, y=top, text="said:N"),
        part("said", "datum.dose !== null && !datum.right")
        .mark_text(**said, align="left", dx=5)
        .encode(x=x, y=top, text="said:N"),
        part("said", "datum.dose === null")
        .mark_text(**said, align="left", fontStyle="italic")
        .encode(x=alt.value(4), y=top, text="said:N"),
    ]


def dose_table(data: ReportData, model: str) -> ArmTable:
    """Lay the tests of doses out as question × dose, as :func:`~polypinch.report.tables.pivot` does."""
    tests = [row for row in data.doses if row.model == model]
    tried = {row.arm for row in tests}
    arms = [arm for arm in data.arms if arm.name in tried]
    names = panel_names(data)
    asked = {"effective": "better than no dose", "within margin": "as good as the largest"}
    rows = []
    for question, language in dict.fromkeys((row.question, row.language) for row in tests):
        mine = {row.arm: row for row in tests if (row.question, row.language) == (question, language)}
        cells = [_test(mine[arm.name], data.leading) if arm.name in mine else None for arm in arms]
        ended = next((row for row in mine.values() if row.needed_effect is not None), None)
        name = f"{names[language]}: {asked[question]}"
        rows.append(ArmLine(name, False, False, [*cells, _needed(ended, data.leading)]))
    last = Head("could tell", "the next smaller dose")
    return ArmTable("tests of doses", "question", [*arms, last], rows)


def _test(row: DoseTest, measure: Measure) -> dict[str, str]:
    value, low, high = (number_text(end, measure.change_text) for end in (row.value, row.low, row.high))
    return {"value": "yes" if row.told else "cannot tell", "span": f"{value}, {low} to {high}"}


def _needed(row: DoseTest | None, measure: Measure) -> dict[str, str] | None:
    if row is None or row.needed_effect is None:
        return None
    items, seeds = row.needed_items, row.needed_seeds
    said = [
        *([f"{items:,} items"] if items is not None else []),
        *([f"{seeds} seeds"] if seeds is not None else []),
    ]
    effect = f"an effect of {measure.amount(row.needed_effect)}"
    return {"value": " or ".join(said) or "no sample", "span": effect}
