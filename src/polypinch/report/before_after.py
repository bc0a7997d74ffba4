"""One page: a model before and after it was tuned, language by language, with its answers side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polypinch.files import write_text
from polypinch.measure import Measure
from polypinch.report.data import UNTUNED, ReportData
from polypinch.report.estimates import ArmEstimate
from polypinch.report.html import render
from polypinch.report.tables import (
    estimate_texts,
    flat,
    is_average,
    manifest_lines,
    row_names,
    rows_csv,
)
from polypinch.report.talks import talks

PAGE = "before-after.html"


@dataclass(frozen=True)
class BeforeAfter:
    """One measure before and after.

    Attributes:
        measure: which.
        rows: its values, of each arm and language.
        changes: the paired change by language: ``value``, ``low``, ``high``, ``n_items``.
        lead: what it is, in a sentence or two.
    """

    measure: Measure
    rows: Sequence[ArmEstimate]
    changes: Mapping[str, Mapping[str, Any]]
    lead: str


def write_before_after(
    data: ReportData,
    compared: Sequence[BeforeAfter],
    *,
    answer: str,
    caveats: Sequence[str],
    facts: Sequence[tuple[str, str]],
    directory: Path,
) -> Path:
    """Write the page, and its numbers as ``tables/before-after.csv``; return the page's path.

    Args:
        data: the study's, of the untuned base and one arm.
        compared: the measures, the leading one first.
        answer: what is found, in a sentence.
        caveats: what it cannot tell.
        facts: what was done, by name.
        directory: to write to.

    Raises:
        PinchError: the folder cannot be written to.
    """
    measures = [_section(data, one) for one in compared if one.changes]
    csv_rows = [
        {"measure": one.measure.name, "language": name, **_ends(one, name)}
        for one in compared
        for name in one.changes
    ]
    (directory / "tables").mkdir(parents=True, exist_ok=True)
    write_text(directory / "tables" / "before-after.csv", rows_csv(csv_rows))
    page = directory / PAGE
    shown = render(
        "before_after.html.j2",
        title=f"{data.models[0]}, before and after",
        model=data.models[0],
        answer=answer,
        caveats=caveats,
        facts=facts,
        measures=measures,
        talks=talks(data),
        manifest=manifest_lines(data),
        settings=flat(data.settings),
        version=data.versions.get("polypinch", ""),
        charts={},
    )
    write_text(page, shown)
    return page


def _section(data: ReportData, one: BeforeAfter) -> dict[str, Any]:
    measure = one.measure
    rows = []
    for key, name, _ in row_names(data):
        if key not in one.changes:
            continue
        before, after = (_row(one.rows, arm, key) for arm in (UNTUNED, _tuned(data)))
        cells = [
            estimate_texts(vars(before), measure.text) if before else None,
            estimate_texts(vars(after), measure.text) if after else None,
            estimate_texts(dict(one.changes[key]), measure.change_text),
        ]
        rows.append({"name": name, "average": is_average(key), "cells": cells})
    return {"anchor": measure.name, "heading": measure.heading, "lead": one.lead, "rows": rows}


def _tuned(data: ReportData) -> str:
    return next(arm.name for arm in data.arms if arm.name != UNTUNED)


def _row(rows: Sequence[ArmEstimate], arm: str, language: str) -> ArmEstimate | None:
    return next((row for row in rows if row.arm == arm and row.language == language), None)


def _ends(one: BeforeAfter, name: str) -> dict[str, Any]:
    by_arm = {row.arm: row.value for row in one.rows if row.language == name}
    after = next((value for arm, value in by_arm.items() if arm != UNTUNED), None)
    change = one.changes[name]
    return {
        "before": by_arm.get(UNTUNED),
        "after": after,
        "change": change["value"],
        "low": change["low"],
        "high": change["high"],
        "n_items": change["n_items"],
    }
