"""What languages give beside their exposure in pretraining."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import altair as alt

from polypinch.experiments.exposure.measure import Coefficient, Exposure, Proxy
from polypinch.experiments.marks import axis, scatter_panels, tips
from polypinch.experiments.measured import LOSS, SCORE
from polypinch.experiments.transfer.measure import Mean, Side
from polypinch.experiments.wording import (
    AS_PAPER,
    GIVEN,
    OfLanguage,
    basis,
    by_name,
    heading,
    loss_measure,
    names_of,
    of_measure,
    score_measure,
)
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
    number_text,
)

PROXIES = {
    "bits": "by bits: predicted as well as {base} is 1",
    "tokens": "by tokens: as few as {base} is 1",
    "share": "log10 of the share of pretraining",
}
_SIDES = {"gives": "given", "beside": "given, beside the other models"}


def section(data: ReportData, shown: Exposure) -> Part:
    """Return the section on pretraining exposure."""
    name = names_of(data)
    base = name(shown.base)
    proxies = [proxy for proxy in PROXIES if any(row.proxy == proxy for row in shown.coefficients)]
    pictures: list[Picture] = []
    drawn: tuple[tuple[str, Side, str, str, Scale], ...] = (
        (SCORE, "gives", "exposure-scores", AS_PAPER,
         score_measure(f"mean over the other languages, against {shown.against}; higher is better")),
        (LOSS, "beside", "exposure-loss", "Held-out loss, beside the other models",
         loss_measure("beside the other models, in the same languages; lower is better")),
    )  # fmt: skip
    for measure, side, stem, title, told in drawn:
        given = _given(shown.given, measure, side)
        if not given:
            continue
        points = _joined(shown.proxies, given, proxies, name, base)
        better = "Higher up" if measure == SCORE else "Further down"
        pictures.append(
            Picture(
                file_name(data, stem, shown.model),
                title,
                _scatter(points, [PROXIES[one].format(base=base) for one in proxies], told),
                f"A point is a language: to the right the base model knew it better before tuning. {better},"
                f" tuning on it alone gives more to the others. {_said(shown.coefficients, measure, side)}"
                f" {basis(given)}",
                "exposure_correlations",
                _numbers(shown.coefficients, name, base),
            )
        )
    if len(pictures) > 1:
        pictures[0] = replace(pictures[0], table="exposure", numbers=_values(data, shown, proxies))
    return Part(
        heading(data, shown.model, "Does exposure in pretraining tell what a language gives?", "Figure 8"),
        "exposure",
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
        {"exposure": shown.proxies, "exposure_correlations": shown.coefficients},
    )


def _given(means: Sequence[Mean], measure: str, side: Side) -> list[Mean]:
    return [mean for mean in of_measure(means, measure) if mean.side == side]


def _joined(
    values: Sequence[Proxy], given: Sequence[Mean], proxies: list[str], name: Callable[[str], str], base: str
) -> Rows:
    by_language = {mean.language: mean.estimate for mean in given}
    points = []
    for row in values:
        own = by_language.get(row.language)
        if own is None or row.proxy not in proxies:
            continue
        value = row.estimate.value
        x = math.log10(value) if row.proxy == "share" else value
        about = {"panel": PROXIES[row.proxy].format(base=base), "x": x, "exposure": value}
        named = {"language": row.language, "name": name(row.language)}
        points.append({**about, **named, "value": own.value, "low": own.low, "high": own.high})
    return points


def _scatter(points: Rows, panels: list[str], measure: Scale) -> Spec:
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
    return scatter_panels(alt.layer(*layers, data=alt.Data(values=drawn)), panels, measure)


def _said(rows: Sequence[Coefficient], measure: str, side: Side) -> str:
    """Return the coefficients of one picture in a sentence."""
    names = {"bits": "by bits", "tokens": "by tokens", "share": "by log share"}
    told = []
    for row in rows:
        if (row.measure, row.side, row.coefficient) == (measure, side, "Pearson"):
            value, low, high = (number_text(end, ".2f") for end in (row.value, row.low, row.high))
            told.append(f"{names[row.proxy]} {value} ({low} to {high})")
    return (
        f"Pearson’s r of exposure with what it gives: {', '.join(told)}; above 0, more with more."
        if told
        else ""
    )


def _values(data: ReportData, shown: Exposure, proxies: list[str]) -> Numbers:
    name = names_of(data)
    columns: list[tuple[str, Sequence[OfLanguage], str]] = [
        (
            f"by {proxy}" if proxy != "share" else "share",
            [row for row in shown.proxies if row.proxy == proxy],
            ".3g",
        )
        for proxy in proxies
    ]
    columns += [
        ("gives, score", _given(shown.given, SCORE, "gives"), ".1f"),
        ("gives, loss", _given(shown.given, LOSS, "gives"), "+.4f"),
        ("beside the other models, loss", _given(shown.given, LOSS, "beside"), "+.4f"),
    ]
    tags = list(dict.fromkeys(mean.language for mean in shown.given))
    filled = [column for column in columns if column[1]]
    return by_name([(tag, name(tag)) for tag in tags], filled, "Exposure, and what a language gives")


def _numbers(rows: Sequence[Coefficient], name: Callable[[str], str], base: str) -> Numbers:
    lines: list[tuple[str, Cells]] = []
    for row in rows:
        proxy = PROXIES[row.proxy].format(base=base).split(":")[0]
        first = f"{row.coefficient}, {GIVEN[row.measure]} {_SIDES[row.side]}, {proxy}"
        value, low, high = (number_text(end, ".2f") for end in (row.value, row.low, row.high))
        least, most = (
            {"value": number_text(end, ".2f"), "span": f"without {name(tag)}" if tag else ""}
            for end, tag in ((row.least, row.least_without), (row.most, row.most_without))
        )
        coefficient = {"value": value, "span": f"{low} to {high}"}
        lines.append((first, [coefficient, {"value": str(row.n), "span": ""}, least, most]))
    head = ("coefficient", "value", "languages", "least, one left out", "most, one left out")
    return Numbers("Correlations with exposure", head, lines)
