"""Reading labels from a file, whatever published layout it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import langcodes
import pyarrow as pa

from polypinch.conversation import encodable
from polypinch.errors import PinchError
from polypinch.judge.labels.fields import Row
from polypinch.judge.labels.layouts import LAYOUTS, Numbered
from polypinch.judge.labels.oasst import is_oasst, oasst
from polypinch.judge.labels.table import LABEL_SCHEMA
from polypinch.judge.labels.wmt import is_wmt, wmt
from polypinch.judge.people import is_job, job_labels, open_job
from polypinch.languages import language as named
from polypinch.reading import read_rows, row_errors

WHOLE = {"oasst": oasst, "wmt": wmt}
"""Layouts whose labels are made of several rows together."""

LAYOUT_NAMES = (*LAYOUTS, *WHOLE)


def detect(row: Row) -> str | None:
    """Return the layout of a first row by its keys, or ``None``."""
    if is_oasst(row):
        return "oasst"
    if is_wmt(row):
        return "wmt"
    return next((name for name, (matches, _, _) in LAYOUTS.items() if matches(row)), None)


def read_labels(path: Path, layout: str | None = None, language: str | None = None) -> pa.Table:
    """Read who preferred which answer.

    Args:
        path: JSON, JSON Lines, CSV, TSV or Parquet; or the folder of a job of ratings.
        layout: one of :data:`LAYOUT_NAMES`; told from the first row by default.
        language: of rows that do not say theirs.

    Returns:
        Rows in :data:`~polypinch.judge.labels.LABEL_SCHEMA`.

    Raises:
        PinchError: naming the file and row: no layout fits, a field is missing or its code unknown, a
            language is nowhere said, an annotator chose twice, or a pair has other answers elsewhere.
    """
    if layout is not None and layout not in LAYOUT_NAMES:
        raise PinchError(f"unknown layout {layout!r}", fix=f"known: {', '.join(LAYOUT_NAMES)}")
    if is_job(path):
        return job_labels(open_job(path))
    numbered = (row for chunk in read_rows(str(path)) for row in chunk.rows)
    first = next(numbered, None)
    if first is None:
        raise PinchError(f"{path}: no rows", fix="give a file of labels")
    kind = layout or detect(first[1])
    if kind is None:
        keys = ", ".join(map(repr, first[1]))
        raise PinchError(
            f"{path}: row {first[0]}: no known layout in the keys {keys}",
            fix=f"name one with --layout ({', '.join(LAYOUT_NAMES)}), or make a table with item_id, language,"
            " annotator, prompt, one_text, other_text and winner (first, second, tie)",
        )
    rows = _complete(path, kind, language, chain([first], numbered))
    with row_errors(path, None, "each column holds texts"):
        table = pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)
    if not table.num_rows:
        raise PinchError(
            f"{path}: no pair of answers in it",
            fix="a ranking needs two ranked replies to one prompt" if kind == "oasst" else "give labels",
        )
    return table


def _converted(path: Path, kind: str, rows: Iterator[Numbered]) -> Iterator[Numbered]:
    fix = f"mend the row, or name another layout than {kind} with --layout"
    if kind in WHOLE:
        with row_errors(path, None, fix):
            labels = list(WHOLE[kind](rows))
        yield from labels
        return
    convert = LAYOUTS[kind][1]
    for number, row in rows:
        with row_errors(path, number, fix):
            shared = {"item_id": str(number), "language": row.get("language") or row.get("lang")}
            of_row = [(number, {**shared, **label}) for label in convert(row)]
            for _, label in of_row:
                for name, value in label.items():
                    if isinstance(value, str):
                        encodable(value, name)
        yield from of_row


def _complete(path: Path, kind: str, language: str | None, rows: Iterator[Numbered]) -> list[Row]:
    default = language or (None if kind in WHOLE else LAYOUTS[kind][2])
    found: list[Row] = []
    chosen: dict[tuple[str, str, str], int] = {}
    texts: dict[tuple[str, str], tuple[int, object]] = {}
    for number, label in _converted(path, kind, rows):
        said = label["language"]
        tag = default if said is None or str(said).strip().casefold() in _UNTOLD else said
        if tag is None:
            raise PinchError(f"{path}: row {number}: no language", fix="say it with --language, such as en")
        row = {"prompt": None, "one_text": None, "other_text": None, **label}
        row |= {"language": _tag(path, number, str(tag)), "source": path.name}
        row["annotator"] = row["annotator"] or path.stem
        row["cluster"] = row.get("cluster") or row["item_id"]
        _once(path, number, row, chosen, texts)
        found.append(row)
    return found


_UNTOLD = frozenset({"", "unknown", "und", "nan", "none"})


def _tag(path: Path, number: int, value: str) -> str:
    """Return a language's tag, by its tag or its English name."""
    try:
        return named(value).tag
    except PinchError as error:
        with suppress(LookupError, PinchError):
            # Of a name with NUL bytes its index of names reads memory that is not its own.
            known = langcodes.find(value if value.isprintable() else "")
            if known.display_name().casefold() == value.strip().casefold():  # it takes what is near, too
                return named(str(known)).tag
        raise PinchError(f"{path}: row {number}: {error.message}", fix=error.fix) from error


def _once(
    path: Path,
    number: int,
    row: Row,
    chosen: dict[tuple[str, str, str], int],
    texts: dict[tuple[str, str], tuple[int, object]],
) -> None:
    """Refuse an annotator's second choice on a pair, and a pair that is not the same everywhere."""
    pair = (row["item_id"], row["language"])
    if (*pair, row["annotator"]) in chosen:
        before = chosen[*pair, row["annotator"]]
        raise PinchError(
            f"{path}: row {number}: {row['annotator']} chose on {pair[0]} ({pair[1]}) before (row {before})",
            fix="give every pair its own item_id, and every annotator one choice on it",
        )
    chosen[*pair, row["annotator"]] = number
    known = texts.setdefault(pair, (number, (row["one_text"], row["other_text"])))
    if known[1] != (row["one_text"], row["other_text"]):
        raise PinchError(
            f"{path}: row {number}: {pair[0]} ({pair[1]}) has other answers than in row {known[0]}",
            fix="give every pair of answers its own item_id, and write its answers in one order",
        )
