"""Translation by people: a sheet (CSV) out, and read back row by row through the same checks."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.files import write_text
from polypinch.translate.tries import Key, Try
from polypinch.translate.wanted import Wanted

COLUMNS = ("item_id", "language", "turn", "role", "source", "target")
BY_HAND = "by hand"


def write_sheet(wanted: Sequence[Wanted], path: Path) -> None:
    """Write a sheet: a line for each turn, with its source and an empty place for its translation.

    Raises:
        PinchError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in wanted:
        for turn, message in enumerate(row.messages, 1):
            writer.writerow([row.item_id, row.language, turn, message["role"], message["content"], ""])
    write_text(path, "\ufeff" + text.getvalue())  # the mark lets spreadsheets read it as UTF-8


def read_sheet(path: Path, wanted: Sequence[Wanted]) -> dict[Key, Try]:
    """Read a sheet back: each row whose turns are all translated; others are not yet there.

    Args:
        path: a sheet of :func:`write_sheet`, its targets filled in, its lines in any order.
        wanted: the rows it was written of.

    Raises:
        PinchError: it is no such sheet, or a line's source is not what the row now says.
    """
    sources = {
        (row.item_id, row.language, str(turn)): message["content"]
        for row in wanted
        for turn, message in enumerate(row.messages, 1)
    }
    targets: dict[tuple[str, str, str], str] = {}
    try:
        lines = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PinchError(
            f"{path}: not readable as a sheet: {error}", fix="save it as CSV in UTF-8"
        ) from error
    for number, line in enumerate(lines, 2):
        if not set(COLUMNS) <= set(line):
            raise PinchError(f"{path}: it needs the columns {', '.join(COLUMNS)}")
        key = (line["item_id"], line["language"], line["turn"])
        if key not in sources:
            raise PinchError(
                f"{path}: line {number}: item {key[0]!r} in {key[1]!r}, turn {key[2]}, is not wanted",
                fix="read it with the plan or pool that it was written for",
            )
        if (line["source"] or "").split() != sources[key].split():
            raise PinchError(
                f"{path}: line {number}: its source is not what item {key[0]!r} says now",
                fix="write the sheet again, or put the source back",
            )
        if (line["target"] or "").strip():
            targets[key] = (line["target"] or "").strip()
    tries: dict[Key, Try] = {}
    for row in wanted:
        turns = [
            targets.get((row.item_id, row.language, str(turn))) for turn in range(1, len(row.messages) + 1)
        ]
        if all(turns):
            texts = tuple(turn for turn in turns if turn is not None)
            tries[row.item_id, row.language] = Try(row.item_id, row.language, texts, translator=BY_HAND)
    return tries
