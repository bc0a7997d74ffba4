"""A probe as a picture: what each language costs beside English, with intervals."""

from __future__ import annotations

from typing import Any

import altair as alt
import vl_convert

from polypinch.probe import ENGLISH, LanguageProbe, Probe
from polypinch.report import GROUPS, LIGHT, Spec, chart_config, finish, refuse_small_address_space

_PANELS = {
    "bits_per_english_byte": "bits per English byte: how well predicted",
    "token_premium": "tokens per English token: the token premium",
}
_COLOR = alt.Color("group:N", scale=alt.Scale(domain=list(GROUPS)), legend=None)


def probe_chart(found: Probe) -> Spec:
    """Draw languages, the best predicted on top, by bits per English byte and by token premium.

    A point is the ratio over all items, the rule its 95 % interval. Without weights only tokens are drawn.
    """
    order = [one.name for one in sorted(found.languages, key=lambda one: -one.exposure.value)]
    panels = [name for name in _PANELS if getattr(found.languages[0], name) is not None]
    charts = []
    for place, name in enumerate(panels):
        title = _PANELS[name]
        values = [_mark(one, name) for one in found.languages]
        y = alt.Y(
            "name:N",
            sort=order,
            title=None,
            axis=alt.Axis(labelFontSize=12) if place == 0 else alt.Axis(labels=False),
        )
        base = alt.Chart(alt.Data(values=values)).encode(y=y, color=_COLOR)
        tip = [alt.Tooltip(f"{field}:N") for field in ("name", "script", "family")]
        tip += [alt.Tooltip(f"{end}:Q", format=".2f") for end in ("value", "low", "high")]
        x = {"title": title, "scale": alt.Scale(zero=False)}
        point = base.mark_point(filled=True, size=75, opacity=1).encode(x=alt.X("value:Q", **x), tooltip=tip)
        rule = base.mark_rule(strokeWidth=1.75).encode(x=alt.X("low:Q", **x), x2="high:Q")
        charts.append(alt.layer(rule, point).properties(width=340, height=24 * len(order)))
    note = f"{found.items} items of {found.text}; 95 % intervals over items; lower is better"
    return finish(alt.hconcat(*charts, spacing=28), f"What languages cost {found.model}", note, least=420)


def _mark(one: LanguageProbe, name: str) -> dict[str, Any]:
    estimate = getattr(one, name)
    said = {"name": one.name, "script": one.script, "family": one.family or "unknown"}
    ends = {end: getattr(estimate, end) for end in ("value", "low", "high")}
    return {**said, **ends, "group": "base" if one.language == ENGLISH else "unseen"}


def probe_svg(spec: Spec) -> str:
    """Return a chart as SVG, for paper."""
    refuse_small_address_space()
    return str(vl_convert.vegalite_to_svg(spec, config=chart_config(LIGHT)))


def probe_html(spec: Spec) -> str:
    """Return a chart as one page that needs nothing else; pointing at a mark shows its numbers."""
    refuse_small_address_space()
    return str(vl_convert.vegalite_to_html(spec, config=chart_config(LIGHT), bundle=True))
