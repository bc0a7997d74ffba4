"""The calls that pairs need, and the verdicts that they come to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa

from polypinch.files import canonical_json, fingerprint
from polypinch.judge.backends import Backend
from polypinch.judge.cost import BYTES_PER_TOKEN, Forecast, Price
from polypinch.judge.folder import Judge
from polypinch.judge.prompts import render
from polypinch.judge.protocol import ORDERS, Orders
from polypinch.judge.store import Record, VerdictStore

_ROWS_AT_ONCE = 64  # few: while they are made ready no reply is read
IDENTICAL = "identical answers"


class Call(NamedTuple):
    """One verdict wanted, and the call that gives it."""

    order: str
    record: Record
    prompt: str
    reference: str | None
    first: str
    second: str | None


@dataclass(frozen=True)
class Run:
    """The calls that pairs need, drawn from the table as they are wanted, never held all at once.

    Attributes:
        pairs: in :data:`~polypinch.judge.pairs.PAIR_SCHEMA`.
        judge: how to ask.
        backend: whom.
        store: what was asked before.
        orders: both, or one that is drawn.
        retry_failed: a failure is to be asked again.
    """

    pairs: pa.Table
    judge: Judge
    backend: Backend
    store: VerdictStore
    orders: Orders
    retry_failed: bool

    def estimate(self, price: Price | None, concurrency: int) -> Forecast:
        """Return what is to be asked for, and what that takes."""
        verdicts = stored = identical = missing = repeated = calls = prompt_tokens = 0
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
                    repeated += 1
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
        return Forecast(
            verdicts=verdicts,
            stored=stored,
            identical=identical,
            missing=missing,
            repeated=repeated,
            calls=calls,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion,
            cost=cost,
            seconds=seconds,
            counted=counted,
        )

    def tokens(self, call: Call) -> tuple[int, bool]:
        """Return a call's prompt tokens, and whether they were counted or guessed from its bytes."""
        text = self.render(call)
        counted = self.backend.count(text)
        return (-(-len(text.encode()) // BYTES_PER_TOKEN), False) if counted is None else (counted, True)

    def render(self, call: Call) -> str:
        """Return the prompt, with a code of its own."""
        shown = {"prompt": call.prompt, "reference": call.reference}
        if call.second is None:
            shown["answer"] = call.first
        else:
            shown |= {"first": call.first, "second": call.second}
        tag = call.record.language
        labels = self.judge.settings.labels
        return render(self.judge.prompt_in(tag), tag, labels, self.backend.special, **shown)

    def to_ask(self) -> Iterator[Call]:
        """Yield calls that have no verdict yet; ties between identical answers are written on the way."""
        for row_calls, records in self._rows():
            for call in row_calls:
                if call is None:
                    continue
                if _same(call) and call.record.key not in records:
                    self.store.put(replace(call.record, winner="tie", reason=IDENTICAL, called=False))
                elif not self.settled(call, records):
                    yield call

    def verdicts(self, names: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """Yield rows of verdicts from the store, a chunk of pairs at a time."""
        chunk: list[dict[str, Any]] = []
        for (row_calls, records), pair in zip(self._rows(), self._pairs(), strict=True):
            found = [None if call is None else records.get(call.record.key) for call in row_calls]
            read = self.judge.kind.verdicts(found)
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

    def settled(self, call: Call, records: dict[str, Record]) -> bool:
        """Tell whether a call need not be made, by what is stored."""
        known = records.get(call.record.key)
        if known is None:
            return _same(call)
        return known.error is None or not self.retry_failed

    def _orders(self, pair: dict[str, Any]) -> tuple[str, ...]:
        if self.judge.kind.orders(self.orders) == "both":
            return ORDERS
        digest = hashlib.sha256(canonical_json([pair["item_id"], pair["language"]]).encode()).digest()
        return (ORDERS[digest[0] % 2],)

    def _pairs(self) -> Iterator[dict[str, Any]]:
        for batch in self.pairs.to_batches(max_chunksize=_ROWS_AT_ONCE):
            yield from batch.to_pylist()

    def _rows(self) -> Iterator[tuple[list[Call | None], dict[str, Record]]]:
        """Yield each pair's calls, in the order of its orders, with what is stored of them."""
        pairs = self._pairs()
        while chunk := list(islice(pairs, _ROWS_AT_ONCE)):
            calls = [[self._call(pair, order) for order in self._orders(pair)] for pair in chunk]
            records = self.store.get([call.record.key for row in calls for call in row if call is not None])
            for row in calls:
                yield row, records

    def _call(self, pair: dict[str, Any], order: str) -> Call | None:
        arm, against = pair["arm_text"], pair["against_text"]
        if arm is None or against is None:
            return None
        shown = self.judge.kind.texts(*((arm, against) if order == "arm_first" else (against, arm)))
        first, second = shown[0], shown[1] if len(shown) > 1 else None
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
        asked = {"prompt": _digest(pair["prompt"]), "reference": _digest(pair["reference"])}
        record = Record(key=fingerprint(about | asked), **about)
        return Call(order, record, pair["prompt"], pair["reference"], first, second)


def _same(call: Call) -> bool:
    return call.second is not None and call.first.strip() == call.second.strip()


def _digest(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def _length(text: str | None) -> int | None:
    return None if text is None else len(text)
