"""Asking for what is missing: several calls at a time, within limits, each written down as it comes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import replace

from polypinch.errors import PinchError
from polypinch.judge.calls import Call, Run
from polypinch.judge.cost import Forecast, Limits, Price, Spent, dollars
from polypinch.judge.store import Record
from polypinch.openai_server import CallFailed, work_all
from polypinch.progress import Bar

# So many replies, none of them a verdict: the judge can't do it, and the rest would be paid for in vain.
_HOPELESS = 50
_LOOK_AGAIN_S = 0.02


class Asker:
    """Asks for a run's calls.

    Attributes:
        stopped_at: the limit that was reached, in words, or ``None``.
        made: calls made.
    """

    def __init__(
        self, run: Run, limits: Limits, price: Price | None, spent: Spent, estimate: Forecast
    ) -> None:
        self.run, self.limits, self.price, self.spent, self.estimate = run, limits, price, spent, estimate
        self.stopped_at: str | None = None
        self.made = 0
        self._flying: dict[str, float] = {}  # what each call under way may cost
        self._unreachable = self._replies = self._good = 0
        self._last_error = ""
        self._unwritten: list[Record] = []
        self._written: asyncio.Future[None] | None = None

    async def ask_all(self, shown: Bar) -> None:
        """Ask until nothing is missing or a limit is reached; calls under way are waited for."""
        calls = self.run.to_ask()
        if not self.estimate.calls:
            for _ in calls:  # writes the ties of identical answers
                pass
            return
        await self.run.backend.open()
        # What was imported and read before stays anyway: each full collection looked through it for 0.1 s, in
        # which no reply was read.
        gc.freeze()
        try:
            await work_all(lambda: self._work(calls, shown), self.limits.concurrency)
        finally:
            gc.unfreeze()
            await self.run.backend.close()

    async def _work(self, calls: Iterator[Call], shown: Bar) -> None:
        for call in calls:
            key = call.record.key
            if self.estimate.repeated and self._repeats(call):
                continue
            self._flying[key], most = 0.0, self._most(call)
            try:
                # Calls under way mostly cost less than they may: room may come.
                while self.stopped_at is None and self._is_tight(most):
                    await asyncio.sleep(_LOOK_AGAIN_S)
                if not self._may_ask(most):
                    return
                self._flying[key] = most
                record = await self._ask(call)
                await self._write(record)
            finally:
                del self._flying[key]
            self._note(record)
            cost = f", {dollars(self.spent.cost)}" if self.price else ""
            shown.advance(1, f"{self.spent.failed} failed{cost}")
            self._refuse_to_go_on()

    async def _write(self, record: Record) -> None:
        """Write a call down, together with those that came in the same turn of the event loop.

        A commit takes as long as a dozen rows. No further call is begun before this one is written.
        """
        if self._written is None:
            loop = asyncio.get_running_loop()
            self._written = loop.create_future()
            loop.call_soon(self._flush, self._written)
        self._unwritten.append(record)
        await self._written

    def _flush(self, written: asyncio.Future[None]) -> None:
        records, self._unwritten, self._written = self._unwritten, [], None
        try:
            self.run.store.put(*records)
        except Exception as error:  # raised here, nobody would hear of it, and all would wait for ever
            if not written.cancelled():
                written.set_exception(error)
        else:
            if not written.cancelled():
                written.set_result(None)

    def _repeats(self, call: Call) -> bool:
        """Tell whether another pair's call is, or will be, this one's verdict."""
        key = call.record.key
        return key in self._flying or self.run.settled(call, self.run.store.get([key]))

    def _most(self, call: Call) -> float:
        if self.price is None or self.limits.max_cost is None:
            return 0.0
        return self.price.of(self.run.tokens(call)[0], self.run.judge.settings.max_tokens)

    def _is_tight(self, most: float) -> bool:
        """Tell whether the call might cross the cost with all those under way, but not without them."""
        limit = self.limits.max_cost
        reserved = sum(self._flying.values())
        return limit is not None and self.spent.cost + most <= limit < self.spent.cost + reserved + most

    def _may_ask(self, most: float) -> bool:
        limits = self.limits
        if self.stopped_at is not None:
            return False
        if limits.max_calls is not None and self.spent.calls + len(self._flying) > limits.max_calls:
            self.stopped_at = f"{limits.max_calls:,} calls"
        elif limits.max_cost is not None and self.spent.cost + most > limits.max_cost:
            self.stopped_at = f"{dollars(limits.max_cost)}, which the next call might cross"
        return self.stopped_at is None

    async def _ask(self, call: Call) -> Record:
        judge = self.run.judge
        try:
            reply = await self.run.backend.ask(self.run.render(call), judge)
        except CallFailed as failed:
            self._unreachable = self._unreachable + 1 if failed.unreachable else 0
            return replace(call.record, error=str(failed), attempts=failed.attempts)
        self._unreachable = 0
        found = judge.kind.read(reply, judge)
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
