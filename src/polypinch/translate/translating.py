"""From rows that are wanted to rows that passed every check: tried, tried again, and left out aloud."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from polypinch.conversation import Messages
from polypinch.errors import PinchError
from polypinch.fidelity import Identifier
from polypinch.files import write_table
from polypinch.openai_server import CallFailed, work_all
from polypinch.pool import POOL_SCHEMA
from polypinch.progress import Bar, bar
from polypinch.translate.checks import Check, check_turns
from polypinch.translate.lengths import usual_lengths
from polypinch.translate.tries import Key, Tries, Try
from polypinch.translate.wanted import Wanted

POOL, TRIES = "pool.parquet", "tries.jsonl"
MOST_TRIES = 3


class Translator(Protocol):
    """Whoever translates row by row.

    Attributes:
        name: as the record names it.
    """

    name: str

    async def open(self) -> None:
        """Get ready, within the running event loop."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...

    def most(self, row: Wanted) -> float:
        """Return the dollars that one try may cost."""
        ...

    async def translate(self, row: Wanted, doubts: Sequence[str] = ()) -> Try:
        """Try once; ``doubts`` say why an earlier try was not accepted.

        Raises:
            CallFailed: nobody answered.
            PinchError: nobody will.
        """
        ...


class Checker:
    """Checks tries; made once, since it loads a model that identifies languages."""

    def __init__(self, source: str, tags: Sequence[str]) -> None:
        self._source = source
        known = sorted({source, "en", *tags})
        self._identifier, self._usual = Identifier(known), usual_lengths(known)

    def check(self, row: Wanted, one: Try) -> Try:
        """Return a try with what is doubtful of it."""
        if one.error is not None:
            return one
        doubts = check_turns(
            [message["content"] for message in row.messages],
            one.turns,
            self._source,
            row.language,
            identifier=self._identifier,
            usual=self._usual,
        )
        return replace(one, doubts=tuple(f"{doubt.check}: {doubt.detail}" for doubt in doubts))


@dataclass(frozen=True)
class LanguageLine:
    """What became of one language's rows.

    Attributes:
        language: its tag.
        wanted: rows that were wanted.
        translated: of them, those that passed every check.
        left_out: those that failed in every try.
        open: those that were not settled: a limit was reached.
        tries: calls made for them, in this run and before.
        tokens: of prompts and replies, where they are known.
        cost: in dollars, where prices are known.
        doubts: how often each check doubted a try, by its name.
    """

    language: str
    wanted: int
    translated: int
    left_out: int
    open: int
    tries: int
    tokens: int
    cost: float
    doubts: dict[str, int]


@dataclass(frozen=True)
class Translated:
    """What translating came to.

    Attributes:
        rows: those that passed, in :data:`~polypinch.pool.POOL_SCHEMA`.
        lines: a line for each language.
        left_out: the last try of each row that failed in all.
    """

    rows: pa.Table
    lines: list[LanguageLine]
    left_out: list[Try]


def translate_rows(
    wanted: Sequence[Wanted],
    translator: Translator,
    source: str,
    folder: Path,
    *,
    concurrency: int = 16,
    max_cost: float | None = None,
    label: str = "translate",
) -> Translated:
    """Translate rows, each until it passes every check or was tried three times.

    Run again after a kill it goes on: every try is on the disk, in ``tries.jsonl`` of the folder, before the
    next is made. Writes ``pool.parquet`` there, too.

    Args:
        wanted: what to translate.
        translator: who does.
        source: the language that ``wanted`` is in.
        folder: to write to.
        concurrency: tries under way at a time.
        max_cost: dollars to spend at most on these rows, in all runs together.
        label: names the progress bar.

    Raises:
        PinchError: nobody answers, or no call can succeed; what was translated is kept.
    """
    tries = Tries(folder / TRIES)
    made = tries.read()
    checker = Checker(source, sorted({row.language for row in wanted}))
    run = _Run(translator, checker, tries, made, max_cost, concurrency)
    with bar(label, len(wanted)) as shown, tries.writing():
        asyncio.run(run.all(list(wanted), shown))
    return finish(wanted, made, folder)


class _Run:
    def __init__(
        self,
        translator: Translator,
        checker: Checker,
        tries: Tries,
        made: dict[Key, list[Try]],
        max_cost: float | None,
        concurrency: int,
    ) -> None:
        self._translator, self._checker, self._tries, self._made = translator, checker, tries, made
        self._max_cost, self._concurrency = max_cost, concurrency
        self._spent = sum(one.cost or 0.0 for row in made.values() for one in row)
        self._reserved = 0.0
        self._unreachable = 0

    async def all(self, wanted: list[Wanted], shown: Bar) -> None:
        left = iter(wanted)
        await self._translator.open()
        try:
            await work_all(lambda: self._work(left, shown), self._concurrency)
        finally:
            await self._translator.close()

    async def _work(self, left: Iterator[Wanted], shown: Bar) -> None:
        for row in left:
            before = self._made.setdefault((row.item_id, row.language), [])
            while not is_settled(before) and self._may_spend(row):
                most = self._translator.most(row)
                self._reserved += most
                try:
                    one = await self._translator.translate(row, before[-1].doubts if before else ())
                    self._unreachable = 0
                except CallFailed as failed:
                    self._unreachable += 1
                    if self._unreachable >= max(3, self._concurrency):
                        raise PinchError(
                            f"{self._translator.name} cannot be reached: {failed}",
                            fix="see to the server, then run the same command: what was translated is kept",
                        ) from None
                    break
                finally:
                    self._reserved -= most
                one = self._checker.check(row, one)
                self._tries.append(one)
                before.append(one)
                self._spent += one.cost or 0.0
            shown.advance()

    def _may_spend(self, row: Wanted) -> bool:
        if self._max_cost is None:
            return True
        return self._spent + self._reserved + self._translator.most(row) <= self._max_cost


def is_settled(tries: Sequence[Try]) -> bool:
    """Whether a row is translated, or was tried often enough."""
    return len(tries) >= MOST_TRIES or any(one.is_good for one in tries)


def finish(wanted: Sequence[Wanted], made: dict[Key, list[Try]], folder: Path) -> Translated:
    """Write the rows that passed, and count what became of all."""
    rows, left_out = [], []
    per_language: dict[str, list[tuple[Wanted, list[Try]]]] = {}
    for row in wanted:
        tries = made.get((row.item_id, row.language), [])
        per_language.setdefault(row.language, []).append((row, tries))
        good = next((one for one in tries if one.is_good), None)
        if good is not None:
            rows.append(pool_row(row, good.turns))
        elif is_settled(tries):
            left_out.append(tries[-1])
    table = pa.Table.from_pylist(rows, schema=POOL_SCHEMA)
    write_table(folder / POOL, table)
    return Translated(table, [_line(tag, listed) for tag, listed in sorted(per_language.items())], left_out)


def pool_row(row: Wanted, turns: Sequence[str]) -> dict[str, object]:
    """Return a translated row of a pool."""
    messages: Messages = [
        {"role": message["role"], "content": text} for message, text in zip(row.messages, turns, strict=True)
    ]
    return {
        "item_id": row.item_id,
        "language": row.language,
        "messages": messages,
        "source": row.source,
        "licence": row.licence,
        "origin": "translated",
        "split": row.split,
    }


def _line(tag: str, listed: list[tuple[Wanted, list[Try]]]) -> LanguageLine:
    every = [one for _, tries in listed for one in tries]
    translated = sum(any(one.is_good for one in tries) for _, tries in listed)
    settled = sum(is_settled(tries) for _, tries in listed)
    doubted = Counter(doubt.partition(":")[0] for one in every for doubt in one.doubts)
    failed = sum(one.error is not None for one in every)
    order = [check.value for check in Check]
    doubts = {name: doubted[name] for name in order if doubted[name]}
    return LanguageLine(
        language=tag,
        wanted=len(listed),
        translated=translated,
        left_out=settled - translated,
        open=len(listed) - settled,
        tries=len(every),
        tokens=sum((one.prompt_tokens or 0) + (one.completion_tokens or 0) for one in every),
        cost=sum(one.cost or 0.0 for one in every),
        doubts={**doubts, **({"no reply": failed} if failed else {})},
    )
