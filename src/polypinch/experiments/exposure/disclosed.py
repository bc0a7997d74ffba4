"""Disclosed shares of pretraining, from a file."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.languages import language


def read_exposure(path: Path) -> dict[str, float]:
    """Read disclosed shares of pretraining: a CSV file with the columns ``language`` and ``share``.

    Only ratios of shares count, so percent and parts of 1 do alike.

    Raises:
        PinchError: the file cannot be read, or a row names no language or no share above 0.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PinchError(f"{path}: cannot be read ({error})", fix="name a CSV file in UTF-8") from error
    if not rows or not {"language", "share"} <= rows[0].keys():
        raise PinchError(
            f"{path}: no rows with the columns language and share",
            fix="begin the file with the line language,share",
        )
    found: dict[str, float] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path}, line {number}"
        try:
            tag = language((row["language"] or "").strip()).tag
        except PinchError as error:
            raise PinchError(f"{where}: {error}", fix=error.fix) from error
        try:
            share = float(row["share"] or "")
        except ValueError:
            share = math.nan
        if not (math.isfinite(share) and share > 0):
            raise PinchError(
                f"{where}: the share of {tag} is {row['share']!r}, which is no number above 0",
                fix="leave out languages whose share is not known",
            )
        if tag in found:
            raise PinchError(f"{where}: {tag} stands twice", fix="keep one share for each language")
        found[tag] = share
    return found
