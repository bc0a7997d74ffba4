"""Two languages instead of one, at the same budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import altair as alt

from polypinch.experiments.marks import axis, dots, line_at, tips
from polypinch.experiments.measured import LOSS, SCORE
from polypinch.experiments.pairs.measure import ALL_PAIRS, Change, Level, Pairs
from polypinch.experiments.wording import (
    AS_PAPER,
    basis,
    heading,
    loss_measure,
    names_of,
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


def section(data: ReportData, shown: Pairs) -> Part:
    """Return the section on pairs of languages."""
    name = names_of(data)
    pictures: list[Picture] = []

    def pair(tags: str) -> str:
        return "all pairs" if tags == ALL_PAIRS else " + ".join(name(tag) for tag in tags.split())

    scores = of_measure(shown.levels, SCORE)
    if scores:
        note = f"against {shown.against}; 50 is parity; over the languages outside of the pair"
        bars = []
        for level in scores:
            kind = "pair" if level.tuned_on == "pair" else "alone"
            label = "both" if kind == "pair" else f"{name(level.tuned_on)} alone"
            bars.append(record(level) | {"panel": pair(level.pair), "label": label, "kind": kind})
        pictures.append(
            Picture(
                file_name(data, "pairs-scores", shown.model),
                AS_PAPER,
                _bars(bars, score_measure(note)),
                "In each panel, the mixture of two languages beside the whole budget in either, scored on the"
                f" languages outside of the pair. The line is parity. {basis(scores)}",
                "pairs",
                _level_numbers(scores, pair, name),
            )
        )
    first = LOSS if of_measure(shown.changes, LOSS) else SCORE
    own = of_measure(shown.changes, first)
    labels = []
    for change in own:
        beside = "the mean of both" if change.pair == ALL_PAIRS else name(change.beside)
        labels.append(f"{pair(change.pair)} − {beside}")
    drawn = [
        record(change) | {"name": label, "series": ""} for change, label in zip(own, labels, strict=True)
    ]
    better = "lower" if first == LOSS else "higher"
    note = f"the pair less either language alone, paired by item; {better} is better"
    title = "Difference in held-out loss, bits per byte" if first == LOSS else "Difference in score, points"
    measure = loss_measure(note, title) if first == LOSS else score_measure(note, 0.0, title)
    pictures.append(
        Picture(
            file_name(data, "pairs-changes", shown.model),
            "Paired differences",
            dots(drawn, labels, measure),
            "Each point is the pair less one of its languages alone, on the same items, over the languages"
            " outside of the pair. The line over all pairs takes pairs as a sample: it is of pairs like"
            f" these. {basis(own)}",
            "pairs_changes",
            _change_numbers(shown.changes, own, labels),
        )
    )
    return Part(
        heading(data, shown.model, "Two languages, or all of the budget in one?", "Figure 6"),
        "pairs",
        "Half and half of two languages beside the whole budget in either, over languages that are neither.",
        one_seed(shown.changes),
        tuple(pictures),
        {"pairs": shown.levels, "pairs_changes": shown.changes},
    )


def _level_numbers(
    levels: Sequence[Level], pair: Callable[[str], str], name: Callable[[str], str]
) -> Numbers:
    lines: list[tuple[str, Cells]] = []
    for tags in dict.fromkeys(level.pair for level in levels):
        both, *alone = [level for level in levels if level.pair == tags]
        cells: Cells = [said(both.estimate, ".1f")]
        for level in alone:
            cell = said(level.estimate, ".1f")
            cells.append({**cell, "value": f"{name(level.tuned_on)} {cell['value']}"} if cell else None)
        lines.append((pair(tags), cells))
    head = ("pair", "both, half and half", "the first alone", "the second alone")
    return Numbers("Scores over the languages outside of the pair", head, lines)


def _bars(rows: Rows, measure: Scale) -> Spec:
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


def _change_numbers(changes: Sequence[Change], shown: Sequence[Change], labels: Sequence[str]) -> Numbers:
    both = [(LOSS, "difference in loss", "+.4f"), (SCORE, "difference in score, points", "+.1f")]
    there = [one for one in both if of_measure(changes, one[0])]
    lines: list[tuple[str, Cells]] = []
    for row, label in zip(shown, labels, strict=True):
        cells: Cells = []
        for measure, _, number in there:
            own = [
                change.estimate
                for change in of_measure(changes, measure)
                if (change.pair, change.beside) == (row.pair, row.beside)
            ]
            cells.append(said(own[0], number) if own else None)
        lines.append((label, cells))
    return Numbers("Pairs less one of their languages", ("pair", *(head for _, head, _ in there)), lines)
