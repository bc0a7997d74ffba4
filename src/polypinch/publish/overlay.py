"""Several studies' dose-response in one chart: a colour and a shape for each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from polypinch.report import UNTUNED, ArmEstimate, ReportData, Rows, Scale, Spec, finish, known

PANELS = {"seen": "In the pinch: seen", "unseen": "Not in the pinch: unseen", "others": "All other languages"}
SHAPES = [
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "cross",
    "triangle-down",
    "triangle-left",
    "triangle-right",
]
_APART = 5  # px between studies at one dose, lest their whiskers overprint
_PANEL = {"width": 380, "height": 300}
_GAP = 60


@dataclass(frozen=True)
class Series:
    """One base model of one study.

    Attributes:
        name: what tells it from the others.
        study: its study's name on the page.
        model: the base model.
        data: the study's report.
    """

    name: str
    study: str
    model: str
    data: ReportData


def overlay(
    series: list[Series],
    tables: Sequence[Sequence[ArmEstimate]],
    measure: Scale,
    base: str,
    neutral: float | None,
    curves: bool = False,
) -> Spec:
    """Draw averages over other languages by dose, with intervals; seen and unseen in panels of their own.

    Doses stand at their places on a scale that is logarithmic but for its start, where no dose is. They are
    counts where all studies have equally many training examples, and shares otherwise.

    Args:
        series: at most eight.
        tables: the measure's rows of each.
        measure: what it is called.
        base: the base language's name.
        neutral: the value that means no difference, if there is one.
        curves: the measure is what the studies' dose curves are of: each fitted one stands for the lines from
            dose to dose.
    """
    by_share = len({arm.rows for one in series for arm in one.data.arms if arm.rows}) > 1
    points = [
        point
        for one, rows in zip(series, tables, strict=True)
        for point in _points(one, rows, by_share=by_share)
    ]
    fitted = [row for one in series for row in _fitted(one, by_share=by_share)] if curves else []
    drawn = {(row["series"], row["panel"]) for row in fitted}
    for point in points:
        point["joined"] = point["joined"] and (point["series"], point["panel"]) not in drawn
    points += fitted
    panels = [name for key, name in PANELS.items() if any(point["panel"] == name for point in points)]
    if len(panels) > 1:
        panels = [name for name in panels if name != PANELS["others"]]
    doses = sorted({point["x"] for point in points if not point["fitted"]})
    number = ".2~p" if by_share else "~d"
    what = "share" if by_share else "number"
    x = alt.X(
        "x:Q",
        scale=alt.Scale(
            type="symlog",
            constant=next((dose for dose in doses if dose), 1),
            nice=False,
            zero=False,
            padding=18,
        ),
        axis=alt.Axis(
            values=doses, format=number, labelOverlap="greedy", labelSeparation=4, labelFlush=False
        ),
        title=f"dose: {what} of training examples that are not in {base}",
    )
    ticks = f"datum.value === 0 ? '0' : format(datum.value, '{measure.axis}')"
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(labelExpr=ticks, tickCount=6))
    names = [one.name for one in series]
    longest = max(map(len, names))
    legend = alt.Legend(
        columns=1 if longest * len(names) > 44 else 0, labelLimit=320, symbolSize=90, symbolOpacity=1
    )
    color = alt.Color("series:N", scale=alt.Scale(domain=names, range="ordinal"), legend=legend)
    shape = alt.Shape("series:N", scale=alt.Scale(domain=names, range=SHAPES[: len(names)]), legend=legend)
    whole = alt.Chart().encode(x=x, y=y)
    span = {"y": alt.Y("low:Q", title=None), "y2": "high:Q"}
    layers = []
    if neutral is not None:
        layers.append(alt.Chart().mark_rule(style="zero").encode(y=alt.YDatum(neutral)))
    for at, name in enumerate(names):
        shift = (at - (len(names) - 1) / 2) * _APART
        mine = whole.transform_filter(f"datum.series === {json.dumps(name)}")
        measured = mine.transform_filter("!datum.fitted")
        layers += [
            mine.transform_filter("datum.fitted").mark_area(opacity=0.12).encode(**span, color=color),
            mine.transform_filter("datum.fitted").mark_line(strokeWidth=2.25).encode(color=color),
            mine.transform_filter("datum.joined")
            .mark_line(strokeWidth=2.25, xOffset=shift)
            .encode(color=color),
            measured.mark_rule(strokeWidth=1.5, xOffset=shift).encode(**span, color=color),
            measured.mark_point(filled=True, size=70, opacity=1, xOffset=shift).encode(
                color=color, shape=shape, tooltip=_tooltip(measure.axis)
            ),
        ]
    chart = alt.layer(*layers, data=alt.Data(values=[p for p in points if p["panel"] in panels]))
    chart = chart.properties(**_PANEL).facet(
        facet=alt.Facet(
            "panel:N", sort=panels, title=None, header=alt.Header(labelAnchor="start", labelPadding=8)
        ),
        columns=len(panels),
        spacing={"row": 100, "column": _GAP},
        bounds="flush",
    )
    chart = chart.resolve_axis(x="independent", y="independent")
    spec = finish(chart, measure.title, measure.note, least=300)
    spec["usermeta"] |= {"gap": _GAP, "cell": 340, "widest": 420, "fewest": 1}
    return spec


def _tooltip(number: str) -> list[alt.Tooltip]:
    words = [alt.Tooltip("series:N", title="study"), alt.Tooltip("dose:N"), alt.Tooltip("arm:N")]
    return words + [alt.Tooltip(f"{name}:Q", format=number) for name in ("value", "low", "high")]


def _points(one: Series, rows: Sequence[ArmEstimate], *, by_share: bool) -> Rows:
    arms = {arm.name: arm for arm in one.data.arms if arm.name != UNTUNED}
    found = []
    for row in rows:
        arm = arms.get(row.arm)
        if arm is None or row.model != one.model or row.language not in PANELS or not known(row.value):
            continue
        found.append(
            {
                "series": one.name,
                "panel": PANELS[row.language],
                "arm": arm.name,
                "dose": arm.label,
                "x": round(arm.dose_share, 6) if by_share else arm.dose_examples,
                **{name: round(getattr(row, name), 6) for name in ("value", "low", "high")},
            }
        )
    # Arms of one dose differ in something else: a line through both would be no dose-response.
    places = [(point["panel"], point["x"]) for point in found]
    joined = len(set(places)) == len(places)
    return [point | {"joined": joined, "fitted": False} for point in found]


def _fitted(one: Series, *, by_share: bool) -> Rows:
    """Return the saturating fits through a study's doses, where its arms have one number of rows."""
    rows = {arm.rows for arm in one.data.arms if arm.name != UNTUNED}
    if by_share and len(rows) > 1:
        return []
    whole = rows.pop() if by_share else 1
    kinds = {language.group for language in one.data.languages} - {"base"}
    # Where all other languages are seen, or none is, their average goes by two names.
    alias = {"others": PANELS[kinds.pop()]} if len(kinds) == 1 else {}
    return [
        {
            "series": one.name,
            "panel": panel,
            "x": round(row.dose / whole, 6) if by_share else round(row.dose, 3),
            **{name: round(getattr(row, name), 6) for name in ("value", "low", "high")},
            "joined": False,
            "fitted": True,
        }
        for row in one.data.curves
        if row.model == one.model and row.curve == "saturating"
        for panel in {PANELS.get(row.language, ""), alias.get(row.language, "")} - {""}
    ]
