"""Published verdicts from any file that holds them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc

from polypinch.errors import PinchError
from polypinch.judge.interchange.alpaca_eval import is_ours, read_annotations
from polypinch.judge.interchange.fastchat import read_pair_judgments
from polypinch.judge.interchange.games import table
from polypinch.judge.labels import Judged, judged, read_labels
from polypinch.judge.protocol import VERDICT_SCHEMA
from polypinch.reading import read_rows


def read_judged(path: Path, layout: str | None = None, language: str | None = None) -> dict[str, Judged]:
    """Read judges' verdicts, by judge.

    Both orders are known from our own verdicts (Parquet, or exported) and from FastChat's judgments of pairs;
    of other files, read as labels, the annotator is the judge and its choices are all that is known.

    Args:
        path: the file.
        layout: of labels; told from the first row by default.
        language: of rows that do not say theirs.

    Raises:
        PinchError: naming the file and row.
    """
    first = next((row for chunk in read_rows(str(path)) for _, row in chunk.rows), {})
    try:
        if set(VERDICT_SCHEMA.names[:9]) <= first.keys():
            rows = [row for chunk in read_rows(str(path)) for _, row in chunk.rows]
            return judged(table(rows))
        if is_ours(first) and "preference" in first:
            return judged(read_annotations(path))
        if layout in (None, "fastchat") and "g1_winner" in first:
            return judged(read_pair_judgments(path, language))
    except ValueError as error:
        raise PinchError(
            f"{path}: {error}",
            fix="give one comparison's verdicts: each item and language once per judge and order",
        ) from error
    labels = read_labels(path, layout, language)
    names = labels["annotator"].unique().to_pylist()
    return {name: Judged(labels.filter(pc.field("annotator") == name)) for name in names}
