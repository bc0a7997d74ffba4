"""Verdicts on pairs: what is stored is taken, what is missing is asked for, and each is written at once."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.judge.asking import Asker
from polypinch.judge.backends import Backend
from polypinch.judge.calls import Run
from polypinch.judge.cost import BudgetSpent, Forecast, Limits, Prices, Spent, price_of
from polypinch.judge.folder import Judge
from polypinch.judge.pairs import check_pairs
from polypinch.judge.protocol import VERDICT_SCHEMA, Orders, Sides
from polypinch.judge.reference import judge_by_reference
from polypinch.judge.store import VerdictStore
from polypinch.progress import bar, say


@dataclass(frozen=True)
class Terms:
    """On which terms a judge is asked.

    Attributes:
        orders: both, or one drawn for each item and language by a hash.
        limits: of this run.
        prices: by model.
        retry_failed: ask again where a call failed before.
    """

    orders: Orders = "both"
    limits: Limits = field(default_factory=Limits)
    prices: Prices | None = None
    retry_failed: bool = False


def judge_label(judge: Judge, backend: Backend | None) -> str:
    """Return how verdicts name their judge: ``pairwise:MODEL``, ``reference``."""
    return judge.name if backend is None else f"{judge.name}:{backend.model}"


def judge_pairs(
    pairs: pa.Table,
    judge: Judge,
    backend: Backend | None,
    store: VerdictStore,
    sides: Sides,
    how: Terms | None = None,
    *,
    spent: Spent | None = None,
    label: str | None = "judge",
) -> pa.Table:
    """Judge pairs of answers, asking only for what the store does not hold.

    Run again after a kill, it goes on. Answers that are the same but for outer white space are a tie without
    a call. A judge that grades is asked for each answer; the higher grade wins, in either order.

    Args:
        pairs: in :data:`~polypinch.judge.pairs.PAIR_SCHEMA`.
        judge: how to ask.
        backend: whom; ``reference`` needs none.
        store: where verdicts are kept, call by call.
        sides: whose answers they are.
        how: it is asked; in both orders, with no limit but that of concurrency, unless given.
        spent: is added to; one that several calls share shares their limits.
        label: names the progress bar; ``None`` shows none and says nothing: the caller does.

    Returns:
        A row per pair and order in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`, pairs in their order.

    Raises:
        BudgetSpent: a limit was reached; what was asked is stored.
        PinchError: the pairs are wrong, or no call can succeed; what was asked is stored.
    """
    if not judge.kind.asks_model:
        return judge_by_reference(check_pairs(pairs), sides, judge.settings.tie_margin)
    if backend is None:
        raise PinchError(f"the judge {judge.name} needs a model to ask", fix="name a model")
    how, spent = how or Terms(), Spent() if spent is None else spent
    run = Run(check_pairs(pairs), judge, backend, store, how.orders, how.retry_failed)
    price = price_of(backend.model, how.prices, how.limits)
    estimate = run.estimate(price, how.limits.concurrency)
    if estimate.calls and label is not None:
        say(f"{label}: {judge_label(judge, backend)}: {estimate}")
    asker = Asker(run, how.limits, price, spent, estimate)
    with bar(label or "judge", estimate.verdicts, estimate.verdicts - estimate.calls, label is None) as shown:
        asyncio.run(asker.ask_all(shown))
    if asker.stopped_at is not None:
        raise BudgetSpent(asker.stopped_at, spent, estimate.calls - asker.made)
    names = {**asdict(sides), "judge": judge_label(judge, backend)}
    tables = [pa.Table.from_pylist(rows, VERDICT_SCHEMA) for rows in run.verdicts(names)]
    return pa.concat_tables([VERDICT_SCHEMA.empty_table(), *tables])


def estimate_pairs(
    pairs: pa.Table,
    judge: Judge,
    backend: Backend,
    store: VerdictStore,
    how: Terms | None = None,
) -> Forecast:
    """Return what :func:`judge_pairs` would do, without a call; arguments are the same.

    Raises:
        PinchError: the pairs are wrong, or the cost is limited and has no price.
    """
    how = how or Terms()
    run = Run(check_pairs(pairs), judge, backend, store, how.orders, how.retry_failed)
    return run.estimate(price_of(backend.model, how.prices, how.limits), how.limits.concurrency)
