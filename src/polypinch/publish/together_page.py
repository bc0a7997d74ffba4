"""Several studies on one page: what each found, how their doses respond, and what they differ in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import versions, write_text
from polypinch.publish.overlay import SHAPES, Series, overlay
from polypinch.report import (
    UNTUNED,
    ArmEstimate,
    Cell,
    Figure,
    Grid,
    ReportData,
    Rows,
    Scale,
    base_name,
    baseline,
    drawn,
    estimate_texts,
    flat,
    known,
    latex,
    opponents,
    render,
    rows_csv,
    shown_figure,
    with_neutral,
    write_figures,
    write_tables,
)
from polypinch.terminal import cell

_AVERAGES = {"others": "All other languages", "seen": "Seen", "unseen": "Unseen"}


@dataclass(frozen=True)
class Entry:
    """One of the studies.

    Attributes:
        name: what tells it from the others on the page.
        page: its own report, relative to this one; empty where there is none.
        data: its report's data.
    """

    name: str
    page: str
    data: ReportData


@dataclass(frozen=True)
class _Part:
    """A measure's section: its chart and its table."""

    stem: str
    table: str
    heading: str
    lead: str
    number: str
    neutral: float | None
    measure: Callable[[list[Series]], Scale]
    curves: bool = False


_PARTS = (
    _Part(
        "together-loss-change",
        "loss_change",
        "How does each dose change held-out loss?",
        "Held-out loss is how many bits the model needs for each byte of a good response. Each study’s arms"
        " are set against its own arm without a dose, on the same items. Lower is better.",
        "+.4f",
        0.0,
        lambda series: Scale(
            "Change in held-out loss, bits per byte",
            _NOTE + (_CURVES if any(one.data.curves for one in series) else ""),
            axis="+.3~f",
            text="+.3f",
        ),
        curves=True,
    ),
    _Part(
        "together-scores",
        "scores",
        "Are the answers better?",
        "Every answer compared with the opponent’s, in both orders: a win counts 1, a tie ½, a loss 0."
        " 50 is parity with the study’s own opponent.",
        ".1f",
        50.0,
        lambda series: Scale(
            "Score, 0 to 100",
            f"against {' or '.join(dict.fromkeys(opponents(one.data) for one in series))}; {_NOTE}",
            axis=".0f",
            text=".0f",
        ),
    ),
    _Part(
        "together-fidelity",
        "fidelity",
        "Do they answer in the language asked?",
        "Fidelity is the share of answers in the language of their prompt.",
        ".0%",
        None,
        lambda _: Scale("Share of answers in the language of the prompt", _NOTE, axis=".0%", text=".0%"),
    ),
)
_NOTE = "averages over languages, each weighing the same; 95 % intervals"
_CURVES = "; lines: saturating fits and their 95 % bands"


def write_together(entries: Sequence[Entry], warnings: Sequence[str], directory: Path) -> Path:
    """Write ``report.html`` for several studies, with its tables and figures; return the page's path.

    Args:
        entries: two or more studies of one base language, with names of their own.
        warnings: where they cannot be compared, in sentences.
        directory: for the page, ``tables`` and ``figures``.

    Raises:
        PinchError: more base models than a chart can tell apart; the folder can't be written to.
    """
    series = series_of(entries)
    if len(series) > len(SHAPES):
        raise PinchError(
            f"{len(series)} base models in {len(entries)} studies are too many for one chart",
            fix=f"name studies with at most {len(SHAPES)} in all",
        )
    figures = {part.stem: figure for part in _PARTS if (figure := _figure(series, part)) is not None}
    shown = [_shown(series, part, figures[part.stem]) for part in _PARTS if part.stem in figures]
    about = f"{' and '.join(entry.name for entry in entries)}: made with polypinch"
    grids = {part.table: [_grid(series, part)] for part in _PARTS if part.stem in figures}
    write_tables(
        _csv_tables(entries),
        {name: latex(found, about) for name, found in grids.items()},
        directory / "tables",
    )
    write_figures(list(figures.values()), directory / "figures", [part.stem for part in _PARTS])
    page = directory / "report.html"
    content = render(
        "together.html.j2",
        title=", ".join(entry.name for entry in entries),
        version=versions().get("polypinch", ""),
        entries=entries,
        found=[_found(entry) for entry in entries],
        warnings=list(warnings),
        sections=shown,
        charts={figure.file: figure.spec for figure in figures.values()},
        differences=unlike_settings(entries),
    )
    write_text(page, content)
    return page


def series_of(entries: Sequence[Entry]) -> list[Series]:
    """Return a series for each study, or for each of its base models where it has several."""
    return [
        Series(
            entry.name if len(entry.data.models) == 1 else f"{entry.name}: {model}",
            entry.name,
            model,
            entry.data,
        )
        for entry in entries
        for model in entry.data.models
    ]


def unlike_settings(entries: Sequence[Entry]) -> list[tuple[str, list[str]]]:
    """Return the settings and package versions that are not the same in all studies, with each one's."""
    flattened = [
        dict(flat(entry.data.defaults))
        | dict(flat(entry.data.settings))
        | {f"version of {k}": v for k, v in entry.data.versions.items()}
        for entry in entries
    ]
    found = []
    for name in dict.fromkeys(name for settings in flattened for name in settings):
        values = [settings.get(name, "–") for settings in flattened]
        if len(set(values)) > 1 and name != "study.name":
            found.append((name, values))
    return found


@dataclass(frozen=True)
class _Found:
    """What a study found, at a glance."""

    name: str
    page: str
    models: str
    answer: str
    doses: str
    items: str
    seeds: str


@dataclass(frozen=True)
class _Line:
    """An arm in an average, as each study has it; ``group`` is empty but in the average's first line."""

    group: str
    arm: str
    cells: list[dict[str, str] | None]


@dataclass(frozen=True)
class _Table:
    """Averages of a measure, arm by arm, a column for each study."""

    title: str
    names: list[str]
    rows: list[_Line]


def averages(entries: Sequence[Entry]) -> Rows:
    """Return the averages over other languages of every study, base model, arm and measure, one per row."""
    return [
        {"study": entry.name, "measure": part.table}
        | {name: getattr(row, name) for name in ("model", "arm", "language", "value", "low", "high")}
        for entry in entries
        for part in _PARTS
        for row in getattr(entry.data, part.table)
        if row.language in _AVERAGES
    ]


def _found(entry: Entry) -> _Found:
    data = entry.data
    rows = [row for table in (data.loss, data.fidelity, data.scores) for row in table]
    tuned = [arm for arm in data.arms if arm.name != UNTUNED]
    return _Found(
        entry.name,
        entry.page,
        ", ".join(data.models),
        data.answer,
        ", ".join(dict.fromkeys(arm.label for arm in tuned)),
        _span({row.n_items for row in rows if row.n_items}),
        _span({row.n_seeds for row in rows if row.n_seeds and row.arm != UNTUNED}),
    )


def _span(counts: set[int]) -> str:
    return "–" if not counts else f"{min(counts)} to {max(counts)}" if len(counts) > 1 else str(min(counts))


def _rows(one: Series, part: _Part) -> Sequence[ArmEstimate]:
    rows: Sequence[ArmEstimate] = getattr(one.data, part.table)
    opponent = {"loss_change": baseline, "scores": opponents}.get(part.table)
    if opponent is None or part.neutral is None or not rows:
        return rows
    return with_neutral(one.data, rows, opponent(one.data), part.neutral)


def _figure(series: list[Series], part: _Part) -> Figure | None:
    tables = [_rows(one, part) for one in series]
    if not any(row.language in _AVERAGES for rows in tables for row in rows):
        return None
    base = base_name(series[0].data)
    spec = overlay(series, tables, part.measure(series), base, part.neutral, part.curves)
    return drawn(part.stem, part.stem, "", spec)


def _shown(series: list[Series], part: _Part, figure: Figure) -> dict[str, Any]:
    lacking = [one.name for one in series if not getattr(one.data, part.table)]
    return {
        "anchor": part.stem,
        "heading": part.heading,
        "lead": part.lead,
        "warning": f"Not measured in {', '.join(lacking)}." if lacking else "",
        "table": part.table,
        "numbers": _pivot(series, part),
        "figures": [shown_figure(figure, part.heading)],
    }


def _pivot(series: list[Series], part: _Part) -> _Table:
    """Lay averages out as arm × study, in order of dose; an arm that a study lacks is an empty cell."""
    shares: dict[str, float] = {}
    for info in (info for one in series for info in one.data.arms):
        share = info.dose_share if info.name != UNTUNED else -1.0
        shares[info.name] = min(shares.get(info.name, 1.0), share)
    order = sorted(shares, key=lambda name: shares[name])
    labels = [{arm.name: arm.label for arm in one.data.arms} for one in series]
    cells = {
        (row.language, row.arm, at): estimate_texts(vars(row), part.number)
        | {"dose": labels[at].get(row.arm, "")}
        for at, one in enumerate(series)
        for row in getattr(one.data, part.table)
        if row.model == one.model and row.language in _AVERAGES and known(row.value)
    }
    rows = []
    for key, title in _AVERAGES.items():
        arms = [arm for arm in order if any((key, arm, at) in cells for at in range(len(series)))]
        for arm in arms:
            mine = [cells.get((key, arm, at)) for at in range(len(series))]
            rows.append(_Line(title if arm == arms[0] else "", arm, mine))
    title = f"{part.table.replace('_', ' ')}: arms and studies"
    return _Table(title, [one.name for one in series], rows)


def _grid(series: list[Series], part: _Part) -> Grid:
    table = _pivot(series, part)
    rows: list[tuple[list[Cell], bool]] = [
        ([row.group, row.arm, *row.cells], bool(row.group)) for row in table.rows
    ]
    measure = part.measure(series)
    caption = f"{measure.title}: {measure.note}, in brackets."
    return Grid(caption, part.stem, [["average", "arm", *table.names]], rows, words=2)


def _csv_tables(entries: Sequence[Entry]) -> dict[str, str]:
    tables = {
        name: rows_csv(
            [{"study": entry.name, **vars(row)} for entry in entries for row in getattr(entry.data, name)]
        )
        for name in ("scores", "fidelity", "loss", "loss_change")
    }
    tables["answers"] = rows_csv(
        [{name: value for name, value in vars(_found(entry)).items() if name != "page"} for entry in entries]
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["setting", *(cell(entry.name) for entry in entries)])
    writer.writerows([cell(name), *map(cell, values)] for name, values in unlike_settings(entries))
    return tables | {"differences": text.getvalue()}
