"""The charts that experiments share: a matrix, points with their intervals, and points over a number.

As in :mod:`polypinch.report.charts`, specs name no colour: they refer to the theme's ranges and styles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from polypinch.report import FADED, WIDTH, Rows, Scale, Spec, finish

ROW = 26  # px of a row of points
_LOW, _HIGH = alt.X("low:Q", title=None), "high:Q"


def tips(measure: Scale, *names: str) -> list[alt.Tooltip]:
    """Return a tooltip of some fields, and of a value with its interval."""
    words = [alt.Tooltip(f"{name}:N", title=name.replace("_", " ")) for name in names]
    return words + [alt.Tooltip(f"{end}:Q", format=measure.axis) for end in ("value", "low", "high")]


def axis(measure: Scale, **more: Any) -> alt.Axis:
    """Return an axis in a measure's format, on which 0 has no sign."""
    return alt.Axis(labelExpr=f"datum.value === 0 ? '0' : format(datum.value, '{measure.axis}')", **more)


def line_at(measure: Scale, **place: Any) -> Any:
    """Return a layer with one line at the neutral value, also within a facet."""
    return alt.Chart().transform_aggregate(rows="count()").mark_rule(style="zero").encode(**place)


def marked(base: Any, measure: Scale, size: int, color: alt.Color, **channels: Any) -> list[Any]:
    """Return layers of points: filled where their interval leaves out the neutral value, else hollow."""
    apart = f"(datum.low > {measure.neutral} || datum.high < {measure.neutral})"
    stroke = alt.Stroke(color["shorthand"], scale=color["scale"], legend=None)
    hollow = {"filled": True, "style": "hollow", "size": size, "opacity": 1, "strokeWidth": 2}
    told, untold = base.transform_filter(apart), base.transform_filter(f"!{apart}")
    return [
        told.mark_point(filled=True, size=size, opacity=1).encode(color=color, **channels),
        untold.mark_point(**hollow).encode(stroke=stroke, **channels),
    ]


def series_scale(names: Sequence[str]) -> alt.Scale:
    """Return a scale that gives up to two series the theme's second and third colour, three all of them."""
    return alt.Scale(domain=list(names) if len(names) > 2 else ["", *names])


def matrix(rows: Rows, down: Sequence[str], across: Sequence[str], measure: Scale) -> Spec:
    """Draw a value in each cell of ``trained`` × ``evaluated``, named by ``row`` and ``column``.

    Faded where the interval holds neutral; framed where ``own``. Colour saturates at the largest
    difference in a cell that is not a model's own language.
    """
    sign = 1 if measure.lower_is_better else -1
    foreign = [row for row in rows if not row["own"]] or rows
    reach = max((abs(row["value"] - measure.neutral) for row in foreign), default=0.0) or 1.0
    drawn = []
    for row in rows:
        tone = max(-1.0, min(1.0, sign * (row["value"] - measure.neutral) / reach))
        sure = row["low"] > measure.neutral or row["high"] < measure.neutral
        drawn.append(
            row | {"tone": tone if sure else FADED * tone, "sure": sure, "text": measure.say(row["value"])}
        )
    band = {"paddingInner": 0, "paddingOuter": 0}
    y = alt.Y(
        "row:N",
        title="tuned on",
        scale=alt.Scale(domain=list(down), **band),
        axis=alt.Axis(labelFontSize=12),
    )
    x = alt.X(
        "column:N",
        title="evaluated in",
        scale=alt.Scale(domain=list(across), **band),
        axis=alt.Axis(orient="top", labelAngle=0, labelFontSize=12, labelPadding=6),
    )
    tone = alt.Scale(domain=[-1, 0, 1], range="diverging", clamp=True, interpolate="rgb")
    base = alt.Chart().encode(x=x, y=y)
    text = {"fontSize": 11}
    layers = [
        base.mark_rect(style="cell").encode(
            color=alt.Color("tone:Q", scale=tone, legend=None), tooltip=tips(measure, "row", "column")
        ),
        base.transform_filter("datum.own").mark_rect(filled=False, style="zero"),
        base.transform_filter("datum.sure").mark_text(**text, fontWeight=700).encode(text="text:N"),
        base.transform_filter("!datum.sure").mark_text(**text, style="faded").encode(text="text:N"),
    ]
    chart = alt.layer(*layers, data=alt.Data(values=drawn))
    size = {"width": min(WIDTH - 110, 90 * len(across)), "height": 30 * len(down)}
    return finish(chart, measure.title, measure.note, least=110 + 44 * len(across), **size)


def dots(
    rows: Rows, order: Sequence[str], measure: Scale, series: Sequence[str] = (), *, zero: bool = True
) -> Spec:
    """Draw rows' values with their intervals, by ``name`` down the side and ``series`` within a name.

    Args:
        rows: with ``name``, ``series``, ``value``, ``low`` and ``high``.
        order: names from the top.
        measure: its neutral value is a line.
        series: what rows are told apart by; none where there is one alone.
        zero: whether the neutral value has to be within the picture.
    """
    several = len(series) > 1
    names = alt.Axis(labelFontSize=12, labelLimit=alt.expr("width < 420 ? 150 : 300"))
    y = alt.Y("name:N", title=None, scale=alt.Scale(domain=list(order)), axis=names)
    place: dict[str, Any] = {"y": y}
    if several:
        place["yOffset"] = alt.YOffset("series:N", scale=alt.Scale(domain=list(series), paddingOuter=0.6))
    domain = alt.Scale(zero=False)
    ticks = axis(measure, tickCount=6, grid=True)
    scale = series_scale(series)
    legend = alt.Legend(values=list(series)) if several else None
    color = alt.Color("series:N", scale=scale, legend=legend)
    shape = alt.Shape("series:N", scale=scale, legend=legend)
    base = alt.Chart().encode(**place)
    layers: list[Any] = []
    if zero:
        layers.append(line_at(measure, x=alt.XDatum(measure.neutral, scale=domain)))
    layers += [
        base.mark_rule(strokeWidth=1.75).encode(
            x=alt.X("low:Q", title=None, scale=domain, axis=ticks), x2="high:Q", color=color
        ),
        *marked(
            base,
            measure,
            70,
            x=alt.X("value:Q", title=None, scale=domain, axis=ticks),
            color=color,
            tooltip=tips(measure, "name", *(["series"] if several else [])),
            **({"shape": shape} if several else {}),
        ),
    ]
    chart = alt.layer(*layers, data=alt.Data(values=rows))
    height = max(60, (ROW if not several else 14 * len(series) + 8) * len(order))
    return finish(chart, measure.title, measure.note, least=300, width=WIDTH - 190, height=height)


def scatter_panels(chart: Any, panels: Sequence[str], measure: Scale) -> Spec:
    """Draw a chart of points in a panel each, by ``panel``, with an axis of its own along the bottom."""
    columns = min(3, max(1, len(panels)))
    width = min(420, WIDTH // columns - 60)
    header = alt.Header(labelAnchor="start", labelFontSize=11.5, labelLimit=width + 20)
    chart = chart.properties(width=width, height=250).facet(
        facet=alt.Facet("panel:N", sort=list(panels), title=None, header=header),
        columns=columns,
        spacing={"row": 50, "column": 54},
        bounds="flush",
    )
    chart = chart.resolve_scale(x="independent").resolve_axis(y="independent")
    spec = finish(chart, measure.title, measure.note, least=300)
    spec["usermeta"] |= {"gap": 54, "widest": width, "cell": 260, "fewest": 1}
    return spec
