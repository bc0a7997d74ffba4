"""Scores by the share of other languages, as the paper draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from polypinch.experiments.doses.measure import Doses
from polypinch.experiments.marks import axis, line_at, marked, tips
from polypinch.experiments.wording import (
    AS_PAPER,
    ONE_SEED,
    heading,
    names_of,
    score_measure,
)
from polypinch.report import (
    WIDTH,
    ArmEstimate,
    Cells,
    Numbers,
    Part,
    Picture,
    ReportData,
    Rows,
    Scale,
    Spec,
    basis,
    estimate_texts,
    file_name,
    finish,
    known,
    opponents,
    with_neutral,
)


def section(data: ReportData, shown: Doses) -> Part:
    """Return the section with scores by share, one panel for each language, and the two averages."""
    against = opponents(data)
    share = shown.shares
    rows = [
        row
        for row in with_neutral(data, data.scores, against, 50.0)
        if row.model == shown.model and row.arm in share and known(row.value)
    ]
    name = names_of(data)
    tags = [one.tag for one in data.languages if any(row.language == one.tag for row in rows)]
    note = f"against {against}; 50 is parity; along the bottom, the share of examples in other languages"
    measure = score_measure(note)
    groups = {one.tag: one.group for one in data.languages}
    panels = [
        vars(row) | {"panel": name(row.language), "group": groups[row.language], "share": share[row.arm]}
        for row in rows
        if row.language in groups
    ]
    pictures = [
        Picture(
            file_name(data, "doses-languages", shown.model),
            f"{AS_PAPER}: one panel for each language",
            _panels(panels, [name(tag) for tag in tags], measure),
            "Shares stand where they are, so the small ones crowd on the left; the same numbers stand evenly"
            f" apart further up, under “Are the answers better?”. {basis(rows)}",
            "scores",
            _numbers(rows, share, [(tag, name(tag)) for tag in tags]),
        )
    ]
    averages = [row for row in rows if row.language in ("seen", "unseen")]
    if len({row.language for row in averages}) == 2:
        pictures.append(
            Picture(
                file_name(data, "doses-averages", shown.model),
                f"{AS_PAPER}: languages in the dose, and others",
                _lines(
                    [vars(row) | {"group": row.language, "share": share[row.arm]} for row in averages],
                    measure,
                ),
                "Two averages: over the languages that the dose is in (seen), and over those in no mixture"
                f" here (unseen). {basis(averages)}",
                "scores",
                _numbers(rows, share, [("seen", "seen average"), ("unseen", "unseen average")]),
            )
        )
    figure = "Figure 3" if shown.all else "Figure 4"
    listed = ", ".join(name(tag) for tag in shown.dosed)
    return Part(
        heading(data, shown.model, "How do scores grow with the share of other languages?", figure),
        "doses",
        f"More and more examples are spread evenly over {listed}, "
        + ("on top of the same budget." if shown.added else "at the same budget."),
        ONE_SEED if all(row.n_seeds <= 1 for row in rows) else (),
        tuple(pictures),
    )


def _numbers(
    rows: Sequence[ArmEstimate], share: Mapping[str, float], order: list[tuple[str, str]]
) -> Numbers:
    shares = sorted({share[row.arm] for row in rows})
    texts = {(row.language, share[row.arm]): _cell(row) for row in rows}
    lines: list[tuple[str, Cells]] = [
        (name, [texts.get((key, share)) for share in shares])
        for key, name in order
        if any((key, share) in texts for share in shares)
    ]
    head = ("language", *(f"{share:.1%}" for share in shares))
    return Numbers("Scores by the share of other languages", head, lines)


def _cell(row: ArmEstimate) -> dict[str, str]:
    texts = estimate_texts(vars(row), ".1f")
    return {"value": texts["value"], "span": texts["span"]}


def _axes(measure: Scale, size: int) -> tuple[Any, Any]:
    x = alt.X("share:Q", title=None, scale=alt.Scale(zero=True),
              axis=alt.Axis(format=".0%", tickCount=3 if size < 200 else 6, labelFontSize=10.5))  # fmt: skip
    scale = alt.Scale(zero=False)
    return x, alt.Y("value:Q", title=None, scale=scale, axis=axis(measure, tickCount=4))


def _layers(measure: Scale, size: int, legend: alt.Legend | None = None) -> list[Any]:
    x, y = _axes(measure, size)
    color = alt.Color("group:N", scale=alt.Scale(domain=["base", "seen", "unseen"]), legend=legend)
    base = alt.Chart().encode(x=x)
    tip = tips(measure, "arm", "group")
    return [
        line_at(measure, y=alt.YDatum(measure.neutral)),
        base.mark_rule(strokeWidth=1.25, opacity=0.75).encode(
            y=alt.Y("low:Q", title=None, scale=alt.Scale(zero=False)), y2="high:Q", color=color
        ),
        base.mark_line(strokeWidth=1.75).encode(y=y, color=color, detail="group:N"),
        *marked(base, measure, 40, y=y, color=color, tooltip=tip),
    ]


def _panels(rows: Rows, names: list[str], measure: Scale) -> Spec:
    width = WIDTH // 4 - 50
    chart = alt.layer(*_layers(measure, width), data=alt.Data(values=rows)).properties(
        width=width, height=120
    )
    chart = chart.facet(
        facet=alt.Facet("panel:N", sort=names, title=None, header=alt.Header(labelAnchor="start")),
        columns=min(4, max(1, len(names))),
        spacing={"row": 60, "column": 44},
        bounds="flush",
    ).resolve_axis(x="independent", y="independent")
    spec = finish(chart, measure.title, measure.note, least=300)
    spec["usermeta"] |= {"gap": 44}
    return spec


def _lines(rows: Rows, measure: Scale) -> Spec:
    legend = alt.Legend(values=["seen", "unseen"])
    chart = alt.layer(*_layers(measure, 600, legend), data=alt.Data(values=rows))
    return finish(chart, measure.title, measure.note, least=300, width=WIDTH - 150, height=280)
