"""The report: one HTML page that needs nothing else, and beside it its tables and figures as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polypinch.files import versions, write_json, write_text
from polypinch.measure import LOSS, SCORE
from polypinch.report.conclusion import Conclusion
from polypinch.report.data import GROUPS, UNTUNED, ReportData
from polypinch.report.differences import differences
from polypinch.report.dosing import dose_table
from polypinch.report.export import Figure, drawn, write_figures, write_tables
from polypinch.report.figures import FIGURES
from polypinch.report.glance import PICTURE, TickLine, dose_picture, tick_lines
from polypinch.report.html import render, shown_figure
from polypinch.report.judge import judge_section
from polypinch.report.layout import ArmTable
from polypinch.report.part import Part
from polypinch.report.points import counted, file_name
from polypinch.report.sections import Section, sections
from polypinch.report.steps import made
from polypinch.report.tables import csv_tables, flat, manifest_lines, pivot
from polypinch.report.talks import talks
from polypinch.report.tasks import TASKS, TaskPart, task_parts
from polypinch.report.tex import latex_tables

FINDINGS = "findings.json"
"""The answer for machines, beside the page."""


def write_report(data: ReportData, directory: Path) -> Path:
    """Write the page, ``findings.json``, every table as CSV and LaTeX, every figure as SVG and PDF.

    What has nothing to show is left out, but for CSV files of what every study has; what an earlier report
    left of it is then removed. Returns the page's path.

    Raises:
        PinchError: the folder can't be written to, or the disk is full.
    """
    tasks = task_parts(data)
    figures = [*_pictures(data), *_figures(data), *(drawn(TASKS, one.file, "", one.spec) for one in tasks)]
    figures += [drawn("", one.file, "", one.spec) for part in data.parts for one in part.pictures]
    numbers = {FIGURES[section.anchor][0]: section.number for section in sections(data)}
    tables = csv_tables(data)
    write_json(directory / FINDINGS, data.findings)
    write_tables(tables, latex_tables(data, numbers, tasks), directory / "tables")
    for name in set(data.exports.tables) - set(tables):
        for ending in ("csv", "tex"):
            (directory / "tables" / f"{name}.{ending}").unlink(missing_ok=True)
    write_figures(figures, directory / "figures", (PICTURE, *FIGURES, TASKS, *data.exports.figures))
    page = directory / "report.html"
    write_text(page, _render(data, figures, tasks))
    return page


def _render(data: ReportData, figures: list[Figure], tasks: list[TaskPart]) -> str:
    manifest = manifest_lines(data)
    shown = [_section(data, section, figures) for section in sections(data)]
    there, missing = [one for one in shown if one["figures"]], [one for one in shown if not one["figures"]]
    judge = judge_section(data)
    lost = sum(any(cell.lack for cell in line.cells) for line in manifest)
    return render(
        "template.html.j2",
        title=data.title,
        version=versions().get("polypinch", ""),
        made=made(data.steps),
        data=data,
        facts=_facts(data),
        glances=_glances(data, figures),
        contents=_contents(data, there, bool(tasks), judge is not None, bool(missing)),
        sections=there,
        missing=list({one["table"]: one for one in reversed(missing)}.values())[::-1],
        tasks=_task_section(tasks, figures),
        parts=[_part(part, figures) for part in data.parts],
        charts={figure.file: figure.spec for figure in figures},
        judge=judge,
        manifest=manifest,
        lost=f"{lost} of {len(manifest)} lines lost rows" if lost else "",
        talks=talks(data),
        settings=flat(data.settings),
        defaults=[pair for pair in flat(data.defaults) if pair not in flat(data.settings)],
    )


@dataclass(frozen=True)
class _Glance:
    """The top of the page for one base model: words, a picture if there is one, and endpoints by dose."""

    told: Conclusion
    picture: dict[str, Any] | None
    lines: list[TickLine]


def _pictures(data: ReportData) -> list[Figure]:
    """Draw what each dose changes, of each model that has a ladder of doses."""
    return [
        drawn(PICTURE, file_name(data, PICTURE, told.model), told.model, dose_picture(told))
        for told in data.conclusions
        if told.endpoints
    ]


def _glances(data: ReportData, figures: list[Figure]) -> list[_Glance]:
    pictures = {figure.model: figure for figure in figures if figure.stem == PICTURE}
    glances = []
    for told in data.conclusions:
        figure = pictures.get(told.model)
        picture = None if figure is None else shown_figure(figure, told.short)
        glances.append(_Glance(told, picture, tick_lines(told)))
    return glances


def _contents(
    data: ReportData, shown: list[dict[str, Any]], tasks: bool, judge: bool, missing: bool
) -> list[tuple[str, str]]:
    """Return the anchor and heading of every section of the page."""
    return [
        *((one["anchor"], one["heading"]) for one in shown),
        *((part.anchor, part.title) for part in data.parts),
        *([("tasks", "Other tasks")] if tasks else []),
        *([("judge", "The judge: what do the scores hang on?")] if judge else []),
        *([("answers", "What they answered")] if data.samples else []),
        *([("not-here", "Not in this study")] if missing or not data.samples else []),
        ("settings", "How it was run"),
    ]


def _figures(data: ReportData) -> list[Figure]:
    """Draw what there is to draw; with several models, one figure for each, its name in the file's."""
    found = []
    for stem, (table, draw) in FIGURES.items():
        rows = getattr(data, table)
        for model in data.models if table != "mixtures" else data.models[:1]:
            # What rests on one item is no finding.
            if not any(_is_drawn(row, model) for row in rows):
                continue
            several = len(data.models) > 1 and table != "mixtures"
            file = file_name(data, stem, model) if several else stem
            found.append(drawn(stem, file, model if several else "", draw(data, model)))
    return found


def _is_drawn(row: object, model: str) -> bool:
    return getattr(row, "model", model) == model and getattr(row, "n_items", 0) != 1


def _section(data: ReportData, section: Section, figures: list[Figure]) -> dict[str, Any]:
    table = FIGURES[section.anchor][0]
    shown = []
    for figure in figures:
        if figure.stem != section.anchor:
            continue
        model = figure.model or data.models[0]
        shown.append(
            {
                **shown_figure(figure, section.heading),
                "basis": _basis(data, table, model),
                "numbers": _numbers(data, table, model, section.number),
                "words": _words(data, section.anchor, model),
            }
        )
    latex = {"curves": "doses"}.get(table, table)
    return {**vars(section), "table": table, "latex": latex, "figures": shown}


def _task_section(parts: list[TaskPart], figures: list[Figure]) -> list[dict[str, Any]]:
    found = {figure.file: figure for figure in figures}
    return [vars(part) | shown_figure(found[part.file], part.title) for part in parts]


def _part(part: Part, figures: list[Figure]) -> dict[str, Any]:
    by_file = {figure.file: figure for figure in figures}
    pictures = [vars(one) | shown_figure(by_file[one.file], part.title) for one in part.pictures]
    return {**vars(part), "pictures": pictures}


def _numbers(data: ReportData, table: str, model: str, number: str) -> ArmTable | None:
    if table == "mixtures":
        return None
    return dose_table(data, model) if table == "curves" else pivot(data, table, model, number)


def _words(data: ReportData, anchor: str, model: str) -> list[str]:
    if anchor == "loss-change-heatmap":
        return differences(data, data.loss_change, model, LOSS)
    return differences(data, data.scores, model, SCORE) if anchor == "scores-heatmap" else []


def _basis(data: ReportData, table: str, model: str) -> str:
    rows = [row for row in getattr(data, table) if getattr(row, "n_items", 0) and row.model == model]
    rows = [row for row in rows if row.arm != UNTUNED] or rows
    if not rows:
        return ""
    items, seeds = counted(rows)
    return f"{items} in each language, {seeds}."


def _doses_tried(labels: list[str]) -> str:
    """Return the doses of all arms, with the number of rows once where they share it."""
    each = list(dict.fromkeys(labels))
    ends = {label.partition(" of ")[2] for label in each}
    if len(ends) == 1 and "" not in ends:
        return f"{', '.join(label.partition(' of ')[0] for label in each)} of {ends.pop()}"
    return ", ".join(each)


def _facts(data: ReportData) -> list[tuple[str, str]]:
    names = {group: [one.name for one in data.languages if one.group == group] for group in GROUPS}
    tuned = [arm for arm in data.arms if arm.name != UNTUNED]
    facts = [
        ("base model" if len(data.models) == 1 else "base models", ", ".join(data.models)),
        ("doses tried", _doses_tried([arm.label for arm in tuned])),
        ("base language", ", ".join(names["base"])),
        ("in the pinch (seen)", ", ".join(names["seen"])),
        ("outside it (unseen)", ", ".join(names["unseen"])),
    ]
    return [(name, value) for name, value in facts if value]
