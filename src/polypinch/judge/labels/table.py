"""The table of people's choices, and its layout as a panel of raters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from polypinch.seeded import ranks

LABEL_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("annotator", pa.string()),
        ("prompt", pa.string()),
        ("one_text", pa.string()),
        ("other_text", pa.string()),
        ("winner", pa.string()),
        ("source", pa.string()),
        ("cluster", pa.string()),
    ]
)
"""One row per (pair of answers, language, annotator). ``winner`` is ``first`` (``one_text`` is better),
``second``, ``tie``, or null where the annotator did not choose. ``cluster`` names what is resampled together:
pairs of answers to one prompt, and translations of one item. Texts are null where the file has none."""

WINNERS = ("first", "second", "tie")
"""The choices; a choice's code is its place here."""

CODES = {winner: code for code, winner in enumerate(WINNERS)}
TIE = CODES["tie"]

Key = tuple[str, str]
"""(item_id, language)."""


@dataclass(frozen=True)
class Panel:
    """Choices laid out as items by annotators.

    Attributes:
        keys: (item_id, language) of each row.
        clusters: what is resampled together, per row.
        annotators: names of the columns, sorted.
        codes: (items, annotators), as in :data:`WINNERS`; -1 where there is no choice.
    """

    keys: tuple[Key, ...]
    clusters: tuple[str, ...]
    annotators: tuple[str, ...]
    codes: npt.NDArray[np.int64]


def panel(labels: pa.Table) -> Panel:
    """Lay labels out as items by annotators, in the order in which items first appear.

    Args:
        labels: rows in :data:`LABEL_SCHEMA`.

    Raises:
        ValueError: an annotator chose twice on one pair.
    """
    columns = ("item_id", "language", "annotator", "winner", "cluster")
    rows = list(zip(*(labels[name].to_pylist() for name in columns), strict=True))
    places: dict[Key, int] = {}
    clusters: list[str] = []
    for item, tag, _, _, cluster in rows:
        if (item, tag) not in places:
            places[item, tag] = len(places)
            clusters.append(cluster)
    annotators = sorted({row[2] for row in rows})
    columns_of = {name: index for index, name in enumerate(annotators)}
    codes = np.full((len(places), len(annotators)), -1, dtype=np.int64)
    seen = set()
    for item, tag, annotator, winner, _ in rows:
        if (item, tag, annotator) in seen:
            raise ValueError(f"{annotator} chose twice on {item} ({tag})")
        seen.add((item, tag, annotator))
        if winner is not None:
            codes[places[item, tag], columns_of[annotator]] = CODES[winner]
    return Panel(tuple(places), tuple(clusters), tuple(annotators), codes)


def pair_rows(labels: pa.Table) -> pa.Table:
    """Return the pairs to judge: each (item, language) once, with its prompt and both answers.

    Pairs whose texts the file does not have are left out.

    Args:
        labels: rows in :data:`LABEL_SCHEMA`.

    Returns:
        ``item_id``, ``language``, ``prompt``, ``arm_text`` (the one answer), ``against_text`` (the other).
    """
    names = ["item_id", "language", "prompt", "one_text", "other_text"]
    once = {(row["item_id"], row["language"]): row for row in reversed(labels.select(names).to_pylist())}
    rows = [row for row in reversed(once.values()) if None not in (row["prompt"], row["one_text"])]
    schema = pa.schema([(name, pa.string()) for name in names])
    renamed = ["item_id", "language", "prompt", "arm_text", "against_text"]
    return pa.Table.from_pylist(rows, schema=schema).rename_columns(renamed)


def sample(labels: pa.Table, items: int, seed: int = 0) -> pa.Table:
    """Keep the labels of some items, in all their languages; more items include fewer.

    Args:
        labels: rows in :data:`LABEL_SCHEMA`.
        items: how many to keep.
        seed: draws which.
    """
    names = labels["item_id"].unique()
    drawn = names.take(np.argsort(ranks(names, seed, "labels"), kind="stable")[:items])
    return labels.filter(pc.is_in(labels["item_id"], drawn))
