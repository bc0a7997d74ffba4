"""What a language model's verdicts cost a study so far, counted in the store for all who work on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.files import read_json, write_json
from polypinch.judge import Spent, VerdictStore
from polypinch.locks import locked


@contextmanager
def counted(folder: Path, key: str, step: str, calls: VerdictStore) -> Iterator[Spent]:
    """Count a step's dollars with those of a study's other steps; one process judges at a time meanwhile.

    What the step had spent before, in a run that was killed too, is read from its stored calls.

    Args:
        folder: of all steps of the kind.
        key: names the budget.
        step: names the step in it.
        calls: the step's stored calls.

    Yields:
        What all steps have spent; the step's own is what is added to it.

    Raises:
        Busy: another process is judging within the same budget.
    """
    ledger = folder / f".budget-{key}.json"
    with locked(folder / f".lock-budget-{key}", ledger):
        spent_by = _read(ledger)

        def write() -> None:
            spent_by[step] = float(calls.totals()["cost"] or 0.0)
            write_json(ledger, spent_by)

        write()
        try:
            yield Spent(cost=sum(spent_by.values()))
        finally:
            write()


def _read(ledger: Path) -> dict[str, float]:
    try:
        return {str(step): float(cost) for step, cost in read_json(ledger).items()}
    except (PinchError, AttributeError, TypeError, ValueError):
        return {}
