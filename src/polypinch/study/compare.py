"""Two sets of answers side by side, without a study: pairs from files, and the scores of verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.fidelity import read_answers
from polypinch.judge import PAIR_SCHEMA, Orders, choice, conversation, outcomes
from polypinch.pool import Pool
from polypinch.pool.table import response
from polypinch.stats import Array, Estimate, language_means, mean_interval, resampled_means
from polypinch.study.adaptive import Settled, joined

Key = tuple[str, str]
ALL = "all"


def read_pairs(ours: Path, theirs: Path, pool: Pool | None) -> pa.Table:
    """Read two files of answers as pairs.

    Args:
        ours: an answer file, or a folder that ``polypinch answer`` made.
        theirs: the other; what only one of them has is a missing answer on the other's side.
        pool: holds the prompts and references, by item and language; without it the files must have a column
            ``prompt``, and may have ``reference``.

    Returns:
        Rows in :data:`~polypinch.judge.PAIR_SCHEMA`.

    Raises:
        PinchError: a file lacks a column or an item's prompt, or the two share no item.
    """
    sides = [_read_side(path) for path in (ours, theirs)]
    keys = list(dict.fromkeys([*sides[0], *sides[1]]))
    if not set(sides[0]) & set(sides[1]):
        raise PinchError(
            f"{ours} and {theirs} share no item and language", fix="their item_id and language must agree"
        )
    shown = _of_pool(pool) if pool is not None else {}
    rows = []
    for key in keys:
        found = [side.get(key) for side in sides]
        prompts = [row.get("prompt") for row in found if row is not None]
        told, reference = shown.get(key, (next((text for text in prompts if text), None), None))
        if told is None:
            where = f"pool {pool.name}" if pool is not None else "the answer files"
            raise PinchError(
                f"item {key[0]!r} in {key[1]!r} has no prompt in {where}",
                fix="name the pool that was answered (--prompts), or add a column prompt",
            )
        references = [row.get("reference") for row in found if row is not None]
        rows.append(
            {
                "item_id": key[0],
                "language": key[1],
                "prompt": told,
                "arm_text": found[0]["text"] if found[0] else None,
                "against_text": found[1]["text"] if found[1] else None,
                "reference": reference or next((text for text in references if text), None),
            }
        )
    return pa.Table.from_pylist(rows, schema=PAIR_SCHEMA)


def _read_side(path: Path) -> dict[Key, dict[str, Any]]:
    file = path / "answers.parquet" if path.is_dir() else path
    table = read_answers(file, others=["item_id"], optional=["prompt", "reference"])
    found: dict[Key, dict[str, Any]] = {}
    for row in table.to_pylist():
        key = (row["item_id"], row["language"])
        if key[0] is None or key in found:
            raise PinchError(
                f"{file}: item {key[0]!r} in {key[1]!r} stands twice, or has no id",
                fix="keep one answer (sample) per item and language",
            )
        found[key] = row
    return found


def _of_pool(pool: Pool) -> dict[Key, tuple[str, str | None]]:
    table = pool.select(["item_id", "language", "messages"])
    columns = [table[name].to_pylist() for name in ("item_id", "language", "messages")]
    return {
        (item, tag): (conversation(messages), (response(messages) or "").strip() or None)
        for item, tag, messages in zip(*columns, strict=True)
    }


@dataclass(frozen=True)
class Comparison:
    """How an arm did against another in one language, or over all.

    Attributes:
        language: a tag, or ``all``: the mean over languages, each weighing the same.
        score: discounted ties, 0 to 100; 50 is parity.
        flips: the share of pairs whose winner changed with the order.
        firsts: the share of choices that fell on the answer shown first; 0.5 is no bias.
        longer: the share of choices that fell on the longer answer, where lengths differ.
        verdicts: wanted.
        missing: of them, without a winner.
        not_asked: pairs that were not judged, as the rest had settled the language.
        decided: what adaptive judging settled: ``above`` or ``below`` parity, or ``narrow``; ``None`` where
            nothing was, or judging was not adaptive.
    """

    language: str
    score: Estimate
    flips: Estimate
    firsts: Estimate
    longer: Estimate
    verdicts: int
    missing: int
    not_asked: int = 0
    decided: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it JSON-able."""
        return asdict(self)


def summarise_verdicts(
    verdicts: pa.Table, orders: Orders = "both", settled: Mapping[str, Settled] | None = None
) -> list[Comparison]:
    """Return one line per language, in the order of their tags, and the line of all.

    Intervals resample items, each with all its translations and both its orders. After adaptive judging
    that would be wrong for scores, as it stopped where they looked good: these have the interval of
    :func:`~polypinch.study.adaptive.joined`. The other rates' intervals are then approximate.

    Args:
        verdicts: of one pair of arms by one judge.
        orders: in which they were judged.
        settled: where adaptive judging left each language.
    """
    rows = verdicts.to_pylist()
    tags = sorted({row["language"] for row in rows})
    items = list(dict.fromkeys(row["item_id"] for row in rows))
    at = ({item: index for index, item in enumerate(items)}, {tag: index for index, tag in enumerate(tags)})
    decided = outcomes(verdicts, orders).to_pylist()
    score = _laid_out(decided, at, lambda row: row["outcome"])
    flips = _laid_out(decided, at, lambda row: row["flipped"])
    firsts, longer = _laid_out(rows, at, _is_first), _laid_out(rows, at, _is_longer)
    wanted, missing = (
        Counter(row["language"] for row in rows if every or row["winner"] is None) for every in (True, False)
    )
    lines = []
    for name, where in [*((tag, [index]) for index, tag in enumerate(tags)), (ALL, list(range(len(tags))))]:
        of = tags if name == ALL else [name]
        left = [settled[tag] for tag in of] if settled else []
        lines.append(
            Comparison(
                name,
                joined(left) if left else mean_interval(100 * score[:1], where),
                _pooled(flips, where),
                _pooled(firsts, where),
                _pooled(longer, where),
                verdicts=sum(wanted[tag] for tag in of),
                missing=sum(missing[tag] for tag in of),
                not_asked=sum(one.not_asked for one in left),
                decided=left[0].decided if left and name != ALL else None,
            )
        )
    return lines


def _laid_out(
    rows: list[dict[str, Any]],
    at: tuple[dict[str, int], dict[str, int]],
    value: Callable[[dict[str, Any]], float | None],
) -> Array:
    """Lay values out as (orders, items, languages); NaN where there is none."""
    values: Array = np.full((2, len(at[0]), len(at[1])), np.nan)
    for row in rows:
        found = value(row)
        if found is not None:
            order = int(row.get("order") == "against_first")
            values[order, at[0][row["item_id"]], at[1][row["language"]]] = found
    return values


def _is_first(row: dict[str, Any]) -> float | None:
    return None if row["winner"] in (None, "tie") else float(row["winner"] == "first")


def _is_longer(row: dict[str, Any]) -> float | None:
    chosen = choice(row["order"], row["winner"])
    ours, theirs = row["arm_length"], row["against_length"]
    if chosen in (None, "tie") or ours is None or theirs is None or ours == theirs:
        return None
    return float((chosen == "arm") == (ours > theirs))


def _pooled(values: Array, languages: list[int]) -> Estimate:
    """Return the rate over both orders as one sample of items, with its interval."""
    chosen = values[:, :, languages]
    n_items = int(np.isfinite(chosen).any(axis=(0, 2)).sum())
    if not n_items:
        return Estimate(np.nan, np.nan, np.nan, 0, 1)
    drawn = resampled_means(chosen)
    averages = np.nanmean(drawn[np.isfinite(drawn).any(axis=1)], axis=1)
    low, high = np.quantile(averages, [0.025, 0.975])
    return Estimate(float(np.nanmean(language_means(chosen))), float(low), float(high), n_items, 1)
