"""What languages give each other beside how far apart they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt

from polypinch.experiments.marks import axis, line_at, scatter_panels
from polypinch.experiments.measured import LOSS, SCORE
from polypinch.experiments.similarity.measure import Coefficient, Similarity
from polypinch.experiments.wording import GIVEN, heading, names_of
from polypinch.report import (
    Cells,
    Numbers,
    Part,
    Picture,
    ReportData,
    Rows,
    Scale,
    Spec,
    file_name,
    known,
    number_text,
)

_KINDS = {"genetic": "descent", "script": "script", "typological": "structure"}


def section(data: ReportData, shown: Similarity) -> Part:
    """Return the section on likeness of languages."""
    name = names_of(data)
    first = LOSS if any(row.measure == LOSS for row in shown.coefficients) else SCORE
    kinds = [kind for kind in _KINDS if any(row.distance == kind for row in shown.coefficients)]
    points: Rows = [
        {
            "panel": f"distance by {_KINDS[kind]}",
            "x": getattr(pair, kind),
            "value": pair.value,
            "names": f"{name(pair.trained)} to {name(pair.evaluated)}",
            "kind": "pair",
        }
        for kind in kinds
        for pair in shown.pairs
        if pair.measure == first and known(pair.value) and known(getattr(pair, kind))
    ]
    title = "Fall of loss, bits per byte" if first == LOSS else "Score, points"
    note = "one point is a pair of languages; row and column means taken out"
    measure = Scale(title, note, axis="+.3~f" if first == LOSS else "+.1~f", text="+.3f")
    told = [
        f"{_KINDS[row.distance]} {number_text(row.value, '.2f')} (p {_p(row.p)})"
        for row in shown.coefficients
        if (row.measure, row.coefficient) == (first, "Pearson")
    ]
    picture = Picture(
        file_name(data, "similarity", shown.model),
        "Transfer by distance",
        _scatter(points, [f"distance by {_KINDS[kind]}" for kind in kinds], measure),
        "To the right, languages are further apart; the bar is the mean at a distance. If kin helped most,"
        f" points would fall to the right. Pearson’s r with distance: {', '.join(told)}.",
        "similarity_correlations",
        _numbers(shown.coefficients, name),
    )
    return Part(
        heading(data, shown.model, "Does a language help its kin most?", "section 4.1"),
        "similarity",
        "Transfer from one language to another beside how far apart they are. What a language gives to all,"
        " and takes from all, is taken out of each pair first: that is not likeness.",
        (
            "Pairs that share a language are not independent, so an ordinary interval or test would find too"
            " much. p is of Mantel’s test (1967): how often the languages’ names, shuffled, give a"
            " coefficient at least as far from 0. It needs no independence of pairs; it has no interval.",
            f"Source of the distances: {shown.source}.",
        ),
        (picture,),
        {"similarity": shown.pairs, "similarity_correlations": shown.coefficients},
    )


def _scatter(points: Rows, panels: list[str], measure: Scale) -> Spec:
    x = alt.X(
        "x:Q", title=None, scale=alt.Scale(domain=[-0.06, 1.06], nice=False), axis=alt.Axis(tickCount=4)
    )
    y = alt.Y("value:Q", title=None, axis=axis(measure, tickCount=5))
    color = alt.Color("kind:N", scale=alt.Scale(domain=["", "mean", "pair"]), legend=None)
    tip = [alt.Tooltip("names:N"), alt.Tooltip("x:Q", title="distance", format=".2f")]
    tip.append(alt.Tooltip("value:Q", format=measure.axis))
    layers: list[Any] = [
        line_at(measure, y=alt.YDatum(0)),
        alt.Chart().mark_point(filled=True, size=32, opacity=0.55).encode(x=x, y=y, color=color, tooltip=tip),
    ]
    # A mean needs several pairs at one distance: descent by a tree, and script, have few.
    counts: dict[tuple[str, float], list[float]] = {}
    for point in points:
        counts.setdefault((point["panel"], round(point["x"], 6)), []).append(point["value"])
    means = [
        {"panel": panel, "x": at, "value": sum(values) / len(values), "kind": "mean"}
        for (panel, at), values in counts.items()
        if len(values) > 2
    ]
    drawn = points + means
    layers[1] = layers[1].transform_filter("datum.kind === 'pair'")
    layers.append(
        alt.Chart()
        .transform_filter("datum.kind === 'mean'")
        .mark_tick(orient="horizontal", thickness=3, size=26)
        .encode(x=x, y=y, color=color)
    )
    return scatter_panels(alt.layer(*layers, data=alt.Data(values=drawn)), panels, measure)


def _p(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.4f}"


def _numbers(rows: Sequence[Coefficient], name: Callable[[str], str]) -> Numbers:
    lines: list[tuple[str, Cells]] = []
    for row in rows:
        first = f"{row.coefficient}, {GIVEN[row.measure]}, distance by {_KINDS[row.distance]}"
        cells = [(number_text(row.value, ".2f"), ""), (_p(row.p), ""), (str(row.n), "")]
        for end, without in ((row.least, row.least_without), (row.most, row.most_without)):
            text = number_text(end, ".2f") if without else "–"
            cells.append((text, f"without {name(without)}" if without else ""))
        lines.append((first, [{"value": value, "span": span} for value, span in cells]))
    head = ("coefficient", "value", "p, Mantel", "languages", "least, one left out", "most, one left out")
    return Numbers("Correlations with distance", head, lines)
