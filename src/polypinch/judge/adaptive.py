"""Judging no more than it takes: items in random order, language by language, until each is settled."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.judge.cost import BudgetSpent
from polypinch.judge.pairs import check_pairs
from polypinch.judge.protocol import ORDERS, Orders, outcomes
from polypinch.progress import bar
from polypinch.seeded import ranks
from polypinch.stats import Estimate, Monitor

# Which items are asked first must be the same in every run: what was paid for is then enough again.
_ORDER_SEED = 0
# So many verdicts, all of them missing: the judge can't do it, and the rest would be paid for in vain.
_HOPELESS = 50


@dataclass(frozen=True)
class Settled:
    """Where judging left one language of a comparison.

    Attributes:
        language: its tag.
        mean: of the outcomes, 0 to 1; NaN where there is none.
        low: lower end of the confidence sequence.
        high: upper end.
        decided: ``above`` or ``below`` parity, ``narrow``, or ``None``: all was asked, and nothing settled.
        drawn: pairs that were asked.
        not_asked: pairs that were not, as the rest had settled it.
    """

    language: str
    mean: float
    low: float
    high: float
    decided: str | None
    drawn: int
    not_asked: int

    def as_dict(self) -> dict[str, Any]:
        """Return it JSON-able; a mean that is not known is ``None``."""
        return {**asdict(self), "mean": None if math.isnan(self.mean) else self.mean}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settled:
        """Return what :meth:`as_dict` was made of."""
        return cls(**{**data, "mean": math.nan if data["mean"] is None else data["mean"]})


@dataclass(frozen=True)
class Adapted:
    """What adaptive judging came to.

    Attributes:
        verdicts: of the pairs that were asked, and of those that lack an answer.
        languages: where each language stands, by tag.
        saved: calls that were not made.
    """

    verdicts: pa.Table
    languages: dict[str, Settled]
    saved: int


def judge_adaptively(
    pairs: pa.Table,
    ask: Callable[[pa.Table], pa.Table],
    *,
    orders: Orders,
    half_width: float,
    error: float,
    at_a_time: int,
    label: str,
) -> Adapted:
    """Judge pairs in rounds, each language until its score is settled.

    A language stops when its confidence sequence is narrower than ``half_width`` or leaves out parity; see
    :class:`~polypinch.stats.Monitor`. Items come in an order that hangs on their ids alone, so a run that was
    killed takes its verdicts from the store, asks nothing again and decides the same.

    Args:
        pairs: in :data:`~polypinch.judge.PAIR_SCHEMA`. One that lacks an answer takes no part in the
            sequence: it is missing in any case.
        ask: judges some of the pairs, as :func:`~polypinch.judge.judge_pairs`.
        orders: in which it judges each pair.
        half_width: stop at an interval this narrow, of a mean outcome between 0 and 1; 0 goes on until the
            side of parity is settled.
        error: the probability that any language's sequence ever misses the mean over all its pairs.
        at_a_time: verdicts asked for in a round, at least one pair of each open language.
        label: names the progress bar.

    Raises:
        BudgetSpent: a limit was reached; what was asked is stored.
        PinchError: as ``ask``, or no verdict comes at all.
    """
    pairs = check_pairs(pairs)
    each = len(ORDERS) if orders == "both" else 1
    queues, apart = _queues(pairs)
    tables = [ask(_part(pairs, apart))]
    monitor = Monitor({tag: len(queue) for tag, queue in queues.items()}, half_width=half_width, error=error)
    taken: Counter[str] = Counter()
    with bar(label, sum(map(len, queues.values()))) as shown:
        while going := [str(tag) for tag in monitor.undecided()]:
            share = max(1, at_a_time // (each * len(going)))
            chosen = {tag: queues[tag][taken[tag] : taken[tag] + share] for tag in going}
            try:
                found = ask(_part(pairs, [row for rows in chosen.values() for row in rows]))
            except BudgetSpent as spent:
                later = sum(len(queues[tag]) - taken[tag] - len(chosen[tag]) for tag in going)
                left = spent.left + each * later
                raise BudgetSpent(spent.limit, spent.spent, left, at_most=True) from spent
            tables.append(found)
            for row in outcomes(found, orders).to_pylist():
                monitor.update(row["language"], row["outcome"])
            taken.update({tag: len(rows) for tag, rows in chosen.items()})
            settled = f"{len(queues) - len(monitor.undecided())} of {len(queues)} languages settled"
            shown.advance(sum(map(len, chosen.values())), settled)
            _refuse_without_verdicts(tables)
    rest = [row for tag, queue in queues.items() for row in queue[taken[tag] :]]
    return Adapted(
        pa.concat_tables(tables),
        {tag: _settled(tag, monitor, len(queue)) for tag, queue in queues.items()},
        each * sum(not _same(row) for row in _part(pairs, rest).to_pylist()),
    )


def joined(parts: Sequence[Settled], n_seeds: int = 1, of_seeds: float = 0.0) -> Estimate:
    """Return a score, 0 to 100, over languages and seeds, each weighing the same, with its interval.

    After optional stopping no bootstrap interval holds. Confidence sequences do, all at once, and so the
    mean of their ends bounds the mean of the scores: those of all the pairs that could have been judged.

    Args:
        parts: one for each language and seed; those without an outcome are left out.
        n_seeds: training seeds among them.
        of_seeds: half-width of an interval over training seeds, of means between 0 and 1: it joins as squares
            (Zou and Donner 2008, *Statistics in Medicine* 27, 1693-1702).
    """
    known = [part for part in parts if not math.isnan(part.mean)]
    if not known:
        return Estimate(math.nan, math.nan, math.nan, 0, n_seeds)
    value, low, high = np.mean([(one.mean, one.low, one.high) for one in known], axis=0)
    below, above = np.hypot(value - low, of_seeds), np.hypot(high - value, of_seeds)
    ends = max(0.0, float(value - below)), min(1.0, float(value + above))
    n_items = max(one.drawn for one in known)
    return Estimate(100 * float(value), 100 * ends[0], 100 * ends[1], n_items, n_seeds)


def _queues(pairs: pa.Table) -> tuple[dict[str, list[int]], list[int]]:
    """Return each language's rows in random order, and the rows that lack an answer."""
    order = np.argsort(ranks(pairs["item_id"], _ORDER_SEED, "adaptive judging"), kind="stable")
    tags = pairs["language"].to_pylist()
    sides = [pairs[f"{side}_text"].is_null().to_pylist() for side in ("arm", "against")]
    queues: dict[str, list[int]] = {tag: [] for tag in sorted(set(tags))}
    apart: list[int] = []
    for row in map(int, order):
        lacks = sides[0][row] or sides[1][row]
        (apart if lacks else queues[tags[row]]).append(row)
    return queues, sorted(apart)


def _part(pairs: pa.Table, rows: Sequence[int]) -> pa.Table:
    return pairs.take(pa.array(rows, pa.int64()))


def _settled(tag: str, monitor: Monitor, pairs: int) -> Settled:
    state = monitor.state(tag)
    decided = state.decided if state.drawn else None
    return Settled(tag, state.mean, state.low, state.high, decided, state.drawn, pairs - state.drawn)


def _same(row: Mapping[str, Any]) -> bool:
    return bool(row["arm_text"].strip() == row["against_text"].strip())


def _refuse_without_verdicts(tables: Sequence[pa.Table]) -> None:
    rows = sum(table.num_rows for table in tables[1:])
    if rows < _HOPELESS or any(table["winner"].null_count < table.num_rows for table in tables[1:]):
        return
    raise PinchError(
        f"none of {rows} calls came to a verdict; the last: {tables[-1]['error'].to_pylist()[-1]}",
        fix="name another model or judge, then run the same with --retry-failed: what was judged is kept",
    )
