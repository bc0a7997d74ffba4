"""The report's look: one palette, light and dark, for the page and for every chart.

Seen is paprika, unseen is blue, both together are violet, the base language is slate. Paprika and blue stay
apart under the three common kinds of colour blindness (both lie off the red-green axis), and so do violet and
slate, which is grey; shape and dash say the same.
"""

from __future__ import annotations

from typing import Any, Final

Palette = dict[str, str]

LIGHT: Final[Palette] = {
    "paper": "#ffffff",
    "wash": "#f3f5f7",
    "ink": "#16202b",
    "soft": "#56626f",
    "hair": "#d5dbe1",
    "base": "#5d6b7a",
    "seen": "#c23b0e",
    "unseen": "#0a6ebd",
    "others": "#6f2da8",
    "enough": "#eae4f3",
    "good": "#9bcaea",
    "bad": "#f4b899",
    "alarm": "#9c1f3f",
}
DARK: Final[Palette] = {
    "paper": "#10161d",
    "wash": "#19212b",
    "ink": "#e8edf2",
    "soft": "#9ba8b6",
    "hair": "#313d4a",
    "base": "#a3b1c0",
    "seen": "#ff8552",
    "unseen": "#62b4f5",
    "others": "#cda6ff",
    "enough": "#2a2140",
    "good": "#174d75",
    "bad": "#7a3617",
    "alarm": "#ff8fa6",
}

STUDIES: Final = {
    "light": ["#0a6ebd", "#c23b0e", "#1b7a4b", "#7b46b8", "#8a6200", "#0b7480", "#b02a6f", "#5d6b7a"],
    "dark": ["#62b4f5", "#ff8552", "#5cc98f", "#bd97f2", "#dcae3c", "#53c4cf", "#f487bb", "#a3b1c0"],
}
"""One colour for each of several studies, in order."""

SANS: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, sans-serif"
SERIF: Final = (
    "'Iowan Old Style', 'Palatino Linotype', Palatino, 'Book Antiqua', 'Noto Serif', Georgia, serif"
)


def chart_config(palette: Palette) -> dict[str, Any]:
    """Return the Vega-Lite config that dresses every chart in a palette.

    Specs name no colour but refer to ranges (``category``: base, seen, unseen, others; ``ordinal``: studies;
    ``diverging``: good to bad) and to mark styles (``quiet``, ``hair``, ``zero``, ``noise``, ``enough``,
    ``faded``), so that one spec serves light and dark.
    """
    ink, soft, hair, paper = (palette[name] for name in ("ink", "soft", "hair", "paper"))
    return {
        "background": paper,
        "font": SANS,
        "padding": {"left": 4, "right": 10, "top": 6, "bottom": 4},
        "view": {"stroke": None},
        "range": {
            "category": [palette["base"], palette["seen"], palette["unseen"], palette["others"]],
            "ordinal": STUDIES["dark" if palette is DARK else "light"],
            "diverging": [palette["good"], palette["wash"], palette["bad"]],
        },
        "axis": {
            "domain": False,
            "ticks": False,
            "grid": True,
            "gridColor": hair,
            "gridWidth": 0.75,
            "labelColor": soft,
            "labelFontSize": 11.5,
            "labelPadding": 7,
            "titleColor": soft,
            "titleFontSize": 11.5,
            "titleFontWeight": "normal",
        },
        "axisX": {"grid": False, "titlePadding": 10},
        "axisBand": {"grid": False},
        "header": {"labelColor": ink, "labelFontSize": 12.5, "labelFontWeight": 600, "title": None},
        "title": {
            "anchor": "start",
            "frame": "bounds",
            "color": ink,
            "fontSize": 14,
            "fontWeight": 600,
            "subtitleColor": soft,
            "subtitleFontSize": 12,
            "subtitlePadding": 5,
            "offset": 16,
        },
        "legend": {
            "labelColor": ink,
            "labelFontSize": 12,
            "title": None,
            "orient": "top",
            "symbolSize": 80,
            "columnPadding": 18,
        },
        "text": {"color": ink, "fontSize": 12},
        "style": {
            "quiet": {"color": soft, "fontSize": 10},
            "faded": {"color": soft},
            "hair": {"color": hair, "strokeWidth": 1},
            "zero": {"color": soft, "strokeWidth": 1},
            "noise": {"color": soft, "opacity": 0.16},
            "hollow": {"color": paper},
            "enough": {"color": palette["enough"]},
            "cell": {"stroke": paper, "strokeWidth": 2},
        },
    }
