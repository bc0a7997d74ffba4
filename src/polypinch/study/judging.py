"""The language model that judges a study's answers: asked by stages, within one budget for the whole run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.chat import Problem
from polypinch.errors import PinchError
from polypinch.files import fingerprint
from polypinch.judge import (
    BYTES_PER_TOKEN,
    IDENTICAL,
    PAIR_SCHEMA,
    Backend,
    Limits,
    Sides,
    Spent,
    Terms,
    VerdictStore,
    choose_backend,
    dollars,
    judge_adaptively,
    judge_pairs,
    load_judge,
    load_prices,
)
from polypinch.models import find_model
from polypinch.progress import say
from polypinch.study.artifacts import CALLS, SETTLED, TOTALS, VERDICTS
from polypinch.study.budget import counted
from polypinch.study.record import JudgeFacts
from polypinch.study.spec import LLMJudge

# Beyond this share of missing verdicts a score would speak for the pairs that happened to be judged.
_MISSING_AT_MOST = 0.1

Key = tuple[str, str]


class Judging:
    """A study's judge.

    Attributes:
        spec: as the study declares it.
        comparisons: of the study, which share one error rate where judging is adaptive.
        study: its name; all that work on it share one budget.
        declared: the judge's folder.
        spent: what this process has spent so far.
    """

    def __init__(self, spec: LLMJudge, comparisons: int = 1, study: str = "") -> None:
        self.spec, self.comparisons, self.study = spec, comparisons, study
        self.declared = load_judge(spec.name)
        if not self.declared.kind.asks_model:
            raise PinchError(f"comparison.judge: {spec.name} asks no model", fix="write judge: reference")
        self.prices = load_prices(Path(spec.prices)) if spec.prices else None
        self.spent = Spent()

    @cached_property
    def backend(self) -> Backend:
        """Whom to ask."""
        if self.spec.local:
            return choose_backend(self.declared, local=self.spec.model)
        spec = self.spec
        return choose_backend(self.declared, model=spec.model, base_url=spec.base_url, revision=spec.revision)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """All that verdicts depend on; where a server stands is not part of it."""
        local, adaptive = self.spec.local, self.spec.adaptive
        shared = {"comparisons": self.comparisons}
        return {
            "name": self.declared.name,
            "version": self.declared.version,
            "model": self.spec.model,
            "revision": find_model(self.spec.model).fingerprint if local else self.spec.revision,
            "orders": self.spec.orders,
            **({} if adaptive is None else {"adaptive": {**adaptive.identity(), **shared}}),
        }

    @property
    def facts(self) -> JudgeFacts:
        """What a reader of the study is told of the judge."""
        return JudgeFacts(self.words, self.spec.orders, self.declared.kind.sees_order, self.identity)

    @property
    def words(self) -> str:
        """The judge for the reader of a report."""
        return f"{self.declared.name} by {self.spec.model}, {self.declared.kind.how(self.spec.orders)}"

    def problems(self) -> list[Problem]:
        """Return what would stop the judge: a key or a price that is missing."""
        try:
            backend = self.backend
            if self.spec.max_cost is not None and backend.model not in (self.prices or {}):
                raise PinchError(f"no price for {backend.model}", fix=f"add it to {self.spec.prices}")
        except PinchError as error:
            return [Problem("error", "comparison.judge", error.message, error.fix or "")]
        if self.declared.measured is None:
            message = f"the judge {self.declared.name} has not been validated against people"
            fix = "polypinch judge validate, in the languages of the study"
            return [Problem("warning", "comparison.judge", message, fix)]
        return []

    def at_most(self, comparisons: int, prompts: Mapping[Key, str], answer_tokens: int) -> dict[str, Any]:
        """Return the calls, tokens and dollars of so many comparisons, every answer as long as it may be."""
        orders = self.declared.kind.calls(self.spec.orders)
        shown = len(self.declared.kind.texts("", ""))
        own = len(self.declared.template.encode()) // BYTES_PER_TOKEN
        asked = sum(len(text.encode()) // BYTES_PER_TOKEN for text in prompts.values())
        calls = comparisons * orders * len(prompts)
        prompt_tokens = comparisons * orders * asked + calls * (own + shown * answer_tokens)
        completion_tokens = calls * self.declared.settings.max_tokens
        price = (self.prices or {}).get(self.spec.model)
        cost = price.of(prompt_tokens, completion_tokens) if price else None
        return {
            "judge": self.words,
            "calls": calls,
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "cost": cost,
        }

    def judge(
        self,
        directory: Path,
        prompts: Mapping[Key, str],
        ours: Mapping[Key, str],
        theirs: Mapping[Key, str],
        sides: Sides,
        label: str,
    ) -> None:
        """Write ``verdicts.parquet`` and what it took; calls are kept in the folder, so that a run goes on.

        Adaptive judging also writes ``settled.json``: where each language was left, by tag.

        Raises:
            PinchError: a limit was reached, or too many calls failed; those are asked again by the next run.
        """
        rows = [
            {
                "item_id": key[0],
                "language": key[1],
                "prompt": told,
                "arm_text": ours.get(key),
                "against_text": theirs.get(key),
            }
            for key, told in prompts.items()
        ]
        with VerdictStore(directory / CALLS) as store, self._spent(directory, store) as spent:
            ask = partial(
                judge_pairs,
                judge=self.declared,
                backend=self.backend,
                store=store,
                sides=sides,
                how=Terms(
                    self.spec.orders,
                    Limits(self.spec.concurrency, max_cost=self.spec.max_cost),
                    self.prices,
                    retry_failed=True,
                ),
                spent=spent,
                label=label if self.spec.adaptive is None else None,
            )
            pairs = pa.Table.from_pylist(rows, schema=PAIR_SCHEMA)
            verdicts, not_asked = self._verdicts(directory, pairs, ask, label)
            totals = store.totals()
        failed = [error for error in verdicts["error"].to_pylist() if error is not None]
        if len(failed) > _MISSING_AT_MOST * verdicts.num_rows:
            raise PinchError(
                f"{label}: {len(failed)} of {verdicts.num_rows} verdicts are missing, the first: {failed[0]}",
                fix=f"run again to ask for them alone; the replies are in {directory / CALLS}",
            )
        VERDICTS.write(directory, verdicts)
        # Both orders of identical answers are one row of the store.
        identical = verdicts["reason"].to_pylist().count(IDENTICAL)
        counts = {"verdicts": verdicts.num_rows, "missing": len(failed), "identical": identical}
        TOTALS.write(directory, {**totals, **counts, "not_asked": not_asked})

    def _spent(self, directory: Path, calls: VerdictStore) -> AbstractContextManager[Spent]:
        """Return what was spent: by this process, or where dollars are limited by all and ever."""
        if self.spec.max_cost is None:
            return nullcontext(self.spent)
        key = fingerprint([self.study, self.identity])[:12]
        return counted(directory.parent, key, directory.name, calls)

    def _verdicts(
        self, directory: Path, pairs: pa.Table, ask: Callable[[pa.Table], pa.Table], label: str
    ) -> tuple[pa.Table, int]:
        """Return the verdicts, and how many calls adaptive judging did not make."""
        adaptive = self.spec.adaptive
        if adaptive is None:
            return ask(pairs), 0
        found = judge_adaptively(
            pairs,
            ask,
            orders=self.declared.kind.orders(self.spec.orders),
            half_width=adaptive.half_width,
            error=adaptive.error / self.comparisons,
            at_a_time=self.spec.concurrency,
            label=label,
        )
        SETTLED.write(directory, {tag: one.as_dict() for tag, one in found.languages.items()})
        say(f"{label}: {found.saved:,} calls not made: what was asked had settled it")
        return found.verdicts, found.saved


def judging_line(most: Mapping[str, Any]) -> str:
    """Return what :meth:`Judging.at_most` found, in a line."""
    tokens = (
        f"{most['prompt_tokens']:,} tokens in, {most['completion_tokens']:,} out (bytes / {BYTES_PER_TOKEN})"
    )
    cost = "at prices not known" if most["cost"] is None else f"for {dollars(most['cost'])}"
    return f"{most['judge']}: at most {most['calls']:,} calls, {tokens}, {cost}"
