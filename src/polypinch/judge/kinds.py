"""The kinds of judge: what each shows, how often it is asked about a pair, and how its reply is read.

A new kind is a class here and a line in :func:`kind_of`; the type checker asks for the line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from polypinch.judge.protocol import ORDERS, Orders
from polypinch.judge.replies import Reading, Reply, read_grade, read_label, read_winner
from polypinch.judge.store import Record

if TYPE_CHECKING:
    from polypinch.judge.folder import Judge

_NO_ANSWER = "an answer is missing"


class KindName(StrEnum):
    """A kind, as a judge's settings name it."""

    PAIRWISE = "pairwise"
    PAIRWISE_TOKEN = "pairwise-token"
    GRADE = "grade"
    REFERENCE = "reference"
    PEOPLE = "people"


class JudgeKind(ABC):
    """One kind of judge.

    Attributes:
        name: as settings name it.
        asks_model: whether there is a model to ask, and so a prompt.
        sees_order: whether it is shown one answer before the other, so that the order may sway it.
        shows: what its prompt has to show.
        reply_key: what its reply, a JSON object, must have; ``None`` where it is no object.
        reads_probabilities: whether the verdict is the probabilities of the reply's first token.
    """

    name: KindName
    asks_model = True
    sees_order = True
    shows: frozenset[str] = frozenset({"prompt", "first", "second"})
    reply_key: str | None = None
    reads_probabilities = False

    def orders(self, wanted: Orders) -> Orders:
        """Return in which orders it judges each pair, where ``wanted`` is asked for."""
        return wanted

    def calls(self, wanted: Orders) -> int:
        """Return how many calls a pair takes."""
        return len(ORDERS) if self.orders(wanted) == "both" else 1

    def how(self, wanted: Orders) -> str:
        """Return how it judges, for the reader of a report."""
        if self.orders(wanted) == "both":
            return "each pair in both orders"
        return "each pair in one order, drawn at random"

    def texts(self, first: str, second: str) -> tuple[str, ...]:
        """Return which answers one call shows, of the pair in the call's order."""
        return first, second

    @abstractmethod
    def read(self, reply: Reply, judge: Judge) -> Reading:
        """Return what a reply says; what is no verdict is an error, never a tie."""

    def verdicts(self, records: Sequence[Record | None]) -> list[dict[str, Any]]:
        """Return the verdicts of one pair's records, order by order, as columns of the verdicts' table."""
        return [_columns(record) for record in records]


class Pairwise(JudgeKind):
    """Two answers, and a reply in JSON that names the winner."""

    name = KindName.PAIRWISE
    reply_key = "winner"

    def read(self, reply: Reply, judge: Judge) -> Reading:
        """Return the winner that the reply names."""
        return read_winner(reply, judge.version, judge.schema)


class PairwiseToken(JudgeKind):
    """Two answers, and the probabilities of one token."""

    name = KindName.PAIRWISE_TOKEN
    reads_probabilities = True

    def read(self, reply: Reply, judge: Judge) -> Reading:
        """Return the likeliest label."""
        labels = judge.settings.labels
        return read_label(reply, (labels.first, labels.second, labels.tie))


class Grade(JudgeKind):
    """One answer, and a reply in JSON that grades it; of a pair the higher grade wins."""

    name = KindName.GRADE
    sees_order = False
    shows = frozenset({"prompt", "answer"})
    reply_key = "grade"

    def orders(self, wanted: Orders) -> Orders:
        """Return both, which are the calls for the two answers."""
        return "both"

    def how(self, wanted: Orders) -> str:
        """Return how it judges, for the reader of a report."""
        return "each answer on its own"

    def texts(self, first: str, second: str) -> tuple[str, ...]:
        """Return the answer that stands first in the call's order."""
        return (first,)

    def read(self, reply: Reply, judge: Judge) -> Reading:
        """Return the grade."""
        return read_grade(reply, judge.version, judge.schema)

    def verdicts(self, records: Sequence[Record | None]) -> list[dict[str, Any]]:
        """Compare the arm's grade with the other's; both orders say the same, each with its own reply."""
        columns = super().verdicts(records)
        grades = [None if record is None else record.grade for record in records]
        ours, theirs = grades[0], grades[-1]
        if ours is None or theirs is None:
            error = next(line["error"] for line, grade in zip(columns, grades, strict=True) if grade is None)
            return [{**line, "winner": None, "error": error} for line in columns]
        winners = ["first", "second"] if ours > theirs else ["second", "first"]
        if ours == theirs:
            winners = ["tie", "tie"]
        reason = f"grades {ours} and {theirs}"
        return [
            {**line, "winner": winner, "reason": reason}
            for line, winner in zip(columns, winners, strict=True)
        ]


class Reference(JudgeKind):
    """Fidelity times chrF against a reference answer: no model is asked, and no order seen."""

    name = KindName.REFERENCE
    asks_model = False
    sees_order = False
    shows: frozenset[str] = frozenset()

    def read(self, reply: Reply, judge: Judge) -> Reading:
        """There is no reply to read."""
        raise TypeError("the judge reference asks nobody")


class People(JudgeKind):
    """People, whose ratings a job keeps (:mod:`polypinch.judge.people`): no model is asked.

    Raters see a pair in both orders among them, so that a verdict of several has none.
    """

    name = KindName.PEOPLE
    asks_model = False
    sees_order = False
    shows: frozenset[str] = frozenset()

    def how(self, wanted: Orders) -> str:
        """Return how they judge, for the reader of a report."""
        return "each pair by what most raters chose, blind and in both orders among them"

    def read(self, reply: Reply, judge: Judge) -> Reading:
        """There is no reply to read."""
        raise TypeError("people are asked at a desk")


def kind_of(name: KindName) -> JudgeKind:
    """Return the kind of a name."""
    match name:
        case KindName.PAIRWISE:
            return Pairwise()
        case KindName.PAIRWISE_TOKEN:
            return PairwiseToken()
        case KindName.GRADE:
            return Grade()
        case KindName.REFERENCE:
            return Reference()
        case KindName.PEOPLE:
            return People()
        case _:
            assert_never(name)


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
