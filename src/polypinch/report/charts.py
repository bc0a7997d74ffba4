"""The three kinds of chart: dose-response, small panels, heatmap.

Every chart puts the arms along the same axis, in order of dose and evenly apart: a linear axis would press
all small doses, the ones in question, into one point. Colours come from the theme's ranges and styles, so a
spec holds none. Dash tells seen, unseen and base apart as well, and a point's shape whether its language was
trained on in that very arm: a fully mixed arm may train on languages that are unseen elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import altair as alt

from polypinch.report.data import GROUPS, UNTUNED, ArmInfo, ReportData, Rows
from polypinch.report.estimates import ArmEstimate, TaskScore
from polypinch.report.points import (
    Scale,
    base_name,
    clamped,
    end_labels,
    joint_domain,
    noise_of,
    own_domains,
    shown_arms,
    shown_points,
    untold_doses,
)
from polypinch.report.tables import is_average, row_names

Spec = dict[str, Any]

WIDTH = 900  # px of a figure on paper; on the page, as wide as the column
_HEIGHT = 400
_SPAN = 104  # px of a cell that has room for an interval
FADED = 0.25  # of the tone of a cell that cannot be told
_GAP = 44  # px between panels, room for the next one's axis
_TITLES = {"base": "base", "seen": "in the pinch: seen", "unseen": "not in the pinch: unseen"}

_GROUP = alt.Scale(domain=list(GROUPS))
_COLOR = alt.Color("group:N", scale=_GROUP, legend=None)
_STROKE = alt.Stroke("group:N", scale=_GROUP, legend=None)
_DASH = alt.StrokeDash(
    "group:N", scale=alt.Scale(domain=list(GROUPS), range=[[2, 3], [1, 0], [7, 3]]), legend=None
)
_SHAPE = alt.Shape(
    "role:N",
    scale=alt.Scale(domain=["base", "trained", "not trained"], range=["square", "circle", "diamond"]),
    legend=None,
)
_LOW, _HIGH = alt.Y("y_low:Q", title=None), "y_high:Q"


def finish(chart: Any, title: str, note: str, *, least: int, **size: Any) -> Spec:
    """Return a chart's spec with title and size.

    ``usermeta.least`` is the width in pixels below which the page lets the chart scroll.
    """
    heading = alt.Title(title, subtitle=_wrapped(note))
    spec: Spec = chart.properties(title=heading, usermeta={"least": least}, **size).to_dict()
    spec.pop("config", None)
    return spec


def _wrapped(note: str, width: int = 110) -> list[str]:
    lines: list[str] = []
    for part in note.split("; "):
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += f"; {part}"
        else:
            lines.append(part)
    return lines


def arm_axis(arms: list[ArmInfo], *, room: int | None = None, **more: Any) -> alt.Axis:
    """Label arms by dose and name over two lines; by the bare dose under ``room`` px each."""
    full = {arm.name: ["untuned", "base"] if arm.name == UNTUNED else [arm.label, arm.name] for arm in arms}
    bare = {arm.name: ["base"] if arm.name == UNTUNED else [str(arm.dose_examples)] for arm in arms}
    expression, short = (f"{json.dumps(words)}[datum.value]" for words in (full, bare))
    if room is not None:
        expression = f"width < {room * len(arms)} ? {short} : {expression}"
    return alt.Axis(labelExpr=expression, labelAngle=0, labelLimit=150, **more)


def _bare_axis(arms: list[ArmInfo]) -> alt.Axis:
    bare = {arm.name: "" if arm.name == UNTUNED else str(arm.dose_examples) for arm in arms}
    expression = f"{json.dumps(bare)}[datum.value]"
    return alt.Axis(
        labelExpr=expression,
        labelAngle=0,
        labelFontSize=10,
        labelPadding=5,
        labelOverlap="greedy",
        labelSeparation=3,
    )


def _tooltip(number: str) -> list[alt.Tooltip]:
    words = [alt.Tooltip("name:N", title="language"), alt.Tooltip("dose:N"), alt.Tooltip("arm:N")]
    return words + [alt.Tooltip(f"{name}:Q", format=number) for name in ("value", "low", "high")]


def dose_response(
    data: ReportData, model: str, table: Sequence[ArmEstimate], measure: Scale, noise: str
) -> Spec:
    """Draw averages and the base language with intervals, single languages thin, each named at its end.

    The untuned base stands apart. A mark is filled where its arm is told from no difference. All models
    share one domain, so their charts compare. ``noise`` names the measure whose noise floor, that of the
    average over all other languages, is a grey band.
    """
    everything = [point for name in data.models for point in shown_points(data, name, table)]
    spreads = {name: noise_of(data, name, noise, "others") for name in data.models}
    widest = max((spread for spread in spreads.values() if spread is not None), default=0.0)
    bottom, top = joint_domain(everything, measure.neutral, widest)
    spread = spreads[model]
    points = clamped(shown_points(data, model, table), bottom, top, measure.say)
    untold = untold_doses(data, model) if noise == data.leading.name else set()
    for point in points:
        apart = point["low"] > measure.neutral or point["high"] < measure.neutral
        point["told"] = apart and (point["arm"], point["key"]) not in untold
    arms = shown_arms(data, points)
    x = alt.X(
        "arm:N",
        sort=[arm.name for arm in arms],
        scale=alt.Scale(type="point", padding=0.45),
        axis=arm_axis(
            arms,
            room=74,
            labelOverlap="greedy",
            labelSeparation=4,
            title=f"dose: training examples that are not in {base_name(data)}",
        ),
    )
    ticks = f"datum.value === 0 ? '0' : format(datum.value, '{measure.axis}')"
    scale = alt.Scale(domain=[bottom, top], nice=False, zero=False)
    y = alt.Y("y:Q", title=None, scale=scale, axis=alt.Axis(labelExpr=ticks, tickCount=6))
    base = alt.Chart().encode(x=x, y=y)
    hover = alt.selection_point(
        name="hover", fields=["key"], on="pointerover", nearest=True, clear="pointerout", empty=False
    )
    layers = [
        *(_floor(measure.neutral, spread) if spread is not None else []),
        alt.Chart(alt.Data(values=[{}])).mark_rule(style="zero").encode(y=alt.YDatum(measure.neutral)),
        *_thin(base.transform_filter("!datum.strong"), hover),
    ]
    for group, shift in zip(GROUPS, (-6, 0, 6), strict=True):
        if any(point["strong"] and point["group"] == group for point in points):
            layers += _strong(base.transform_filter(f"datum.strong && datum.group === '{group}'"), shift)
    aim = base.mark_point(size=240, opacity=0).encode(tooltip=_tooltip(measure.axis), detail="key:N")
    layers.append(aim.add_params(hover))
    labels = end_labels(points, arms, bottom, top, _HEIGHT)
    layers += _names(labels, x) if labels else []
    chart = alt.layer(*layers, data=alt.Data(values=points))
    floor = "noise floor unknown: one seed" if spread is None else f"grey: noise floor, ±{_plain(spread)}"
    note = f"{measure.note}; {floor}"
    return finish(chart, measure.title, note, least=330, width=WIDTH - 150, height=_HEIGHT)


def _plain(spread: float) -> str:
    return f"{spread:.2g}" if spread < 1 else f"{spread:.1f}"


def _floor(neutral: float, spread: float) -> list[Any]:
    band = alt.Chart(alt.Data(values=[{}])).mark_rect(style="noise")
    return [band.encode(y=alt.YDatum(neutral - spread), y2=alt.Y2Datum(neutral + spread))]


def _thin(thin: Any, hover: Any) -> list[Any]:
    """Draw single languages as thin lines; the one pointed at stands out and shows its intervals."""
    line = thin.transform_filter("datum.tuned").mark_line()
    return [
        line.encode(
            color=_COLOR,
            strokeDash=_DASH,
            detail="key:N",
            strokeWidth=alt.condition(hover, alt.value(2.5), alt.value(1)),
            opacity=alt.condition(hover, alt.value(1), alt.value(0.45)),
        ),
        thin.mark_rule(strokeWidth=1.5).encode(
            y=_LOW, y2=_HIGH, color=_COLOR, opacity=alt.condition(hover, alt.value(1), alt.value(0))
        ),
    ]


def _strong(mine: Any, shift: int) -> list[Any]:
    """Draw one average, or the base language: band, line, whiskers, points; hollow where nothing is told."""
    tuned, untuned = mine.transform_filter("datum.tuned"), mine.transform_filter("!datum.tuned")
    off = untuned.transform_filter("datum.off")
    return [
        tuned.mark_area(opacity=0.13, xOffset=shift).encode(y=_LOW, y2=_HIGH, color=_COLOR),
        tuned.mark_line(strokeWidth=2.75, xOffset=shift).encode(color=_COLOR, strokeDash=_DASH),
        mine.mark_rule(strokeWidth=1.75, xOffset=shift).encode(y=_LOW, y2=_HIGH, color=_COLOR),
        mine.transform_filter("datum.told")
        .mark_point(filled=True, size=75, opacity=1, xOffset=shift)
        .encode(color=_COLOR, shape=_SHAPE),
        mine.transform_filter("!datum.told && !datum.even")
        .mark_point(filled=True, style="hollow", size=75, opacity=1, strokeWidth=2, xOffset=shift)
        .encode(stroke=_STROKE, shape=_SHAPE),
        off.mark_text(style="quiet", dx=shift, dy=alt.expr("datum.value > datum.y ? -12 : 14")).encode(
            text="off:N"
        ),
    ]


def _names(labels: Rows, x: alt.X) -> list[Any]:
    base = alt.Chart(alt.Data(values=labels))
    y = alt.Y("label_y:Q", title=None)
    name = alt.expr("width < 420 ? datum.short : datum.name")
    leader = base.mark_rule(style="hair")
    layers = [leader.encode(x=x, x2=alt.value(alt.expr("width + 8")), y="y:Q", y2="label_y:Q")]
    for strong, size, weight in (("datum.strong", 12, 700), ("!datum.strong", 11, 400)):
        text = base.transform_filter(strong).mark_text(
            align="left", dx=12, fontSize=size, fontWeight=weight, text=name
        )
        layers.append(text.encode(x=alt.value("width"), y=y, color=_COLOR))
    return layers


def panels(
    data: ReportData,
    model: str,
    table: Sequence[ArmEstimate | TaskScore],
    measure: Scale,
    *,
    shared: tuple[float, float] | None = None,
) -> Spec:
    """Draw one small panel for each language and average, all with one domain or all equally wide.

    What rests on one item is not drawn; a language with too few items for a conclusion is drawn faint.
    """
    points = shown_points(data, model, [row for row in table if row.n_items != 1])
    arms = shown_arms(data, points)
    names = [name for key, name, _ in row_names(data) if any(point["key"] == key for point in points)]
    domains = own_domains(points)
    drawn: Rows = []
    for name in names:
        bottom, top = shared or domains[name]
        mine = clamped([point for point in points if point["name"] == name], bottom, top, measure.say)
        drawn += [point | {"bottom": bottom, "top": top} for point in mine]
    x = alt.X(
        "arm:N",
        sort=[arm.name for arm in arms],
        title=None,
        scale=alt.Scale(type="point", padding=0.5),
        axis=_bare_axis(arms),
    )
    scale = alt.Scale(domain=list(shared), nice=False) if shared else alt.Scale(zero=False, nice=False)
    axis = alt.Axis(format=measure.axis, tickCount=4, labelFontSize=10, labelPadding=4)
    base = alt.Chart().encode(x=x, y=alt.Y("y:Q", title=None, scale=scale, axis=axis))
    tuned, untuned = base.transform_filter("datum.tuned"), base.transform_filter("!datum.tuned")
    dots = {"filled": True, "size": 42}
    tip = _tooltip(measure.axis)
    layers = [
        # Unseen points stretch each panel to its domain: facets take no domain of their own.
        *(
            base.mark_point(opacity=0, size=0).encode(y=alt.Y(f"{end}:Q", title=None))
            for end in ("bottom", "top")
        ),
        base.mark_rule(strokeWidth=1.25).encode(y=_LOW, y2=_HIGH, color=_COLOR, opacity=_faint(0.75)),
        tuned.mark_line(strokeWidth=1.75).encode(color=_COLOR, strokeDash=_DASH, opacity=_faint(1)),
        tuned.mark_point(**dots).encode(color=_COLOR, shape=_SHAPE, tooltip=tip, opacity=_faint(1)),
        untuned.mark_point(shape="stroke", size=130, strokeWidth=2.5).encode(
            stroke=_STROKE, tooltip=tip, opacity=_faint(1)
        ),
        untuned.transform_filter("datum.off")
        .mark_text(style="quiet", align="left", dx=7)
        .encode(text="off:N"),
    ]
    columns = min(5, max(1, len(names)))
    chart = alt.layer(*layers, data=alt.Data(values=drawn)).properties(width=WIDTH // 5 - _GAP, height=118)
    header = alt.Header(labelAnchor="start", labelPadding=8)
    chart = chart.facet(
        facet=alt.Facet("name:N", sort=names, title=None, header=header),
        columns=columns,
        spacing={"row": 58, "column": _GAP},
        bounds="flush",
    ).resolve_axis(x="independent", y="independent")
    chart = chart.resolve_scale(y="shared" if shared else "independent")
    spec = finish(chart, measure.title, measure.note, least=300)
    spec["usermeta"] |= {"gap": _GAP}
    return spec


def _faint(opacity: float) -> Any:
    """Return an opacity, less where there are too few items for a conclusion on one language."""
    return alt.condition("datum.few", alt.value(0.4 * opacity), alt.value(opacity))


def heatmap(data: ReportData, model: str, table: Sequence[ArmEstimate], measure: Scale) -> Spec:
    """Draw language × arm: values in cells with their intervals; faded where they do not differ from neutral.

    What is not faded holds for all languages of an arm together, where the rows have such intervals.
    Colour saturates at the largest difference of a tuned arm, lest the untuned base pale the rest.
    """
    points = shown_points(data, model, table)
    arms = shown_arms(data, points)
    neutral, sign = measure.neutral, 1 if measure.lower_is_better else -1
    reach = max((abs(p["value"] - neutral) for p in points if p["tuned"]), default=0.0) or 1.0
    for p in points:
        p["sure"] = p["least"] > neutral or p["most"] < neutral
        tone = max(-1.0, min(1.0, sign * (p["value"] - neutral) / reach))
        p["tone"] = tone if p["sure"] else FADED * tone
        p["text"] = ("• " if p["role"] == "trained" else "") + measure.say(p["value"])
        p["span"] = f"{measure.say(p['low'])} to {measure.say(p['high'])}"
    order: list[str] = []
    for group in GROUPS:
        keys = {point["key"] for point in points if point["group"] == group}
        named = [name for key, name, _ in row_names(data) if key in keys]
        order += [*([_TITLES[group]] if order and named else []), *named]
    averages = json.dumps([name for key, name, _ in row_names(data) if is_average(key)])
    is_title = f"indexof({json.dumps(list(_TITLES.values()))}, datum.value) >= 0"
    bold = alt.condition(f"indexof({averages}, datum.value) >= 0", alt.value(700), alt.value(400))
    band = {"paddingInner": 0, "paddingOuter": 0}
    y = alt.Y(
        "name:N",
        title=None,
        scale=alt.Scale(domain=order, **band),
        axis=alt.Axis(labelExpr=f"{is_title} ? '' : datum.value", labelFontWeight=bold, labelFontSize=12),
    )
    axis = arm_axis(arms, orient="top", labelPadding=22)
    x = alt.X("arm:N", title=None, sort=[arm.name for arm in arms], scale=alt.Scale(**band), axis=axis)
    tone = alt.Scale(domain=[-1, 0, 1], range="diverging", clamp=True, interpolate="rgb")
    base = alt.Chart().encode(x=x, y=y)
    # Where cells are too narrow for their intervals, the table below has them.
    span = {"fontSize": 10, "opacity": alt.expr(f"width < {_SPAN * len(arms)} ? 0 : 1")}
    titles = alt.Data(values=[{"title": title} for title in _TITLES.values() if title in order])
    layers = [
        base.mark_rect(style="cell").encode(
            color=alt.Color("tone:Q", scale=tone, legend=None), tooltip=_tooltip(measure.axis)
        ),
        base.transform_filter("datum.sure").mark_text(dy=-5, fontWeight=700).encode(text="text:N"),
        base.transform_filter("!datum.sure").mark_text(dy=-5, style="faded").encode(text="text:N"),
        base.transform_filter("datum.sure").mark_text(dy=8, **span).encode(text="span:N"),
        base.transform_filter("!datum.sure").mark_text(dy=8, style="faded", **span).encode(text="span:N"),
        alt.Chart(titles)
        .mark_text(style="quiet", align="left", dy=8, fontSize=11, fontStyle="italic")
        .encode(x=alt.value(2), y="title:N", text="title:N"),
    ]
    chart = alt.layer(*layers, data=alt.Data(values=points))
    size = {"width": min(WIDTH - 130, 150 * max(1, len(arms))), "height": 32 * len(order)}
    return finish(chart, measure.title, measure.note, least=118 + 64 * len(arms), **size)
