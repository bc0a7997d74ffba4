"""What every card begins with: the fields that the Hub reads, and tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

_KNOWN_LICENCES = {
    "apache-2.0",
    "cc-by-2.0",
    "cc-by-3.0",
    "cc-by-4.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "cc-by-sa-3.0",
    "cc-by-sa-4.0",
    "cc0-1.0",
    "gemma",
    "llama2",
    "llama3",
    "llama3.1",
    "llama3.2",
    "mit",
    "odc-by",
    "openrail",
}


def front_matter(fields: Mapping[str, Any]) -> str:
    """Return a card's head, fields of no value left out."""
    held = {name: value for name, value in fields.items() if value not in (None, [], {})}
    return f"---\n{yaml.safe_dump(held, sort_keys=False, allow_unicode=True)}---\n"


def hub_licence(licences: Iterable[str]) -> str:
    """Return the one licence as the Hub writes it; ``other`` where there are several, ``unknown`` unsaid."""
    named = {licence.lower() for licence in licences}
    if len(named) == 1:
        (only,) = named
        return only if only in _KNOWN_LICENCES else "unknown" if only in ("", "unknown") else "other"
    return "other"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown; what texts hold cannot end a cell."""
    lines = [_line(head), _line(["---"] * len(head)), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
