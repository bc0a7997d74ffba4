"""Verdicts on pairs: what is stored is taken, what is missing is asked for, and each is written at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.files import canonical_json, fingerprint
from polypinch.judge.backends import Backend, CallFailed
from polypinch.judge.cost import (
    BYTES_PER_TOKEN,
    BudgetSpent,
    Estimate,
    Limits,
    Price,
    Prices,
    Spent,
    dollars,
    price_of,
)
from polypinch.judge.folder import Judge
from polypinch.judge.pairs import check_pairs
from polypinch.judge.prompts import render
from polypinch.judge.protocol import ORDERS, VERDICT_SCHEMA, Orders
from polypinch.judge.reference import judge_by_reference
from polypinch.judge.replies import read_reply
from polypinch.judge.store import Record, VerdictStore
from polypinch.progress import Bar, bar, say

_ROWS_AT_ONCE = 256
# So many replies, none of them a verdict: the judge can't do it, and the rest would be paid for in vain.
_HOPELESS = 50
_SAME = "identical answers"
_NO_ANSWER = "an answer is missing"


class _Call(NamedTuple):
    """One verdict wanted, and the call that gives it."""

    order: str
    record: Record
    prompt: str
    reference: str | None
    first: str
    second: str | None


def judge_label(judge: Judge, backend: Backend | None) -> str:
    """Return how verdicts name their judge: ``pairwise:MODEL``, ``reference``."""
    return judge.name if backend is None else f"{judge.name}:{backend.model}"


def judge_pairs(
    pairs: pa.Table,
    judge: Judge,
    backend: Backend | None,
    store: VerdictStore,
    *,
    arm: str,
    against: str,
    seed: int | None,
    orders: Orders = "both",
    limits: Limits | None = None,
    prices: Prices | None = None,
    retry_failed: bool = False,
    spent: Spent | None = None,
    label: str = "judge",
) -> pa.Table:
    """Judge pairs of answers, asking only for what the store does not hold.

    Run again after a kill, it goes on. Answers that are the same but for outer white space are a tie without
    a call. A judge that grades is asked for each answer; the higher grade wins, in either order.

    Args:
        pairs: in :data:`~polypinch.judge.pairs.PAIR_SCHEMA`.
        judge: how to ask.
        backend: whom; ``reference`` needs none.
        store: where verdicts are kept, call by call.
        arm: whose score it is.
        against: whom it is compared with.
        seed: the training seed of ``arm``, or ``None``.
        orders: both, or one drawn for each item and language by a hash.
        limits: of this run.
        prices: by model.
        retry_failed: ask again where a call failed before.
        spent: is added to; one that several calls share shares their limits.
        label: names the progress bar.

    Returns:
        A row per pair and order in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`, pairs in their order.

    Raises:
        BudgetSpent: a limit was reached; what was asked is stored.
        PinchError: the pairs are wrong, or no call can succeed; what was asked is stored.
    """
    if judge.kind == "reference":
        return judge_by_reference(check_pairs(pairs), arm, against, seed, judge.settings.tie_margin)
    if backend is None:
        raise PinchError(f"the judge {judge.name} needs a model to ask", fix="name a model")
    limits, spent = limits or Limits(), Spent() if spent is None else spent
    run = _Run(check_pairs(pairs), judge, backend, store, orders, retry_failed)
    price = price_of(backend.model, prices, limits)
    estimate = run.estimate(price, limits.concurrency)
    if estimate.calls:
        say(f"{label}: {judge_label(judge, backend)}: {estimate}")
    asker = _Asker(run, limits, price, spent, estimate)
    with bar(label, estimate.verdicts, estimate.verdicts - estimate.calls) as shown:
        asyncio.run(asker.ask_all(shown))
    if asker.stopped_at is not None:
        raise BudgetSpent(asker.stopped_at, spent, estimate.calls - asker.made)
    names = {"arm": arm, "against": against, "seed": seed, "judge": judge_label(judge, backend)}
    tables = [pa.Table.from_pylist(rows, VERDICT_SCHEMA) for rows in run.verdicts(names)]
    return pa.concat_tables([VERDICT_SCHEMA.empty_table(), *tables])


def estimate_pairs(
    pairs: pa.Table,
    judge: Judge,
    backend: Backend,
    store: VerdictStore,
    *,
    orders: Orders = "both",
    limits: Limits | None = None,
    prices: Prices | None = None,
    retry_failed: bool = False,
) -> Estimate:
    """Return what :func:`judge_pairs` would do, without a call; arguments are the same.

    Raises:
        PinchError: the pairs are wrong, or the cost is limited and has no price.
    """
    limits = limits or Limits()
    run = _Run(check_pairs(pairs), judge, backend, store, orders, retry_failed)
    return run.estimate(price_of(backend.model, prices, limits), limits.concurrency)


@dataclass(frozen=True)
class _Run:
    """The calls that pairs need, drawn from the table as they are wanted, never held all at once."""

    pairs: pa.Table
    judge: Judge
    backend: Backend
    store: VerdictStore
    orders: Orders
    retry_failed: bool

    def estimate(self, price: Price | None, concurrency: int) -> Estimate:
        verdicts = stored = identical = missing = calls = prompt_tokens = 0
        counted = f"bytes / {BYTES_PER_TOKEN}"
        wanted: set[int] = set()
        for row_calls, records in self._rows():
            for call in row_calls:
                verdicts += 1
                if call is None:
                    missing += 1
                elif self.settled(call, records):
                    known = records.get(call.record.key)
                    same = not known.called if known else _same(call)
                    identical += same
                    stored += not same
                elif int(call.record.key[:16], 16) in wanted:
                    stored += 1
                else:
                    wanted.add(int(call.record.key[:16], 16))
                    calls += 1
                    tokens, exact = self.tokens(call)
                    prompt_tokens += tokens
                    counted = "counted" if exact else counted
        completion = calls * self.judge.settings.max_tokens
        cost = price.of(prompt_tokens, completion) if price else None
        each = self.store.seconds_per_call(self.backend.model, self.judge.version)
        seconds = None if each is None else each * calls / concurrency
        return Estimate(
            verdicts, stored, identical, missing, calls, prompt_tokens, completion, cost, seconds, counted
        )

    def tokens(self, call: _Call) -> tuple[int, bool]:
        """Return a call's prompt tokens, and whether they were counted or guessed from its bytes."""
        text = self.render(call)
        counted = self.backend.count(text)
        return (-(-len(text.encode()) // BYTES_PER_TOKEN), False) if counted is None else (counted, True)

    def render(self, call: _Call) -> str:
        """Return the prompt, with a code of its own."""
        shown = {"prompt": call.prompt, "reference": call.reference}
        if call.second is None:
            shown["answer"] = call.first
        else:
            shown |= {"first": call.first, "second": call.second}
        tag = call.record.language
        labels = self.judge.settings.labels
        return render(self.judge.prompt_in(tag), tag, labels, self.backend.special, **shown)

    def to_ask(self) -> Iterator[_Call]:
        """Yield calls that have no verdict yet; ties between identical answers are written on the way."""
        for row_calls, records in self._rows():
            for call in row_calls:
                if call is None:
                    continue
                if _same(call) and call.record.key not in records:
                    self.store.put(replace(call.record, winner="tie", reason=_SAME, called=False))
                elif not self.settled(call, records):
                    yield call

    def verdicts(self, names: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """Yield rows of verdicts from the store, a chunk of pairs at a time."""
        chunk: list[dict[str, Any]] = []
        for (row_calls, records), pair in zip(self._rows(), self._pairs(), strict=True):
            found = [None if call is None else records.get(call.record.key) for call in row_calls]
            read = self._graded(found) if self.judge.kind == "grade" else [_columns(one) for one in found]
            about = {
                **names,
                "item_id": pair["item_id"],
                "language": pair["language"],
                "arm_length": _length(pair["arm_text"]),
                "against_length": _length(pair["against_text"]),
            }
            chunk += [
                {**about, "order": order, **columns}
                for order, columns in zip(self._orders(pair), read, strict=True)
            ]
            if len(chunk) >= _ROWS_AT_ONCE:
                yield chunk
                chunk = []
        yield chunk

    def _graded(self, found: list[Record | None]) -> list[dict[str, Any]]:
        """Compare an arm's grade with the other's; both orders say the same, each with one answer's reply."""
        columns = [_columns(one) for one in found]
        grades = [None if one is None else one.grade for one in found]
        ours, theirs = grades[0], grades[-1]
        if ours is None or theirs is None:
            error = next(one["error"] for one, grade in zip(columns, grades, strict=True) if grade is None)
            return [{**one, "winner": None, "error": error} for one in columns]
        if ours == theirs:
            winners = ["tie", "tie"]
        else:
            winners = ["first", "second"] if ours > theirs else ["second", "first"]
        reason = f"grades {ours} and {theirs}"
        return [
            {**one, "winner": winner, "reason": reason} for one, winner in zip(columns, winners, strict=True)
        ]

    def settled(self, call: _Call, records: dict[str, Record]) -> bool:
        known = records.get(call.record.key)
        if known is None:
            return _same(call)
        return known.error is None or not self.retry_failed

    def _orders(self, pair: dict[str, Any]) -> tuple[str, ...]:
        if self.orders == "both" or self.judge.kind == "grade":
            return ORDERS
        digest = hashlib.sha256(canonical_json([pair["item_id"], pair["language"]]).encode()).digest()
        return (ORDERS[digest[0] % 2],)

    def _pairs(self) -> Iterator[dict[str, Any]]:
        for batch in self.pairs.to_batches(max_chunksize=_ROWS_AT_ONCE):
            yield from batch.to_pylist()

    def _rows(self) -> Iterator[tuple[list[_Call | None], dict[str, Record]]]:
        """Yield each pair's calls, in the order of its orders, with what is stored of them."""
        pairs = self._pairs()
        while chunk := list(islice(pairs, _ROWS_AT_ONCE)):
            calls = [[self._call(pair, order) for order in self._orders(pair)] for pair in chunk]
            records = self.store.get([call.record.key for row in calls for call in row if call is not None])
            for row in calls:
                yield row, records

    def _call(self, pair: dict[str, Any], order: str) -> _Call | None:
        arm, against = pair["arm_text"], pair["against_text"]
        if arm is None or against is None:
            return None
        first, second = (arm, against) if order == "arm_first" else (against, arm)
        second = None if self.judge.kind == "grade" else second
        settings = self.judge.settings
        about = {
            "judge": self.judge.name,
            "version": self.judge.version,
            "model": self.backend.model,
            "revision": self.backend.revision,
            "sampling": canonical_json(
                {"temperature": settings.temperature, "max_tokens": settings.max_tokens, **settings.extra}
            ),
            "item_id": pair["item_id"],
            "language": pair["language"],
            "first": _digest(first),
            "second": None if second is None else _digest(second),
        }
        shown = {"prompt": _digest(pair["prompt"]), "reference": _digest(pair["reference"])}
        record = Record(key=fingerprint(about | shown), **about)
        return _Call(order, record, pair["prompt"], pair["reference"], first, second)


class _Asker:
    """Asks for what is missing, several calls at a time, within the limits."""

    def __init__(
        self, run: _Run, limits: Limits, price: Price | None, spent: Spent, estimate: Estimate
    ) -> None:
        self.run, self.limits, self.price, self.spent, self.estimate = run, limits, price, spent, estimate
        self.stopped_at: str | None = None
        self.made = 0
        self._flying: dict[str, float] = {}  # what each call under way may cost
        self._unreachable = self._replies = self._good = 0
        self._last_error = ""

    async def ask_all(self, shown: Bar) -> None:
        """Ask until nothing is missing or a limit is reached; calls under way are waited for."""
        calls = self.run.to_ask()
        if not self.estimate.calls:
            for _ in calls:  # writes the ties of identical answers
                pass
            return
        await self.run.backend.open()
        workers = [asyncio.ensure_future(self._work(calls, shown)) for _ in range(self.limits.concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self.run.backend.close()

    async def _work(self, calls: Iterator[_Call], shown: Bar) -> None:
        for call in calls:
            key = call.record.key
            # Another pair may hold the same answers: its verdict is, or will be, this one's.
            if key in self._flying or self.run.settled(call, self.run.store.get([key])):
                continue
            self._flying[key] = self._most(call)
            if not self._may_ask():
                del self._flying[key]
                return
            try:
                record = await self._ask(call)
            finally:
                del self._flying[key]
            self.run.store.put(record)
            self._note(record)
            cost = f", {dollars(self.spent.cost)}" if self.price else ""
            shown.advance(1, f"{self.spent.failed} failed{cost}")
            self._refuse_to_go_on()

    def _most(self, call: _Call) -> float:
        if self.price is None or self.limits.max_cost is None:
            return 0.0
        return self.price.of(self.run.tokens(call)[0], self.run.judge.settings.max_tokens)

    def _may_ask(self) -> bool:
        limits, under_way = self.limits, len(self._flying)
        if self.stopped_at is not None:
            return False
        if limits.max_calls is not None and self.spent.calls + under_way > limits.max_calls:
            self.stopped_at = f"{limits.max_calls:,} calls"
        elif limits.max_cost is not None and self.spent.cost + sum(self._flying.values()) > limits.max_cost:
            self.stopped_at = f"{dollars(limits.max_cost)}, which the next call might cross"
        return self.stopped_at is None

    async def _ask(self, call: _Call) -> Record:
        judge = self.run.judge
        try:
            reply = await self.run.backend.ask(self.run.render(call), judge)
        except CallFailed as failed:
            self._unreachable = self._unreachable + 1 if failed.unreachable else 0
            return replace(call.record, error=str(failed), attempts=failed.attempts)
        self._unreachable = 0
        found = read_reply(reply, judge)
        cost = None
        if self.price is not None:
            cost = self.price.of(reply.prompt_tokens or 0, reply.completion_tokens or 0)
        return replace(
            call.record,
            winner=found.winner,
            grade=found.grade,
            error=found.error,
            raw=reply.kept,
            reason=found.reason,
            probabilities=found.probabilities,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            cost=cost,
            seconds=round(reply.seconds, 6),
            attempts=reply.attempts,
        )

    def _note(self, record: Record) -> None:
        self.made += 1
        self.spent.calls += 1
        self.spent.requests += record.attempts
        self.spent.failed += record.error is not None
        self.spent.prompt_tokens += record.prompt_tokens or 0
        self.spent.completion_tokens += record.completion_tokens or 0
        self.spent.cost += record.cost or 0.0
        self._replies += 1
        self._good += record.error is None
        self._last_error = record.error or self._last_error

    def _refuse_to_go_on(self) -> None:
        """Stop where every further call would fail like the ones before."""
        again = "then run the same with --retry-failed: what was judged is kept"
        if self._unreachable >= max(3, self.limits.concurrency):
            raise PinchError(
                f"{self.run.backend.model} cannot be reached: {self._unreachable} calls in a row failed, the"
                f" last with: {self._last_error}",
                fix=f"see to the server, {again}",
            )
        if self._replies >= _HOPELESS and not self._good:
            raise PinchError(
                f"none of {self._replies} calls came to a verdict; the last: {self._last_error}",
                fix=f"look at the raw replies in {self.run.store.path}; name another model or judge, {again}",
            )


def _same(call: _Call) -> bool:
    return call.second is not None and call.first.strip() == call.second.strip()


def _columns(record: Record | None) -> dict[str, Any]:
    """Return a record's part of a verdict's row."""
    if record is None:
        return {"winner": None, "error": _NO_ANSWER}
    chances = record.probabilities
    return {
        "winner": record.winner,
        "error": record.error,
        "raw": record.raw,
        "probabilities": None
        if chances is None
        else dict(zip(("first", "second", "tie"), chances, strict=True)),
        "reason": record.reason,
        "prompt_tokens": record.prompt_tokens,
        "completion_tokens": record.completion_tokens,
        "cost": record.cost,
    }


def _digest(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def _length(text: str | None) -> int | None:
    return None if text is None else len(text)
