"""The report: one HTML page that needs nothing else, its tables as CSV and its figures as SVG."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from polypinch.files import write_json, write_text
from polypinch.report.charts import Spec
from polypinch.report.data import GROUPS, UNTUNED, ReportData
from polypinch.report.differences import differences
from polypinch.report.dosing import dose_table
from polypinch.report.experiments import STEMS, TABLES, Part, experiment_parts
from polypinch.report.figures import FIGURES
from polypinch.report.judge import judge_section
from polypinch.report.sections import Section, sections
from polypinch.report.tables import csv_tables, flat, manifest_lines, pivot
from polypinch.report.tasks import TASKS, TaskPart, task_parts
from polypinch.report.theme import DARK, LIGHT, SANS, SERIF, chart_config

FINDINGS = "findings.json"
"""The answer for machines, beside the page."""

_LONGEST = 1500  # characters of an answer on the page; the answers tables hold all


def write_report(data: ReportData, directory: Path) -> Path:
    """Write ``report.html``, ``findings.json``, ``tables/*.csv`` and ``figures/*.svg``; return the page.

    A figure with nothing to draw is left out, and one of an earlier report is removed, as are its tables.

    Raises:
        PinchError: the folder can't be written to, or the disk is full.
    """
    tables = csv_tables(data)
    for name, text in tables.items():
        write_text(directory / "tables" / f"{name}.csv", text)
    for name in set(TABLES) - set(tables):
        (directory / "tables" / f"{name}.csv").unlink(missing_ok=True)
    tasks, parts = task_parts(data), experiment_parts(data)
    specs = {one.file: one.spec for one in tasks}
    specs |= {one.file: one.spec for part in parts for one in part.pictures}
    figures = [*_figures(data), *(_drawn("", file, "", spec) for file, spec in specs.items())]
    write_json(directory / FINDINGS, data.findings)
    for figure in figures:
        write_text(directory / "figures" / f"{figure.file}.svg", figure.svg)
    current = {f"{figure.file}.svg" for figure in figures}
    for old in (directory / "figures").glob("*.svg"):
        if old.name not in current and old.name.startswith((*FIGURES, TASKS, *STEMS)):
            old.unlink()
    page = directory / "report.html"
    write_text(page, _render(data, figures, tasks, parts))
    return page


@dataclass(frozen=True)
class _Figure:
    stem: str
    file: str
    model: str
    spec: Spec
    svg: str


def _render(data: ReportData, figures: list[_Figure], tasks: list[TaskPart], parts: list[Part]) -> str:
    manifest = manifest_lines(data)
    lost = sum(any(cell["lack"] for cell in line["cells"]) for line in manifest)
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("polypinch.report", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template.html.j2").render(
        data=data,
        facts=_facts(data),
        sections=[_section(data, section, figures) for section in sections(data)],
        tasks=_task_section(tasks, figures),
        parts=[_part(part, figures) for part in parts],
        judge=judge_section(data),
        manifest=manifest,
        lost=f"{lost} of {len(manifest)} lines lost rows" if lost else "",
        talks=_talks(data),
        settings=flat(data.settings),
        light=LIGHT,
        dark=DARK,
        sans=SANS,
        serif=SERIF,
        configs={"light": chart_config(LIGHT), "dark": chart_config(DARK)},
        css=_resource("page.css"),
        script=script,
        # Even a text that slipped through escaping could neither run nor fetch anything.
        policy=f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
    )


def _figures(data: ReportData) -> list[_Figure]:
    """Draw what there is to draw; with several models, one figure for each, its name in the file's."""
    found = []
    for stem, (table, draw) in FIGURES.items():
        rows = getattr(data, table)
        for number, model in enumerate(data.models if table != "mixtures" else data.models[:1], start=1):
            if not any(row.get("model", model) == model for row in rows):
                continue
            several = len(data.models) > 1 and table != "mixtures"
            slug = re.sub(r"[^A-Za-z0-9.]+", "-", model).strip("-.")
            file = f"{stem}-{number}-{slug}" if several else stem
            spec = draw(data, model)
            found.append(_drawn(stem, file, model if several else "", spec))
    return found


def _drawn(stem: str, file: str, model: str, spec: Spec) -> _Figure:
    svg = str(vl_convert.vegalite_to_svg(spec, config=chart_config(LIGHT)))
    return _Figure(stem, file, model, spec, svg)


def _section(data: ReportData, section: Section, figures: list[_Figure]) -> dict[str, Any]:
    table = FIGURES[section.anchor][0]
    drawn = []
    for figure in figures:
        if figure.stem != section.anchor:
            continue
        model = figure.model or data.models[0]
        drawn.append(
            {
                **_shown(figure, section.heading),
                "basis": _basis(data, table, model),
                "numbers": _numbers(data, table, model, section.number),
                "words": _words(data, section.anchor, model),
            }
        )
    return {**vars(section), "table": table, "figures": drawn}


def _task_section(parts: list[TaskPart], figures: list[_Figure]) -> list[dict[str, Any]]:
    drawn = {figure.file: figure for figure in figures}
    return [vars(part) | _shown(drawn[part.file], part.title) for part in parts]


def _part(part: Part, figures: list[_Figure]) -> dict[str, Any]:
    drawn = {figure.file: figure for figure in figures}
    pictures = [vars(one) | _shown(drawn[one.file], part.heading) for one in part.pictures]
    return {**vars(part), "pictures": pictures}


def _shown(figure: _Figure, heading: str) -> dict[str, Any]:
    """Return what the page needs to show a figure."""
    size = re.search(r'<svg[^>]*? width="([\d.]+)"[^>]*? height="([\d.]+)"', figure.svg)
    width, height = (round(float(side)) for side in size.groups()) if size else (900, 400)
    return {
        "file": figure.file,
        "model": figure.model,
        "spec": figure.spec,
        "image": _image(figure.svg),
        "width": width,
        "height": height,
        "alt": f"{heading} {figure.spec['title']['text']}",
    }


def _numbers(data: ReportData, table: str, model: str, number: str) -> dict[str, Any] | None:
    if table == "mixtures":
        return None
    return dose_table(data, model) if table == "curves" else pivot(data, table, model, number)


def _words(data: ReportData, anchor: str, model: str) -> list[str]:
    if anchor == "loss-change-heatmap":
        return differences(data, "loss_change", model, 0.0, lower_is_better=True)
    return (
        differences(data, "scores", model, 50.0, lower_is_better=False) if anchor == "scores-heatmap" else []
    )


def _image(svg: str) -> str:
    """Return an SVG as a data address, without what an image can't use.

    That is descriptions of single marks, marks that only catch the pointer, and far decimals.
    """
    bare = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    bare = re.sub(r'<(?:path|line)(?=[^>]* opacity="0")[^>]*/>', "", bare)
    bare = bare.replace(f'font-family="{SANS}"', "").replace("<svg ", f'<svg font-family="{SANS}" ', 1)
    bare = re.sub(r' (?:d|transform|[xy]2?|width|height)="[^"]*"', _trimmed, bare)
    return "data:image/svg+xml;base64," + base64.b64encode(bare.encode()).decode()


def _trimmed(attribute: re.Match[str]) -> str:
    return re.sub(r"(\.\d\d)\d+", r"\1", attribute[0])


def _basis(data: ReportData, table: str, model: str) -> str:
    rows = [row for row in getattr(data, table) if row.get("model") == model and row.get("n_items")]
    if not rows:
        return ""
    said = []
    for column, noun in (("n_items", "item"), ("n_seeds", "training seed")):
        counts = sorted({int(row[column]) for row in rows})
        span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        said.append(f"{span} {noun}{'' if counts == [1] else 's'}")
    return f"{said[0]} in each language, {said[1]}."


def _facts(data: ReportData) -> list[tuple[str, str]]:
    names = {group: [one.name for one in data.languages if one.group == group] for group in GROUPS}
    tuned = [arm for arm in data.arms if arm.name != UNTUNED]
    facts = [
        ("base model" if len(data.models) == 1 else "base models", ", ".join(data.models)),
        ("doses tried", ", ".join(arm.label for arm in tuned)),
        ("base language", ", ".join(names["base"])),
        ("in the pinch (seen)", ", ".join(names["seen"])),
        ("outside it (unseen)", ", ".join(names["unseen"])),
    ]
    return [(name, value) for name, value in facts if value]


def _talks(data: ReportData) -> list[dict[str, Any]]:
    """Return the samples by language; the first language that is not the base is shown first."""
    labels = {arm.name: arm.label for arm in data.arms}
    talks: list[dict[str, Any]] = []
    for one in data.languages:
        items = [
            {
                "item_id": sample.item_id,
                "prompt": _cut(sample.prompt),
                "reference": None if sample.reference is None else _cut(sample.reference),
                "answers": [
                    {
                        "arm": name,
                        "label": labels[name] if labels[name] != name else "",
                        "text": _cut(sample.answers[name]),
                        "in_language": sample.in_language.get(name),
                    }
                    for name in labels
                    if name in sample.answers
                ],
            }
            for sample in data.samples
            if sample.language == one.tag
        ]
        if items:
            talks.append({**vars(one), "items": items, "chosen": False})
    if talks:
        next((talk for talk in talks if talk["group"] != "base"), talks[0])["chosen"] = True
    return talks


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} […]"


def _resource(name: str) -> str:
    return files("polypinch.report").joinpath(name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _script() -> str:
    """Return Vega and the page's own script as one text that can't end its ``script`` element early."""
    bundle = str(vl_convert.javascript_bundle(_resource("page.js"))).replace("\r\n", "\n")
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")
