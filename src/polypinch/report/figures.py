"""The figures: one function each, one Vega-Lite spec each, for the page and for the SVG alike."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import altair as alt

from polypinch.report.charts import WIDTH, Spec, arm_axis, dose_response, finish, heatmap, panels
from polypinch.report.data import GROUPS, ReportData
from polypinch.report.dosing import dose_curves
from polypinch.report.points import Scale, base_name, baseline, opponents, with_neutral

_CELLS = 120  # of a strip, at most
_SHAPES = "● trained on, ◆ not, ■ base"
_KEY = f"{_SHAPES}; 95 % intervals; hollow: cannot be told"
_LEVELS = f"{_SHAPES}, – untuned; 95 % intervals"
_CHANGE = "Change in held-out loss, bits per byte"
_BOLD = "faded: cannot be told, an arm’s languages taken together, from"


def loss_change_by_dose(data: ReportData, model: str) -> Spec:
    """Draw the paired change of held-out loss by dose: averages with intervals, single languages thin."""
    against = baseline(data)
    note = f"paired with {against}; lower is better; {_KEY}"
    measure = Scale(_CHANGE, note, axis="+.3~f", text="+.3f", neutral=0.0)
    return dose_response(data, model, with_neutral(data, data.loss_change, against, 0.0), measure, "loss")


def scores_by_dose(data: ReportData, model: str) -> Spec:
    """Draw scores by dose: averages with intervals, single languages thin, parity as a line."""
    against = opponents(data)
    note = f"against {against}; 50 is parity; higher is better; {_KEY}"
    measure = Scale("Score, 0 to 100", note, axis=".0f", text=".0f", neutral=50.0)
    return dose_response(data, model, with_neutral(data, data.scores, against, 50.0), measure, "score")


def fidelity_by_dose(data: ReportData, model: str) -> Spec:
    """Draw, per language, the share of answers in the prompt's language by dose."""
    measure = Scale("Share of answers in the language of the prompt", _LEVELS, axis=".0%", text=".0%")
    return panels(data, model, data.fidelity, measure, shared=(0.0, 1.0))


def loss_by_dose(data: ReportData, model: str) -> Spec:
    """Draw, per language, held-out loss by dose; every panel spans as many bits, so slopes compare."""
    note = f"every panel spans as many bits; {_LEVELS}"
    measure = Scale("Held-out loss, bits per byte", note, axis=".2f", text=".2f")
    return panels(data, model, data.loss, measure)


def loss_change_heatmap(data: ReportData, model: str) -> Spec:
    """Draw language × arm: the paired change of held-out loss, written in each cell with its interval."""
    note = f"against {baseline(data)}; blue is better; {_BOLD} 0; •: trained on"
    measure = Scale(_CHANGE, note, axis="+.4f", text="+.3f", neutral=0.0)
    return heatmap(data, model, data.loss_change, measure)


def scores_heatmap(data: ReportData, model: str) -> Spec:
    """Draw language × arm: the score, written in each cell with its interval."""
    note = f"against {opponents(data)}; 50 is parity; blue is better; {_BOLD} 50; •: trained on"
    measure = Scale("Score, 0 to 100", note, axis=".1f", text=".0f", neutral=50.0, lower_is_better=False)
    return heatmap(data, model, data.scores, measure)


def mixtures_strip(data: ReportData, _model: str = "") -> Spec:
    """Draw what each arm was tuned on: one cell per example, or per so many where there are many.

    Languages that a study does not evaluate count as seen. Any dose, however small, has at least one cell.
    """
    group_of = {one.tag: one.group for one in data.languages}
    lines = [
        line | {"group": group_of.get(line["language"], "seen")} for line in data.mixtures if line["examples"]
    ]
    fed = [arm for arm in data.arms if any(line["arm"] == arm.name for line in lines)]
    longest = max((sum(one["examples"] for one in lines if one["arm"] == arm.name) for arm in fed), default=0)
    unit = max(1, math.ceil(longest / _CELLS))
    cells = []
    for arm in fed:
        at = 0
        for group in ("seen", "unseen", "base"):
            mine = [line for line in lines if line["arm"] == arm.name and line["group"] == group]
            said = ", ".join(f"{line['language']} {line['examples']}" for line in mine)
            count = max(1, round(sum(line["examples"] for line in mine) / unit)) if mine else 0
            for place in range(at, at + count):
                cells.append(
                    {"arm": arm.name, "at": place, "to": place + 1, "group": group, "examples": said}
                )
            at += count
    groups = [group for group in GROUPS if any(cell["group"] == group for cell in cells)]
    names = [arm.name for arm in fed]
    chart = (
        alt.Chart(alt.Data(values=cells))
        .mark_bar(style="cell")
        .encode(
            x=alt.X("at:Q", axis=None, scale=alt.Scale(nice=False, zero=True)),
            x2="to:Q",
            y=alt.Y("arm:N", sort=names, title=None, axis=arm_axis(fed, labelOffset=-7)),
            color=alt.Color(
                "group:N",
                scale=alt.Scale(domain=list(GROUPS)),
                legend=alt.Legend(
                    symbolType="square",
                    values=groups,
                    labelExpr=f"datum.value === 'base' ? {json.dumps(base_name(data))} : datum.label",
                ),
            ),
            tooltip=["arm:N", "group:N", "examples:N"],
        )
    )
    note = "one cell is one example" if unit == 1 else f"one cell is {unit} examples"
    size = {"width": WIDTH - 80, "height": 40 * max(1, len(fed))}
    return finish(chart, "What each arm was tuned on", note, least=320, **size)


FIGURES: dict[str, tuple[str, Callable[[ReportData, str], Spec]]] = {
    "dose-response": ("curves", dose_curves),
    "loss-change-by-dose": ("loss_change", loss_change_by_dose),
    "mixtures": ("mixtures", mixtures_strip),
    "scores-by-dose": ("scores", scores_by_dose),
    "fidelity-by-dose": ("fidelity", fidelity_by_dose),
    "loss-by-dose": ("loss", loss_by_dose),
    "loss-change-heatmap": ("loss_change", loss_change_heatmap),
    "scores-heatmap": ("scores", scores_heatmap),
}
"""By file name: the table that a figure draws, and the function that draws it."""
