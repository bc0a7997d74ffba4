"""What languages give beside their exposure in pretraining, and beside their likeness."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import altair as alt

from polypinch.experiments.marks import axis, line_at, tips
from polypinch.experiments.parts import (
    AS_PAPER,
    LOSS,
    SCORE,
    Cells,
    Numbers,
    Part,
    Picture,
    by_name,
    heading,
    loss_measure,
    names_of,
    of_measure,
    score_measure,
)
from polypinch.report import (
    WIDTH,
    Experiment,
    Measure,
    ReportData,
    Rows,
    Spec,
    basis,
    file_name,
    finish,
    known,
    number_text,
)

PROXIES = {
    "bits": "by bits: predicted as well as {base} is 1",
    "tokens": "by tokens: as few as {base} is 1",
    "share": "log10 of the share of pretraining",
}
_SIDES = {"gives": "given", "beside": "given, beside the other models"}
_GIVEN = {LOSS: "fall of loss", SCORE: "score"}
_KINDS = {"genetic": "descent", "script": "script", "typological": "structure"}


def exposure_part(data: ReportData, shown: Experiment) -> Part:
    """Return the section on pretraining exposure."""
    name = names_of(data)
    base = name(shown.facts["base"])
    coefficients = shown.tables["exposure_correlations"]
    proxies = [proxy for proxy in PROXIES if any(row["proxy"] == proxy for row in coefficients)]
    pictures: list[Picture] = []
    for measure, side, stem, title, told in (
        (SCORE, "gives", "exposure-scores", AS_PAPER,
         score_measure(f"mean over the other languages, against {shown.facts['against']}; higher is better")),
        (LOSS, "beside", "exposure-loss", "Held-out loss, beside the other models",
         loss_measure("beside the other models, in the same languages; lower is better")),
    ):  # fmt: skip
        given = of_measure(shown.facts["given"], measure, side=side)
        if not given:
            continue
        points = _joined(shown.tables["exposure"], given, proxies, name, base)
        better = "Higher up" if measure == SCORE else "Further down"
        pictures.append(
            Picture(
                file_name(data, stem, shown.model),
                title,
                _scatter(points, [PROXIES[one].format(base=base) for one in proxies], told),
                f"A point is a language: to the right the base model knew it better before tuning. {better},"
                f" tuning on it alone gives more to the others. {_said(coefficients, measure, side)}"
                f" {basis(given)}",
                "exposure_correlations",
                _numbers(coefficients, name, base),
            )
        )
    if len(pictures) > 1:
        values = _values(data, shown, proxies)
        pictures[0] = replace(pictures[0], table="exposure", numbers=values)
    return Part(
        "exposure",
        heading(data, shown, "Does exposure in pretraining tell what a language gives?", "Figure 8"),
        "What tuning on a language alone gives to the others, beside how well the untuned base already knows"
        " it. Open models seldom tell what they were trained on, so the study’s own responses stand in: the"
        f" bits, and the tokens, that the same contents need in {base} over those that they need in the"
        " language.",
        (
            "Proxies, not shares of a corpus: besides pretraining, the language, its script and the quality"
            " of the translation move them. polypinch report --exposure takes disclosed shares.",
            "Correlations take languages as a sample of languages like these. With so few, one language can"
            " make a correlation: the table says how far it moves when any one is left out.",
        ),
        tuple(pictures),
    )


def _joined(values: Rows, given: Rows, proxies: list[str], name: Any, base: str) -> Rows:
    by_language = {row["language"]: row for row in given}
    found = []
    for row in values:
        own = by_language.get(row["language"])
        if own is None or row["proxy"] not in proxies:
            continue
        x = math.log10(row["value"]) if row["proxy"] == "share" else row["value"]
        about = {"panel": PROXIES[row["proxy"]].format(base=base), "x": x, "exposure": row["value"]}
        told = {"language": row["language"], "name": name(row["language"])}
        found.append({**about, **told, **{end: own[end] for end in ("value", "low", "high")}})
    return found


def _scatter(points: Rows, panels: list[str], measure: Measure) -> Spec:
    scale = alt.Scale(zero=False)
    ticks = axis(measure, tickCount=5)
    x = alt.X("x:Q", title=None, scale=scale, axis=alt.Axis(tickCount=4, format=".3~g"))
    color = alt.Color("kind:N", scale=alt.Scale(domain=["", "language", "other"]), legend=None)
    base = alt.Chart().encode(x=x)
    layers = [
        base.mark_rule(strokeWidth=1.25, opacity=0.6).encode(
            y=alt.Y("low:Q", title=None, scale=scale, axis=ticks), y2="high:Q", color=color
        ),
        base.mark_point(filled=True, size=55, opacity=1).encode(
            y=alt.Y("value:Q", title=None, scale=scale, axis=ticks),
            color=color,
            tooltip=[*tips(measure, "name"), alt.Tooltip("exposure:Q", format=".3~g")],
        ),
        base.mark_text(align="left", dx=7, dy=-5, fontSize=11).encode(
            y=alt.Y("value:Q", title=None, scale=scale), text="language:N"
        ),
    ]
    drawn = [point | {"kind": "language"} for point in points]
    return _panels(alt.layer(*layers, data=alt.Data(values=drawn)), panels, measure)


def _panels(chart: Any, panels: list[str], measure: Measure) -> Spec:
    columns = min(3, max(1, len(panels)))
    width = min(420, WIDTH // columns - 60)
    header = alt.Header(labelAnchor="start", labelFontSize=11.5, labelLimit=width + 20)
    chart = chart.properties(width=width, height=250).facet(
        facet=alt.Facet("panel:N", sort=panels, title=None, header=header),
        columns=columns,
        spacing={"row": 50, "column": 54},
        bounds="flush",
    )
    chart = chart.resolve_scale(x="independent").resolve_axis(y="independent")
    spec = finish(chart, measure.title, measure.note, least=300)
    spec["usermeta"] |= {"gap": 54, "widest": width, "cell": 260, "fewest": 1}
    return spec


def _said(rows: Rows, measure: str, side: str) -> str:
    """Return the coefficients of one picture in a sentence."""
    told = []
    for row in rows:
        if row["measure"] == measure and row["side"] == side and row["coefficient"] == "Pearson":
            proxy = {"bits": "by bits", "tokens": "by tokens", "share": "by log share"}[row["proxy"]]
            ends = [number_text(row[end], ".2f") for end in ("value", "low", "high")]
            told.append(f"{proxy} {ends[0]} ({ends[1]} to {ends[2]})")
    return (
        f"Pearson’s r of exposure with what it gives: {', '.join(told)}; above 0, more with more."
        if told
        else ""
    )


def _values(data: ReportData, shown: Experiment, proxies: list[str]) -> Numbers:
    name = names_of(data)
    rows, given = shown.tables["exposure"], shown.facts["given"]
    columns = [
        (
            f"by {proxy}" if proxy != "share" else "share",
            [row for row in rows if row["proxy"] == proxy],
            ".3g",
        )
        for proxy in proxies
    ]
    columns += [
        ("gives, score", of_measure(given, SCORE, side="gives"), ".1f"),
        ("gives, loss", of_measure(given, LOSS, side="gives"), "+.4f"),
        ("beside the other models, loss", of_measure(given, LOSS, side="beside"), "+.4f"),
    ]
    tags = list(dict.fromkeys(row["language"] for row in given))
    shown_columns = [column for column in columns if column[1]]
    return by_name([(tag, name(tag)) for tag in tags], shown_columns, "Exposure, and what a language gives")


def _numbers(rows: Rows, name: Any, base: str) -> Numbers:
    lines: list[tuple[str, Cells]] = []
    for row in rows:
        proxy = PROXIES[row["proxy"]].format(base=base).split(":")[0]
        first = f"{row['coefficient']}, {_GIVEN[row['measure']]} {_SIDES[row['side']]}, {proxy}"
        ends = [number_text(row[end], ".2f") for end in ("value", "low", "high", "least", "most")]
        coefficient = {"value": ends[0], "span": f"{ends[1]} to {ends[2]}"}
        least, most = (
            {"value": end, "span": f"without {name(tag)}" if tag else ""}
            for tag, end in ((row["least_without"], ends[3]), (row["most_without"], ends[4]))
        )
        lines.append((first, [coefficient, {"value": str(row["n"]), "span": ""}, least, most]))
    head = ("coefficient", "value", "languages", "least, one left out", "most, one left out")
    return Numbers("Correlations with exposure", head, lines)


def similarity_part(data: ReportData, shown: Experiment) -> Part:
    """Return the section on likeness of languages."""
    name = names_of(data)
    coefficients = shown.tables["similarity_correlations"]
    first = LOSS if any(row["measure"] == LOSS for row in coefficients) else SCORE
    rows = of_measure(shown.tables["similarity"], first)
    kinds = [one for one in _KINDS if any(row["distance"] == one for row in coefficients)]
    points = [
        {
            "panel": f"distance by {_KINDS[kind]}",
            "x": row[kind],
            "value": row["value"],
            "names": f"{name(row['trained'])} to {name(row['evaluated'])}",
            "kind": "pair",
        }
        for kind in kinds
        for row in rows
        if known(row[kind])
    ]
    title = "Fall of loss, bits per byte" if first == LOSS else "Score, points"
    note = "one point is a pair of languages; row and column means taken out"
    measure = Measure(title, note, axis="+.3~f" if first == LOSS else "+.1~f", text="+.3f")
    told = [
        f"{_KINDS[row['distance']]} {number_text(row['value'], '.2f')} (p {_p(row['p'])})"
        for row in coefficients
        if row["measure"] == first and row["coefficient"] == "Pearson"
    ]
    picture = Picture(
        file_name(data, "similarity", shown.model),
        "Transfer by distance",
        _pairs(points, [f"distance by {_KINDS[kind]}" for kind in kinds], measure),
        "To the right, languages are further apart; the bar is the mean at a distance. If kin helped most,"
        f" points would fall to the right. Pearson’s r with distance: {', '.join(told)}.",
        "similarity_correlations",
        _mantel_numbers(coefficients, name),
    )
    return Part(
        "similarity",
        heading(data, shown, "Does a language help its kin most?", "section 4.1"),
        "Transfer from one language to another beside how far apart they are. What a language gives to all,"
        " and takes from all, is taken out of each pair first: that is not likeness.",
        (
            "Pairs that share a language are not independent, so an ordinary interval or test would find too"
            " much. p is of Mantel’s test (1967): how often the languages’ names, shuffled, give a"
            " coefficient at least as far from 0. It needs no independence of pairs; it has no interval.",
            f"Source of the distances: {shown.facts['source']}.",
        ),
        (picture,),
    )


def _pairs(points: Rows, panels: list[str], measure: Measure) -> Spec:
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
    return _panels(alt.layer(*layers, data=alt.Data(values=drawn)), panels, measure)


def _p(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.4f}"


def _mantel_numbers(rows: Rows, name: Any) -> Numbers:
    lines: list[tuple[str, Cells]] = []
    for row in rows:
        first = f"{row['coefficient']}, {_GIVEN[row['measure']]}, distance by {_KINDS[row['distance']]}"
        cells = [(number_text(row["value"], ".2f"), ""), (_p(row["p"]), ""), (str(row["n"]), "")]
        for side in ("least", "most"):
            without = row[f"{side}_without"]
            text = number_text(row[side], ".2f") if without else "–"
            cells.append((text, f"without {name(without)}" if without else ""))
        lines.append((first, [{"value": value, "span": span} for value, span in cells]))
    head = ("coefficient", "value", "p, Mantel", "languages", "least, one left out", "most, one left out")
    return Numbers("Correlations with distance", head, lines)
