"""A finished part of the page: a title, text, figures, tables. What measured it is not known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polypinch.report.charts import Spec

Cells = list[dict[str, str] | None]
"""Cells of a line: ``value`` and ``span`` as texts, or nothing."""


@dataclass(frozen=True)
class Numbers:
    """A table on the page.

    Attributes:
        title: what it holds.
        head: names of its columns.
        rows: the first cell in words, the others as text, or ``None`` for nothing.
    """

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, Cells]]


@dataclass(frozen=True)
class Picture:
    """A figure with its words.

    Attributes:
        file: name of its SVG file.
        title: what kind of picture it is.
        spec: its Vega-Lite spec.
        reading: how to read it.
        table: name of the CSV file that holds its numbers.
        numbers: the same on the page, or ``None`` where an earlier figure has them.
    """

    file: str
    title: str
    spec: Spec
    reading: str
    table: str
    numbers: Numbers | None = None


@dataclass(frozen=True)
class Part:
    """A section of the page, finished: the page, LaTeX, CSV and the figures' files are made from it alike.

    Attributes:
        title: the question that it answers.
        anchor: its id on the page.
        lead: what is shown.
        notes: what must be known to read it rightly.
        pictures: its figures.
        numbers: tables that stand without a figure.
        tables: rows to export by the name of their CSV file: dataclasses, see :func:`record`. Parts may
            share a table: its rows are put together.
    """

    title: str
    anchor: str
    lead: str
    notes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    tables: Mapping[str, Sequence[object]] = field(default_factory=dict)
    numbers: tuple[Numbers, ...] = ()


@dataclass(frozen=True)
class Exports:
    """Names of files that parts of a page may have; those of an earlier page that are left are removed.

    Attributes:
        tables: names of CSV files.
        figures: how the names of figures' files begin.
    """

    tables: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


def record(row: object) -> dict[str, Any]:
    """Return a dataclass's fields by name, those of a dataclass in it (an estimate) in its place."""
    found: dict[str, Any] = {}
    for one in fields(row):  # type: ignore[arg-type]  # any dataclass
        value = getattr(row, one.name)
        found |= record(value) if is_dataclass(value) else {one.name: value}
    return found


def part_tables(parts: Sequence[Part]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all parts' tables, by name."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        for name, rows in part.tables.items():
            tables.setdefault(name, []).extend(record(row) for row in rows)
    return tables
