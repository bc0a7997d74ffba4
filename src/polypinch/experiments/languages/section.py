"""How many languages at one budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from polypinch.experiments.languages.measure import MEAN, NumberOfLanguages, Point, Step
from polypinch.experiments.marks import axis, dots, line_at, marked, tips
from polypinch.experiments.measured import LOSS, SCORE
from polypinch.experiments.wording import (
    AS_PAPER,
    LOSS_TITLE,
    SCORE_TITLE,
    basis,
    heading,
    loss_measure,
    names_of,
    number_of,
    of_measure,
    one_seed,
    said,
    score_measure,
)
from polypinch.report import (
    WIDTH,
    Cells,
    Numbers,
    Part,
    Picture,
    ReportData,
    Rows,
    Scale,
    Spec,
    file_name,
    finish,
    record,
)


def section(data: ReportData, shown: NumberOfLanguages) -> Part:
    """Return the section on the number of languages."""
    against, name = shown.against, names_of(data)
    pictures: list[Picture] = []
    several = shown.orderings > 1
    thin = "; thin: single orderings" if several else ""
    reading = (
        "The thick line is the mean over orderings. Its intervals hold for orderings like these, so they are"
        " wide with few of them; the last point is one set of languages, where only its own seeds and the"
        " items vary. "
        if several
        else "One ordering: intervals are over items and seeds, and say nothing of other orderings. "
    )
    for measure, title, told in (
        (SCORE, AS_PAPER, score_measure(f"against {against}; 50 is parity{thin}", title=SCORE_TITLE)),
        (LOSS, "Held-out loss", loss_measure(f"against the untuned base; lower is better{thin}", LOSS_TITLE)),
    ):
        mine = of_measure(shown.points, measure)
        if not mine:
            continue
        pictures.append(
            Picture(
                file_name(data, f"languages-{'scores' if measure == SCORE else 'loss'}", shown.model),
                title,
                _curve([record(point) for point in mine], told, parity=measure == SCORE),
                reading + basis(mine),
                "number_of_languages",
                _points(mine, measure),
            )
        )
    first = LOSS if of_measure(shown.steps, LOSS) else SCORE
    own = of_measure(shown.steps, first)
    drawn = [record(step) | {"name": _step(step), "series": ""} for step in own]
    better = "lower" if first == LOSS else "higher"
    note = f"each number of languages against the one before, paired by ordering; {better} is better"
    pictures.append(
        Picture(
            file_name(data, "languages-steps", shown.model),
            "What each step adds",
            dots(drawn, [_step(step) for step in own], loss_measure(note) if first == LOSS
                 else score_measure(note, 0.0)),
            "Each point is the change when languages are added at the same budget, paired by ordering, item"
            " and seed. Where the interval holds 0, the step cannot be told from none; that is not yet"
            " saturation.",
            "number_of_languages_steps",
            _steps(shown.steps),
        )
    )  # fmt: skip
    unseen = ", ".join(name(tag) for tag in shown.unseen)
    return Part(
        heading(data, shown.model, "How many languages are enough, at the same budget?", "Figure 5"),
        "number-of-languages",
        "The same number of examples, spread evenly over more and more languages. What is shown is the"
        f" average over languages that no arm was tuned on: {unseen}.",
        one_seed(shown.points),
        tuple(pictures),
        {"number_of_languages": shown.points, "number_of_languages_steps": shown.steps},
    )


def _step(step: Step) -> str:
    return f"{step.before} to {step.languages} languages"


def _curve(rows: Rows, measure: Scale, parity: bool) -> Spec:
    counts = sorted({row["languages"] for row in rows})
    x = alt.X(
        "languages:Q",
        title="languages in the mixture",
        scale=alt.Scale(domain=[counts[0] - 0.25, counts[-1] + 0.25], nice=False, zero=False),
        axis=alt.Axis(values=counts, format="d"),
    )
    scale = alt.Scale(zero=False, nice=True)
    ticks = axis(measure, tickCount=6)
    base = alt.Chart().encode(x=x, y=alt.Y("value:Q", title=None, scale=scale, axis=ticks))
    thin = base.transform_filter("datum.ordering !== 'mean'")
    thick = base.transform_filter("datum.ordering === 'mean'")
    color = alt.Color("kind:N", scale=alt.Scale(domain=["", "mean", "unseen"]), legend=None)
    tip = tips(measure, "languages", "ordering", "tuned_on")
    layers: list[Any] = []
    if parity:
        layers.append(line_at(measure, y=alt.YDatum(measure.neutral)))
    layers += [
        thin.mark_line(strokeWidth=1, opacity=0.55).encode(color=color, detail="ordering:N"),
        thin.mark_point(filled=True, size=26, opacity=0.7).encode(color=color, tooltip=tip),
        thick.mark_rule(strokeWidth=1.75).encode(
            y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q", color=color
        ),
        thick.mark_line(strokeWidth=2.75).encode(color=color),
        *(
            marked(thick, measure, 75, color=color, tooltip=tip)
            if parity
            else [thick.mark_point(filled=True, size=75, opacity=1).encode(color=color, tooltip=tip)]
        ),
    ]
    chart = alt.layer(*layers, data=alt.Data(values=[row | {"kind": "unseen"} for row in rows]))
    return finish(chart, measure.title, measure.note, least=300, width=WIDTH - 150, height=300)


def _points(points: Sequence[Point], measure: str) -> Numbers:
    number = number_of(measure)
    counts = sorted({point.languages for point in points})
    lines: list[tuple[str, Cells]] = []
    for ordering in dict.fromkeys(point.ordering for point in points):
        own = {point.languages: point for point in points if point.ordering == ordering}
        cells: Cells = []
        for count in counts:
            cell = said(own[count].estimate, number) if count in own else None
            if cell and own[count].tuned_on:
                cell = {"value": f"{own[count].tuned_on}: {cell['value']}", "span": cell["span"]}
            cells.append(cell)
        lines.append((MEAN if ordering == MEAN else f"ordering {ordering}", cells))
    head = ("", *(f"{count} language{'s' * (count > 1)}" for count in counts))
    return Numbers("By the number of languages", head, lines)


def _steps(steps: Sequence[Step]) -> Numbers:
    names = list(dict.fromkeys(_step(step) for step in steps))
    both = [(LOSS, "change of loss"), (SCORE, "score, points")]
    there = [(measure, title) for measure, title in both if of_measure(steps, measure)]
    lines: list[tuple[str, Cells]] = []
    for name in names:
        cells: Cells = []
        for measure, _ in there:
            own = [step.estimate for step in of_measure(steps, measure) if _step(step) == name]
            cells.append(said(own[0], "+.4f" if measure == LOSS else "+.1f") if own else None)
        lines.append((name, cells))
    return Numbers("What each step adds", ("step", *(title for _, title in there)), lines)
