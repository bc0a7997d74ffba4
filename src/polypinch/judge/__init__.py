"""Judging: the two-order protocol as pure functions over verdicts, and the judge ``reference``."""

from polypinch.judge.protocol import ORDERS, OUTCOME_SCHEMA, VERDICT_SCHEMA, choice, outcome, outcomes
from polypinch.judge.reference import TIE_MARGIN, chrf, judge, quality

__all__ = [
    "ORDERS",
    "OUTCOME_SCHEMA",
    "TIE_MARGIN",
    "VERDICT_SCHEMA",
    "choice",
    "chrf",
    "judge",
    "outcome",
    "outcomes",
    "quality",
]
