"""Tables: as CSV files, and laid out language × arm for reading."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from polypinch.report.data import AVERAGES, GROUPS, ArmInfo, ReportData, Rows
from polypinch.report.estimates import ROWS
from polypinch.report.layout import ArmLine, ArmTable, Head, ManifestCell, ManifestLine
from polypinch.report.part import part_tables, record
from polypinch.report.steps import Step
from polypinch.terminal import cell

_MIXTURES = (
    *("arm", "language", "requested", "examples", "share"),
    *("tokens", "supervised_tokens", "truncated", "duplicates", "requested_amount", "requested_unit"),
)


UNKNOWN = {"value": "unknown", "span": "needs several seeds"}
"""The noise floor's cell where one seed was run."""


def known(value: Any) -> bool:
    """Tell whether a cell holds something: ``None`` and NaN are nothing."""
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def csv_tables(data: ReportData) -> dict[str, str]:
    """Return the report's tables as CSV texts by name; floats keep every digit, nothing is an empty cell.

    A row's columns that the table does not name come last.
    """
    found = {name: typed_csv(getattr(data, name), row) for name, row in ROWS.items()}
    found["mixtures"] = rows_csv(data.mixtures, _MIXTURES)
    found |= {name: rows_csv(rows, ("model",)) for name, rows in part_tables(data.parts).items()}
    found |= {"steps": typed_csv(data.steps, Step)} if data.steps else {}
    return {name: text for name, text in found.items() if name != "tasks" or data.tasks}


def typed_csv(rows: Sequence[object], row: type) -> str:
    """Return rows of one dataclass as CSV: its fields are the columns, also where there is no row."""
    return rows_csv([record(one) for one in rows], tuple(one.name for one in fields(row)))


def rows_csv(rows: Rows, columns: tuple[str, ...] = ()) -> str:
    """Return rows as CSV; columns beyond those named come last."""
    names = dict.fromkeys([*columns, *(name for row in rows for name in row)])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(cell, names))
    for row in rows:
        writer.writerow([cell(row[name]) if known(row.get(name)) else "" for name in names])
    return text.getvalue()


def row_names(data: ReportData) -> list[tuple[str, str, str]]:
    """Return (key, name, group) of every row a picture or table can have, in reading order.

    The base language first, then the seen average and its languages, then the unseen ones. A language alone
    in its group is its own average.
    """
    found = []
    for group in GROUPS:
        members = [(one.tag, one.name, group) for one in data.languages if one.group == group]
        if group != "base" and len(members) > 1:
            found.append((group, f"{group.capitalize()} average", group))
        found += members
    return found


def strong_rows(data: ReportData) -> set[str]:
    """Return the rows that a reader looks at first: averages, and languages alone in their group."""
    names = row_names(data)
    alone = {key for key, _, group in names if sum(group == other for _, _, other in names) == 1}
    return {key for key, _, _ in names if is_average(key)} | alone


def is_average(key: str) -> bool:
    """Tell whether a row's key stands for an average rather than a language."""
    return key in AVERAGES


def pivot(data: ReportData, table: str, model: str, number: str) -> ArmTable:
    """Lay one model's rows of a table out as language × arm, values with their intervals as texts."""
    cells = {
        (row.language, row.arm): estimate_texts(vars(row), number)
        for row in getattr(data, table)
        if row.model == model and known(row.value)
    }
    noise = _noise_cells(data, table, model, number.lstrip("+"))
    return by_language_and_arm(data, cells, table.replace("_", " "), noise)


def by_language_and_arm(
    data: ReportData,
    cells: Mapping[tuple[str, str], dict[str, str]],
    title: str,
    noise: Mapping[str, dict[str, str]] | None = None,
    **more: str,
) -> ArmTable:
    """Lay cells out as :func:`pivot` returns them.

    Args:
        data: its languages and arms are the rows and columns, those that have a cell.
        cells: texts by (language, arm).
        title: of the table.
        noise: a last column's texts by language.
        more: of the table.
    """
    arms = [arm for arm in data.arms if any(name == arm.name for _, name in cells)]
    rows = [
        ArmLine(
            name,
            is_average(key),
            is_average(key),
            [
                *(cells.get((key, arm.name)) for arm in arms),
                *([] if noise is None else [noise.get(key, UNKNOWN)]),
            ],
        )
        for key, name, _ in row_names(data)
        if any(key == found for found, _ in cells)
    ]
    columns: list[ArmInfo | Head] = [
        *arms,
        *([] if noise is None else [Head("noise floor", "another seed alone")]),
    ]
    return ArmTable(title, "language", columns, rows, **more)


def _noise_cells(data: ReportData, table: str, model: str, number: str) -> dict[str, dict[str, str]] | None:
    """Return the noise floor beside a table's values, by row; ``None`` where it has none."""
    measure = {"loss_change": "loss", "scores": "score", "fidelity": "fidelity"}.get(table)
    if measure is None:
        return None
    return {
        row.language: estimate_texts({"value": row.spread, "low": row.low, "high": row.high}, number)
        for row in data.noise
        if row.model == model and row.measure == measure
    }


def estimate_texts(row: Mapping[str, Any], number: str) -> dict[str, str]:
    """Return a row's ``value``, ``low``, ``high`` and ``span`` (from low to high) as texts."""
    value, low, high = (number_text(row.get(name), number) for name in ("value", "low", "high"))
    return {"value": value, "low": low, "high": high, "span": f"{low} to {high}"}


def number_text(value: Any, number: str) -> str:
    """Return a number in a format, with a true minus; what is not known is a question mark."""
    return format(value, number).replace("-", "−") if known(value) else "?"


def manifest_lines(data: ReportData) -> list[ManifestLine]:
    """Return the manifests' lines as texts, in the arms' order."""
    names = {one.tag: one.name for one in data.languages}
    order = {arm.name: at for at, arm in enumerate(data.arms)}
    lines: list[ManifestLine] = []
    for line in sorted(data.mixtures, key=lambda line: order.get(line["arm"], len(order))):
        cells = [
            ManifestCell(str(line["requested"]) if known(line.get("requested")) else "–"),
            ManifestCell(_count(line.get("examples")), _short(line)),
            ManifestCell(f"{line['share']:.1%}" if known(line.get("share")) else "–"),
        ]
        for name in ("tokens", "supervised_tokens", "truncated", "duplicates"):
            lost = name in ("truncated", "duplicates") and bool(line.get(name))
            cells.append(ManifestCell(_count(line.get(name)), lost))
        first = not lines or lines[-1].arm != line["arm"]
        language = str(names.get(line["language"], line["language"]))
        lines.append(ManifestLine(line["arm"], language, first, cells))
    return lines


def _count(value: Any) -> str:
    return f"{value:,}".replace(",", "\u202f") if known(value) else "–"


def _short(line: dict[str, Any]) -> bool:
    """Tell whether fewer examples were delivered than a plain number of them requested."""
    asked = line.get("requested_amount") if line.get("requested_unit") in ("count", "examples") else None
    return (asked or 0) > (line.get("examples") or 0)


def flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Flatten nested settings into (path, text) pairs; lists of plain values stay on one line."""
    if isinstance(value, dict):
        return [
            pair
            for key, inner in value.items()
            for pair in flat(inner, f"{path}.{key}" if path else str(key))
        ]
    if isinstance(value, (list, tuple)) and any(isinstance(inner, (dict, list)) for inner in value):
        return [pair for at, inner in enumerate(value, start=1) for pair in flat(inner, f"{path} {at}")]
    if isinstance(value, (list, tuple)):
        return [(path, ", ".join(map(str, value)))] if value else []
    return [(path, "none" if value is None else str(value))]
