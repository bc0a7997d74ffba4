"""Rates per language and over all, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from polypinch.stats import Array, resampled_means

MEASURES = ("in_language", "line_pass", "word_pass")
_Z = 1.959963984540054  # the normal's 97.5 % point


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval; NaN where nothing was judged.

    Attributes:
        value: from 0 to 1.
        low: lower end.
        high: upper end.
        n: answers judged.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class LanguageFidelity:
    """The three rates of one language, or of all.

    Attributes:
        language: its tag; ``all`` for the unweighted mean of the languages.
        n: answers.
        n_abstained: answers whose language could not be told.
        abstained: their share of the answers, from 0 to 1; for ``all`` the unweighted mean of the languages'.
        in_language: answers in the language asked for, of those told.
        if_wrong: what that rate would be of all answers if every abstained one were in another language.
        if_right: the same if every one were in the language asked for.
        line_pass: answers with no line in another language.
        word_pass: of those that pass by lines, answers with no word in another language.
    """

    language: str
    n: int
    n_abstained: int
    abstained: float
    in_language: Rate
    if_wrong: float
    if_right: float
    line_pass: Rate
    word_pass: Rate


def summarise(table: pa.Table, stratum: str | None = None) -> list[LanguageFidelity]:
    """Summarise a fidelity table per language, in order of first appearance, then over ``all``.

    A language's interval is Wilson's (1927, *JASA* 22, 209-212), which stays open at 0 and 100 %, over its
    items. Means of languages or strata combine theirs after Zou and Donner (2008, *Statistics in Medicine*
    27, 1693-1702). Where items are named, answers to one item in several languages stand and fall together:
    the mean over languages is then also resampled by item, and the wider end of the two is kept.

    Args:
        table: the columns of ``FIDELITY_SCHEMA`` and ``language``; ``item_id`` if there is one.
        stratum: a column (``source``) whose values weigh the same within a language, as in the benchmark.
    """
    tags = table["language"].to_pylist()
    strata = table[stratum].to_pylist() if stratum else [None] * len(tags)
    named = "item_id" in table.column_names
    items = table["item_id"].to_pylist() if named else list(range(len(tags)))
    abstained = [value is None for value in table["in_language"].to_pylist()]
    rates = {name: _rates(table[name].to_pylist(), tags, strata, items, named) for name in MEASURES}
    told = table["in_language"].to_pylist()
    shares, if_wrong, if_right = (
        _rates(values, tags, strata, items, named=False)
        for values in (
            abstained,
            [bool(value) for value in told],
            [value is None or value for value in told],
        )
    )
    order = list(dict.fromkeys(tags))
    return [
        LanguageFidelity(
            language=tag,
            n=len(tags) if tag == "all" else tags.count(tag),
            n_abstained=sum(gone for gone, own in zip(abstained, tags, strict=True) if tag in ("all", own)),
            abstained=shares[tag].value,
            if_wrong=if_wrong[tag].value,
            if_right=if_right[tag].value,
            **{name: rates[name][tag] for name in MEASURES},
        )
        for tag in [*order, "all"]
    ]


def _rates(
    values: Sequence[bool | None],
    tags: Sequence[str],
    strata: Sequence[Any],
    items: Sequence[Any],
    named: bool,
) -> dict[str, Rate]:
    """Return the rate of each language and of ``all``."""
    cells: dict[tuple[str, Any], dict[Any, list[bool]]] = {}
    for value, tag, stratum, item in zip(values, tags, strata, items, strict=True):
        if value is not None:
            cells.setdefault((tag, stratum), {}).setdefault(item, []).append(value)
    own: dict[str, Rate] = {}
    for tag in dict.fromkeys(tags):
        own[tag] = _mean([_wilson(list(cell.values())) for (of, _), cell in cells.items() if of == tag])
    overall = _mean([rate for rate in own.values() if rate.n])
    if named and overall.n:
        low, high = _by_item(cells)
        overall = Rate(overall.value, min(low, overall.low), max(high, overall.high), overall.n)
    return {**own, "all": overall}


def _wilson(items: Sequence[Sequence[bool]]) -> Rate:
    """Return the share over answers; the interval counts items, as samples of one are not independent."""
    n_answers, n = sum(map(len, items)), len(items)
    share = sum(map(sum, items)) / n_answers
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * float(np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)))
    return Rate(share, min(share, centre - half), max(share, centre + half), n_answers)


def _mean(rates: Sequence[Rate]) -> Rate:
    """Return the unweighted mean of independent rates."""
    if not rates:
        return Rate(np.nan, np.nan, np.nan, 0)
    value = sum(rate.value for rate in rates) / len(rates)
    below = sum((rate.value - rate.low) ** 2 for rate in rates) ** 0.5 / len(rates)
    above = sum((rate.high - rate.value) ** 2 for rate in rates) ** 0.5 / len(rates)
    return Rate(value, max(0.0, value - below), min(1.0, value + above), sum(rate.n for rate in rates))


def _by_item(cells: dict[tuple[str, Any], dict[Any, list[bool]]]) -> tuple[float, float]:
    """Return the 95 % interval of the mean over languages when items are resampled."""
    names = {
        item: index
        for index, item in enumerate(dict.fromkeys(item for cell in cells.values() for item in cell))
    }
    values: Array = np.full((1, len(names), len(cells)), np.nan)
    for column, cell in enumerate(cells.values()):
        for item, answers in cell.items():
            values[0, names[item], column] = sum(answers) / len(answers)
    languages = [tag for tag, _ in cells]
    weights = np.array([1 / languages.count(tag) for tag in languages]) / len(set(languages))
    drawn = resampled_means(values)
    known = np.isfinite(drawn)
    means = np.where(known, drawn, 0.0) @ weights / (known @ weights)
    low, high = np.quantile(means[np.isfinite(means)], [0.025, 0.975])
    return float(low), float(high)
