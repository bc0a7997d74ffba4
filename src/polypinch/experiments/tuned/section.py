"""Tuned against untuned: wins, ties and losses, and the change of loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from polypinch.experiments.marks import axis, line_at, marked, tips
from polypinch.experiments.tuned.measure import Change, Shares, Tuned
from polypinch.experiments.wording import (
    AS_PAPER,
    OfLanguage,
    basis,
    heading,
    loss_measure,
    names_of,
    one_seed,
    said,
)
from polypinch.judge import ALL
from polypinch.report import (
    WIDTH,
    Cells,
    Numbers,
    Part,
    Picture,
    ReportData,
    Scale,
    Spec,
    file_name,
    finish,
    known,
    record,
)

_ALL = "all languages"
_LEVELS = ("win", "tie", "loss")


def section(data: ReportData, shown: Tuned) -> Part:
    """Return the section on tuned models against the untuned base."""
    shares, changes, against = shown.shares, shown.changes, shown.against
    lead = {
        "untuned": "Every arm against the untuned base, in every language.",
        "monolingual": "In each language the model tuned on the whole budget in it, the opponent of all"
        " scores here, against the untuned base.",
    }.get(against, f"{against}, the opponent of all scores here, against the untuned base.")
    pictures = [
        Picture(
            file_name(data, "tuned-shares", shown.model),
            AS_PAPER,
            _bars(data, shares),
            "Of all pairs of answers, those that the tuned model won (blue), tied (grey) and lost (red). A"
            f" pair judged otherwise in the other order is a tie. {basis(shares)}",
            "tuned",
            _share_numbers(data, shares),
        )
    ]
    if changes:
        note = "against the untuned base, paired by item; lower is better"
        pictures.append(
            Picture(
                file_name(data, "tuned-loss", shown.model),
                "Change of held-out loss, with intervals",
                _points(data, changes, loss_measure(note)),
                "Each point is the change on the same responses. Left of the line, tuning helps the model to"
                f" predict good responses; an interval that holds 0 cannot be told from no change."
                f" {basis(changes)}",
                "tuned_loss",
                _loss_numbers(data, changes),
            )
        )
    return Part(
        heading(data, shown.model, "What does tuning give at all?", "Figure 10"),
        "tuned",
        lead,
        one_seed((*shares, *changes)),
        tuple(pictures),
        {"tuned": shares, "tuned_loss": changes},
    )


def _names(data: ReportData, rows: Sequence[OfLanguage]) -> list[tuple[str, str]]:
    """Return (key, name) of languages in the study's order, all of them together first."""
    name = names_of(data)
    there = {row.language for row in rows}
    tags = [one.tag for one in data.languages if one.tag in there]
    return [*([(ALL, _ALL)] if ALL in there else []), *((tag, name(tag)) for tag in tags)]


def _bars(data: ReportData, rows: Sequence[Shares]) -> Spec:
    names = dict(_names(data, rows))
    arms = list(dict.fromkeys(row.arm for row in rows))
    drawn = [
        {
            "panel": row.arm,
            "name": names[row.language],
            "choice": level,
            "share": getattr(row, level),
            "order": place,
        }
        for row in rows
        for place, level in enumerate(_LEVELS)
    ]
    # The theme's colours in their order: tie slate, loss paprika, win blue.
    color = alt.Color(
        "choice:N",
        scale=alt.Scale(domain=["tie", "loss", "win"]),
        legend=alt.Legend(symbolType="square", values=list(_LEVELS)),
    )
    chart = (
        alt.Chart(alt.Data(values=drawn))
        .mark_bar(style="cell", opacity=0.8)
        .encode(
            x=alt.X("share:Q", stack=True, title=None, scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(format=".0%", values=[0, 0.5, 1])),
            y=alt.Y("name:N", sort=list(names.values()), title=None),
            color=color,
            order=alt.Order("order:O"),
            tooltip=["panel:N", "name:N", "choice:N", alt.Tooltip("share:Q", format=".0%")],
        )
    )  # fmt: skip
    note = "of all pairs of answers, against the untuned base"
    measure = Scale("Wins, ties and losses of the tuned model", note, axis="", text="")
    return _faceted(chart, arms, len(names), measure)


def _points(data: ReportData, rows: Sequence[Change], measure: Scale) -> Spec:
    names = dict(_names(data, rows))
    arms = list(dict.fromkeys(row.arm for row in rows))
    drawn = [
        record(row) | {"panel": row.arm, "name": names[row.language], "kind": "tuned"}
        for row in rows
        if known(row.estimate.value)
    ]
    scale = alt.Scale(zero=True)
    ticks = axis(measure, tickCount=4, grid=True)
    color = alt.Color("kind:N", scale=alt.Scale(domain=["", "one", "tuned"]), legend=None)
    base = alt.Chart().encode(y=alt.Y("name:N", sort=list(names.values()), title=None))
    layers = [
        line_at(measure, x=alt.XDatum(0)),
        base.mark_rule(strokeWidth=1.5).encode(
            x=alt.X("low:Q", title=None, scale=scale, axis=ticks), x2="high:Q", color=color
        ),
        *marked(
            base,
            measure,
            45,
            x=alt.X("value:Q", title=None, scale=scale, axis=ticks),
            color=color,
            tooltip=tips(measure, "panel", "name"),
        ),
    ]
    chart = alt.layer(*layers, data=alt.Data(values=drawn))
    return _faceted(chart, arms, len(names), measure)


def _faceted(chart: Any, arms: list[str], names: int, measure: Scale) -> Spec:
    """Draw one panel for each arm; a single one without a facet, as wide as the column."""
    height = 19 * names
    if len(arms) == 1:
        return finish(chart, measure.title, f"{arms[0]}; {measure.note}", least=300, width=WIDTH - 190,
                      height=height)  # fmt: skip
    columns = min(4, len(arms))
    header = alt.Header(labelAnchor="start", labelPadding=6)
    chart = chart.properties(width=WIDTH // 4 - 110, height=height).facet(
        facet=alt.Facet("panel:N", sort=arms, title=None, header=header),
        columns=columns,
        spacing={"row": 54, "column": 96},
        bounds="flush",
    )
    chart = chart.resolve_axis(x="independent", y="independent")
    spec = finish(chart, measure.title, measure.note, least=300)
    spec["usermeta"] |= {"gap": 96, "cell": 220, "fewest": 1}
    return spec


def _share_numbers(data: ReportData, rows: Sequence[Shares]) -> Numbers:
    lines: list[tuple[str, Cells]] = []
    arms = list(dict.fromkeys(row.arm for row in rows))
    for key, name in _names(data, rows):
        cells: Cells = []
        for arm in arms:
            own = next((row for row in rows if (row.arm, row.language) == (arm, key)), None)
            words = " / ".join(f"{100 * getattr(own, level):.0f}" for level in _LEVELS) if own else ""
            cells.append({"value": words, "span": _score(own)} if own else None)
        lines.append((name, cells))
    return Numbers("Win / tie / loss in percent, and the score", ("language", *arms), lines)


def _score(row: Shares) -> str:
    cell = said(row.estimate, ".0f")
    return f"score {cell['value']}, {cell['span']}" if cell else ""


def _loss_numbers(data: ReportData, rows: Sequence[Change]) -> Numbers:
    arms = list(dict.fromkeys(row.arm for row in rows))
    lines: list[tuple[str, Cells]] = []
    for key, name in _names(data, rows):
        own = {row.arm: row.estimate for row in rows if row.language == key}
        lines.append((name, [said(own[arm], "+.4f") if arm in own else None for arm in arms]))
    return Numbers("Change of loss against the untuned base", ("language", *arms), lines)
