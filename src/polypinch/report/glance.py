"""The top of the page, for a person with a minute: the dose picture, and endpoints with ticks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import altair as alt

from polypinch.measure import Measure
from polypinch.report.charts import Spec, finish
from polypinch.report.conclusion import AtDose, Conclusion, Endpoint
from polypinch.report.data import GROUPS

PICTURE = "doses-at-a-glance"
"""How the file names of this figure begin."""

_HEIGHT = 320
_NONE = "none"
_DOMAIN = [*GROUPS, "others"]
_GROUP = alt.Scale(domain=_DOMAIN)
# Over the same domain, so that colour and shape make one legend.
_SHAPES = alt.Scale(domain=_DOMAIN, range=["square", "triangle-up", "diamond", "circle"])
_DASHES = {"base": [5, 3], "others": [1, 0]}


@dataclass(frozen=True)
class Tick:
    """A cell of the table of endpoints.

    Attributes:
        sign: ``✓``, ``✗`` or ``?``.
        says: the same in words.
        value: the change, or empty.
        span: its interval, or empty.
    """

    sign: str
    says: str
    value: str = ""
    span: str = ""


@dataclass(frozen=True)
class TickLine:
    """A line of the table of endpoints: one dose.

    Attributes:
        dose: training examples in other languages.
        cells: of each endpoint, in their order.
        together: whether all of them hold.
    """

    dose: int
    cells: tuple[Tick, ...]
    together: Tick


_SIGNS = {True: ("✓", "holds"), False: ("✗", "fails"), None: ("?", "cannot tell")}


def tick_lines(told: Conclusion) -> list[TickLine]:
    """Return the table of endpoints, a line for each dose."""
    return [
        TickLine(
            dose,
            tuple(_tick(one.measure, one.by_dose.get(dose)) for one in told.endpoints),
            Tick(*_SIGNS[told.all_hold(dose)]),
        )
        for dose in told.doses
    ]


def _tick(measure: Measure, at: AtDose | None) -> Tick:
    if at is None:
        return Tick("–", "not measured")
    span = f"{measure.signed(at.low)} to {measure.signed(at.high)}"
    return Tick(*_SIGNS[at.holds], measure.signed(at.value), span)


def dose_picture(told: Conclusion) -> Spec:
    """Draw what each dose changes in the leading endpoint, and in others of the same measure.

    Doses stand evenly apart, as the small ones are in question; those that are enough have a ground.
    """
    leading = told.endpoints[0]
    shown = [one for one in told.endpoints if one.measure == leading.measure]
    if len({one.group for one in shown}) < len(shown):
        shown = [leading]
    names = {one.group: f"{one.over[:1].upper()}{one.over[1:]}" for one in shown}
    doses = [_NONE, *map(str, told.doses)]
    better = "lower is better" if leading.measure.lower_is_better else "higher is better"
    title, _, unit = leading.measure.change_heading.partition(", ")
    x = alt.X(
        "dose:N",
        sort=doses,
        scale=alt.Scale(type="band", domain=doses, paddingInner=0, paddingOuter=0),
        axis=alt.Axis(title=f"training examples in other languages, of {told.rows}", labelAngle=0),
    )
    ticks = f"datum.value === 0 ? '0' : format(datum.value, '{leading.measure.change_axis}')"
    y = alt.Y(
        "value:Q",
        title=[title, f"{unit} ({better})" if unit else f"({better})"],
        scale=alt.Scale(zero=True, nice=True),
        axis=alt.Axis(labelExpr=ticks, tickCount=6),
    )
    points = [point for one in shown for point in _points(one, names[one.group])]
    chart = alt.layer(*_layers(x, y, leading.measure, names, told), data=alt.Data(values=points))
    marks = "bars: 95 % intervals; filled: told from none; hollow: cannot be told"
    marks += "; shaded: every endpoint holds" if told.enough else ""
    return finish(chart, "What each dose changes, against none", marks, least=280, width=560, height=_HEIGHT)


def _points(one: Endpoint, name: str) -> Iterator[dict[str, Any]]:
    about = {"group": one.group, "name": name}
    yield {**about, "dose": _NONE, "value": 0.0, "low": 0.0, "high": 0.0, "part": "none"}
    for dose, at in one.by_dose.items():
        ends = {end: round(getattr(at, end), 6) for end in ("value", "low", "high")}
        yield {**about, "dose": str(dose), **ends, "part": "told" if at.told else "open"}


def _layers(x: alt.X, y: alt.Y, measure: Measure, names: dict[str, str], told: Conclusion) -> list[Any]:
    legend = alt.Legend(values=list(names), labelExpr=_renamed(names), symbolSize=110, symbolDash=[1, 0])
    color = alt.Color("group:N", scale=_GROUP, legend=legend)
    stroke = alt.Stroke("group:N", scale=_GROUP, legend=None)
    shape = alt.Shape("group:N", scale=_SHAPES, legend=legend)
    shift = dict(zip(names, (-5, 5) if len(names) > 1 else (0,), strict=False))
    tip = [
        alt.Tooltip("name:N", title="languages"),
        alt.Tooltip("dose:N"),
        *(alt.Tooltip(f"{end}:Q", format=measure.change_tip) for end in ("value", "low", "high")),
    ]
    enough = alt.Chart(alt.Data(values=[{"dose": str(dose)} for dose in told.enough])).encode(x=x)
    layers: list[Any] = []
    if told.enough:
        word = "enough" if told.trainings > 1 else "held"
        room = alt.expr(f"width < {54 * (len(told.doses) + 1)} ? 0 : 1")
        layers += [
            enough.mark_rect(style="enough"),
            enough.mark_text(style="quiet", fontSize=11, fontWeight=600, text=word, opacity=room).encode(
                y=alt.value(9)
            ),
        ]
    layers.append(alt.Chart(alt.Data(values=[{}])).mark_rule(style="zero").encode(y=alt.YDatum(0)))
    for group, offset in shift.items():
        own = alt.Chart().transform_filter(f"datum.group === '{group}'")
        layers += [
            own.mark_line(strokeWidth=2.25, strokeDash=_DASHES[group], xOffset=offset).encode(
                x=x, y=y, color=color
            ),
            own.transform_filter("datum.part !== 'none'")
            .mark_rule(strokeWidth=1.75, xOffset=offset)
            .encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=color),
            own.transform_filter("datum.part === 'told'")
            .mark_point(filled=True, size=95, opacity=1, xOffset=offset)
            .encode(x=x, y=y, color=color, shape=shape, tooltip=tip),
            own.transform_filter("datum.part === 'open'")
            .mark_point(filled=True, style="hollow", size=95, opacity=1, strokeWidth=2, xOffset=offset)
            .encode(x=x, y=y, stroke=stroke, shape=shape, tooltip=tip),
        ]
    return layers


def _renamed(names: dict[str, str]) -> str:
    return f"{json.dumps(names)}[datum.value]"
