"""The report: one HTML page that needs nothing else, and beside it its tables and figures as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from polypinch.files import write_json, write_text
from polypinch.measure import LOSS, SCORE
from polypinch.report.data import GROUPS, UNTUNED, ReportData
from polypinch.report.differences import differences
from polypinch.report.dosing import dose_table
from polypinch.report.export import Figure, drawn, write_figures, write_tables
from polypinch.report.figures import FIGURES
from polypinch.report.html import render, shown_figure
from polypinch.report.judge import judge_section
from polypinch.report.part import Part
from polypinch.report.points import counted, file_name
from polypinch.report.sections import Section, sections
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
    figures = [*_figures(data), *(drawn(TASKS, one.file, "", one.spec) for one in tasks)]
    figures += [drawn("", one.file, "", one.spec) for part in data.parts for one in part.pictures]
    numbers = {FIGURES[section.anchor][0]: section.number for section in sections(data)}
    tables = csv_tables(data)
    write_json(directory / FINDINGS, data.findings)
    write_tables(tables, latex_tables(data, numbers, tasks), directory / "tables")
    for name in set(data.exports.tables) - set(tables):
        for ending in ("csv", "tex"):
            (directory / "tables" / f"{name}.{ending}").unlink(missing_ok=True)
    write_figures(figures, directory / "figures", (*FIGURES, TASKS, *data.exports.figures))
    page = directory / "report.html"
    write_text(page, _render(data, figures, tasks))
    return page


def _render(data: ReportData, figures: list[Figure], tasks: list[TaskPart]) -> str:
    manifest = manifest_lines(data)
    lost = sum(any(cell["lack"] for cell in line["cells"]) for line in manifest)
    return render(
        "template.html.j2",
        title=data.title,
        version=data.versions.get("polypinch", ""),
        data=data,
        facts=_facts(data),
        sections=[_section(data, section, figures) for section in sections(data)],
        tasks=_task_section(tasks, figures),
        parts=[_part(part, figures) for part in data.parts],
        charts={figure.file: figure.spec for figure in figures},
        judge=judge_section(data),
        manifest=manifest,
        lost=f"{lost} of {len(manifest)} lines lost rows" if lost else "",
        talks=talks(data),
        settings=flat(data.settings),
    )


def _figures(data: ReportData) -> list[Figure]:
    """Draw what there is to draw; with several models, one figure for each, its name in the file's."""
    found = []
    for stem, (table, draw) in FIGURES.items():
        rows = getattr(data, table)
        for model in data.models if table != "mixtures" else data.models[:1]:
            if not any(row.get("model", model) == model for row in rows):
                continue
            several = len(data.models) > 1 and table != "mixtures"
            file = file_name(data, stem, model) if several else stem
            found.append(drawn(stem, file, model if several else "", draw(data, model)))
    return found


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


def _numbers(data: ReportData, table: str, model: str, number: str) -> dict[str, Any] | None:
    if table == "mixtures":
        return None
    return dose_table(data, model) if table == "curves" else pivot(data, table, model, number)


def _words(data: ReportData, anchor: str, model: str) -> list[str]:
    if anchor == "loss-change-heatmap":
        return differences(data, "loss_change", model, LOSS)
    return differences(data, "scores", model, SCORE) if anchor == "scores-heatmap" else []


def _basis(data: ReportData, table: str, model: str) -> str:
    rows = [row for row in getattr(data, table) if row.get("model") == model and row.get("n_items")]
    if not rows:
        return ""
    items, seeds = counted(rows)
    return f"{items} in each language, {seeds}."


def _facts(data: ReportData) -> list[tuple[str, str]]:
    names = {group: [one.name for one in data.languages if one.group == group] for group in GROUPS}
    tuned = [arm for arm in data.arms if arm.name != UNTUNED]
    facts = [
        ("base model" if len(data.models) == 1 else "base models", ", ".join(data.models)),
        ("doses tried", ", ".join(dict.fromkeys(arm.label for arm in tuned))),
        ("base language", ", ".join(names["base"])),
        ("in the pinch (seen)", ", ".join(names["seen"])),
        ("outside it (unseen)", ", ".join(names["unseen"])),
    ]
    return [(name, value) for name, value in facts if value]
