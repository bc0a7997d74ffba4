"""A study's measurements as arrays over (seed, item, language), laid out alike for all its arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from polypinch.stats import Array
from polypinch.study.record import Record


@dataclass(frozen=True)
class Axes:
    """The axes that every array of a study shares, so that arms stay paired.

    Attributes:
        seeds: training seeds.
        items: held-out items.
        languages: evaluated languages, the base first.
        groups: which positions of ``languages`` each average covers; empty ones are left out.
    """

    seeds: tuple[int, ...]
    items: tuple[str, ...]
    languages: tuple[str, ...]
    groups: dict[str, list[int]]


def axes(inputs: Record) -> Axes:
    """Return a study's axes."""
    study = inputs.study
    position = {tag: index for index, tag in enumerate(study.evaluated)}
    groups = {
        "seen": [position[tag] for tag in study.languages.seen],
        "unseen": [position[tag] for tag in study.languages.unseen],
        "others": list(range(1, len(position))),
    }
    items = tuple(inputs.heldout["item_id"].unique().to_pylist())
    return Axes(study.seeds, items, study.evaluated, {name: where for name, where in groups.items() if where})


def fill(axes: Axes, tables: Mapping[int | None, pa.Table], column: str) -> Array:
    """Lay tables out as (seeds, items, languages); NaN where there is no value, or no table of a seed.

    Args:
        axes: the axes.
        tables: by seed, or one under ``None`` where nothing was tuned; rows with ``item_id``, ``language``
            and ``column``. Several rows of one item and language (samples) are averaged.
        column: a number, a truth value, or null.
    """
    item_at = {item: index for index, item in enumerate(axes.items)}
    language_at = {tag: index for index, tag in enumerate(axes.languages)}
    seeds: tuple[int | None, ...] = (None,) if None in tables else axes.seeds
    shape = (len(seeds), len(axes.items), len(axes.languages))
    total, count = np.zeros(shape), np.zeros(shape)
    for seed, table in tables.items():
        position = seeds.index(seed)
        columns = [table[name].to_pylist() for name in ("item_id", "language", column)]
        for item, tag, value in zip(*columns, strict=True):
            if value is not None and item in item_at and tag in language_at:
                total[position, item_at[item], language_at[tag]] += float(value)
                count[position, item_at[item], language_at[tag]] += 1
    values: Array = np.divide(total, count, out=np.full(shape, np.nan), where=count > 0)
    return values
