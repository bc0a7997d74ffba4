"""What differs in the language of two models' answers to the same prompts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.stats import SHARE, Array, Estimate, intervals

AVERAGE = "all"


@dataclass(frozen=True)
class FidelityChange:
    """One language, or the average over all of them.

    Attributes:
        language: tag, or ``all``.
        n: prompts to which both answered in a language that could be told.
        left_out: prompts of which an answer's language could not be told.
        share: of our answers in the language asked for.
        against: of theirs.
        change: ours less theirs, paired by prompt, with its 95 % interval.
    """

    language: str
    n: int
    left_out: int
    share: float
    against: float
    change: Estimate


def paired(ours: pa.Table, theirs: pa.Table) -> list[FidelityChange]:
    """Compare the shares of answers in the language asked for, prompt by prompt.

    Prompts are joined by item and language; several answers to one prompt are averaged. Items are clusters
    of their translations; the average weighs each language the same.

    Args:
        ours: ``item_id``, ``language``, ``in_language`` (``None`` where it could not be told).
        theirs: of the other model.

    Returns:
        One for each language of both, in order, and the average.

    Raises:
        PinchError: a table has no item ids, or they share no prompt.
    """
    values = [_by_prompt(table) for table in (ours, theirs)]
    shared = [key for key in values[0] if key in values[1]]
    if not shared:
        raise PinchError(
            "the two files share no prompt (item_id and language)",
            fix="compare answers of two models to the same prompts",
        )
    tags = sorted({tag for _, tag in shared})
    places = {item: place for place, item in enumerate(dict.fromkeys(item for item, _ in shared))}
    both: Array = np.full((2, len(places), len(tags)), np.nan)
    for side in (0, 1):
        for item, tag in shared:
            known = [each for each in values[side][item, tag] if each is not None]
            if known:
                both[side, places[item], tags.index(tag)] = np.mean(known)
    both[:, ~np.isfinite(both).all(axis=0)] = np.nan
    found = intervals((both[:1] - both[1:])[None], [range(len(tags))], SHARE.difference())
    asked = [sum(own == tag for _, own in shared) for tag in tags]
    kept = np.isfinite(both[0]).sum(axis=0)
    means = [[_mean(of_language) for of_language in side.T] for side in both]
    rows = [
        FidelityChange(
            tag, int(kept[at]), asked[at] - int(kept[at]), means[0][at], means[1][at], found.estimate(0, at)
        )
        for at, tag in enumerate(tags)
    ]
    over = [_mean(side) for side in means]
    average = found.estimate(0, len(tags))
    left_out = sum(row.left_out for row in rows)
    return [*rows, FidelityChange(AVERAGE, int(kept.sum()), left_out, over[0], over[1], average)]


def _mean(values: Sequence[float] | Array) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def _by_prompt(table: pa.Table) -> dict[tuple[str, str], list[bool | None]]:
    if "item_id" not in table.column_names:
        raise PinchError("answers without item_id cannot be paired", fix="add the column item_id")
    by: dict[tuple[str, str], list[bool | None]] = defaultdict(list)
    columns = (table[name].to_pylist() for name in ("item_id", "language", "in_language"))
    for item, tag, value in zip(*columns, strict=True):
        by[item, tag].append(value)
    return by
