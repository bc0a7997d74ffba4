"""How many languages at one budget; and two languages instead of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt

from polypinch.experiments.marks import axis, dots, line_at, tips
from polypinch.experiments.parts import (
    AS_PAPER,
    LOSS,
    LOSS_TITLE,
    SCORE,
    SCORE_TITLE,
    Cells,
    Numbers,
    Part,
    Picture,
    heading,
    loss_measure,
    names_of,
    number_of,
    of_measure,
    one_seed,
    said,
    score_measure,
)
from polypinch.report import WIDTH, Experiment, Measure, ReportData, Rows, Spec, basis, file_name, finish


def languages_part(data: ReportData, shown: Experiment) -> Part:
    """Return the section on the number of languages."""
    points = shown.tables["number_of_languages"]
    steps = shown.tables["number_of_languages_steps"]
    against, orderings = shown.facts["against"], shown.facts["orderings"]
    name = names_of(data)
    pictures: list[Picture] = []
    several = orderings > 1
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
        mine = of_measure(points, measure)
        if not mine:
            continue
        pictures.append(
            Picture(
                file_name(data, f"languages-{'scores' if measure == SCORE else 'loss'}", shown.model),
                title,
                _curve(mine, told, parity=measure == SCORE),
                reading + basis(of_measure(points, measure)),
                "number_of_languages",
                _points(mine, measure),
            )
        )
    first = LOSS if of_measure(steps, LOSS) else SCORE
    own = of_measure(steps, first)
    drawn = [row | {"name": _step(row), "series": ""} for row in own]
    better = "lower" if first == LOSS else "higher"
    note = f"each number of languages against the one before, paired by ordering; {better} is better"
    pictures.append(
        Picture(
            file_name(data, "languages-steps", shown.model),
            "What each step adds",
            dots(drawn, [_step(row) for row in own], loss_measure(note) if first == LOSS
                 else score_measure(note, 0.0)),
            "Each point is the change when languages are added at the same budget, paired by ordering, item"
            " and seed. Where the interval holds 0, the step cannot be told from none; that is not yet"
            " saturation.",
            "number_of_languages_steps",
            _steps(steps),
        )
    )  # fmt: skip
    unseen = ", ".join(name(tag) for tag in shown.facts["unseen"])
    return Part(
        "number-of-languages",
        heading(data, shown, "How many languages are enough, at the same budget?", "Figure 5"),
        "The same number of examples, spread evenly over more and more languages. What is shown is the"
        f" average over languages that no arm was tuned on: {unseen}.",
        one_seed(points),
        tuple(pictures),
    )


def _step(row: dict[str, Any]) -> str:
    return f"{row['before']} to {row['languages']} languages"


def _curve(rows: Rows, measure: Measure, parity: bool) -> Spec:
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
        thick.mark_point(filled=True, size=75, opacity=1).encode(color=color, tooltip=tip),
    ]
    chart = alt.layer(*layers, data=alt.Data(values=[row | {"kind": "unseen"} for row in rows]))
    return finish(chart, measure.title, measure.note, least=300, width=WIDTH - 150, height=300)


def _points(rows: Rows, measure: str) -> Numbers:
    number = number_of(measure)
    counts = sorted({row["languages"] for row in rows})
    lines: list[tuple[str, Cells]] = []
    for ordering in dict.fromkeys(row["ordering"] for row in rows):
        own = {row["languages"]: row for row in rows if row["ordering"] == ordering}
        cells: Cells = []
        for count in counts:
            cell = said(own[count], number) if count in own else None
            if cell and own[count]["tuned_on"]:
                cell = {"value": f"{own[count]['tuned_on']}: {cell['value']}", "span": cell["span"]}
            cells.append(cell)
        lines.append(("mean" if ordering == "mean" else f"ordering {ordering}", cells))
    head = ("", *(f"{count} language{'s' * (count > 1)}" for count in counts))
    return Numbers("By the number of languages", head, lines)


def _steps(rows: Rows) -> Numbers:
    names = list(dict.fromkeys(_step(row) for row in rows))
    both = [(LOSS, "change of loss"), (SCORE, "score, points")]
    there = [(measure, title) for measure, title in both if of_measure(rows, measure)]
    lines: list[tuple[str, Cells]] = []
    for step in names:
        cells: Cells = []
        for measure, _ in there:
            own = [row for row in of_measure(rows, measure) if _step(row) == step]
            cells.append(said(own[0], "+.4f" if measure == LOSS else "+.1f") if own else None)
        lines.append((step, cells))
    return Numbers("What each step adds", ("step", *(title for _, title in there)), lines)


def pairs_part(data: ReportData, shown: Experiment) -> Part:
    """Return the section on pairs of languages."""
    name = names_of(data)
    levels, changes = shown.tables["pairs"], shown.tables["pairs_changes"]
    pictures: list[Picture] = []

    def pair(tags: str) -> str:
        return "all pairs" if tags == "all" else " + ".join(name(tag) for tag in tags.split())

    scores = of_measure(levels, SCORE)
    if scores:
        note = f"against {shown.facts['against']}; 50 is parity; over the languages outside of the pair"
        drawn = []
        for row in scores:
            kind = "pair" if row["tuned_on"] == "pair" else "alone"
            label = "both" if kind == "pair" else f"{name(row['tuned_on'])} alone"
            drawn.append(row | {"panel": pair(row["pair"]), "label": label, "kind": kind})
        pictures.append(
            Picture(
                file_name(data, "pairs-scores", shown.model),
                AS_PAPER,
                _bars(drawn, score_measure(note)),
                "In each panel, the mixture of two languages beside the whole budget in either, scored on the"
                f" languages outside of the pair. The line is parity. {basis(scores)}",
                "pairs",
                _level_numbers(scores, pair, name),
            )
        )
    first = LOSS if of_measure(changes, LOSS) else SCORE
    own = of_measure(changes, first)
    drawn = []
    for row in own:
        beside = "the mean of both" if row["pair"] == "all" else name(row["beside"])
        drawn.append(row | {"name": f"{pair(row['pair'])} − {beside}", "series": ""})
    better = "lower" if first == LOSS else "higher"
    note = f"the pair less either language alone, paired by item; {better} is better"
    title = "Difference in held-out loss, bits per byte" if first == LOSS else "Difference in score, points"
    measure = loss_measure(note, title) if first == LOSS else score_measure(note, 0.0, title)
    pictures.append(
        Picture(
            file_name(data, "pairs-changes", shown.model),
            "Paired differences",
            dots(drawn, [row["name"] for row in drawn], measure),
            "Each point is the pair less one of its languages alone, on the same items, over the languages"
            " outside of the pair. The line over all pairs takes pairs as a sample: it is of pairs like"
            f" these. {basis(own)}",
            "pairs_changes",
            _pair_numbers(changes, drawn),
        )
    )
    return Part(
        "pairs",
        heading(data, shown, "Two languages, or all of the budget in one?", "Figure 6"),
        "Half and half of two languages beside the whole budget in either, over languages that are neither.",
        one_seed(changes),
        tuple(pictures),
    )


def _level_numbers(rows: Rows, pair: Callable[[str], str], name: Callable[[str], str]) -> Numbers:
    lines: list[tuple[str, Cells]] = []
    for tags in dict.fromkeys(row["pair"] for row in rows):
        both, *alone = [row for row in rows if row["pair"] == tags]
        cells: Cells = [said(both, ".1f")]
        for row in alone:
            cell = said(row, ".1f")
            cells.append({**cell, "value": f"{name(row['tuned_on'])} {cell['value']}"} if cell else None)
        lines.append((pair(tags), cells))
    head = ("pair", "both, half and half", "the first alone", "the second alone")
    return Numbers("Scores over the languages outside of the pair", head, lines)


def _bars(rows: Rows, measure: Measure) -> Spec:
    panels = list(dict.fromkeys(row["panel"] for row in rows))
    scale = alt.Scale(domain=[0, 100], clamp=True)
    color = alt.Color("kind:N", scale=alt.Scale(domain=["alone", "pair", ""]), legend=None)
    y = alt.Y("value:Q", title=None, scale=scale, axis=axis(measure, tickCount=5))
    base = alt.Chart().encode(x=alt.X("label:N", title=None, sort=None, axis=alt.Axis(labelAngle=-30)), y=y)
    layers = [
        base.mark_bar(opacity=0.8).encode(color=color, tooltip=tips(measure, "panel", "label")),
        base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q"),
        line_at(measure, y=alt.YDatum(measure.neutral)),
    ]
    columns = min(4, len(panels))
    chart = alt.layer(*layers, data=alt.Data(values=rows)).properties(width=WIDTH // 4 - 60, height=170)
    chart = chart.facet(
        facet=alt.Facet("panel:N", sort=panels, title=None, header=alt.Header(labelAnchor="start")),
        columns=columns,
        spacing={"row": 90, "column": 44},
        bounds="flush",
    ).resolve_scale(x="independent")
    spec = finish(chart, measure.title, measure.note, least=300)
    spec["usermeta"] |= {"gap": 44}
    return spec


def _pair_numbers(rows: Rows, drawn: Rows) -> Numbers:
    both = [(LOSS, "difference in loss", "+.4f"), (SCORE, "difference in score, points", "+.1f")]
    there = [one for one in both if of_measure(rows, one[0])]
    lines: list[tuple[str, Cells]] = []
    for row in drawn:
        cells: Cells = []
        for measure, _, number in there:
            own = of_measure(rows, measure, pair=row["pair"], beside=row["beside"])
            cells.append(said(own[0], number) if own else None)
        lines.append((row["name"], cells))
    return Numbers("Pairs less one of their languages", ("pair", *(head for _, head, _ in there)), lines)
