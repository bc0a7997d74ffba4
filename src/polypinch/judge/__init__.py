"""Judging: judges as folders, the two-order protocol as pure functions over verdicts, and ``reference``."""

from polypinch.endpoint import CallFailed, Patience
from polypinch.judge.backends import Backend, HttpBackend, choose_backend
from polypinch.judge.cost import BudgetSpent, Estimate, Limits, Price, Spent, load_prices
from polypinch.judge.folder import Judge, JudgeSettings, built_in_judges, load_judge
from polypinch.judge.judging import estimate_pairs, judge_label, judge_pairs
from polypinch.judge.pairs import PAIR_SCHEMA, check_pairs, conversation
from polypinch.judge.protocol import ORDERS, OUTCOME_SCHEMA, VERDICT_SCHEMA, Orders, choice, outcome, outcomes
from polypinch.judge.reference import TIE_MARGIN, chrf, judge, quality
from polypinch.judge.replies import Reply, read_reply
from polypinch.judge.store import Record, VerdictStore

__all__ = [
    "ORDERS",
    "OUTCOME_SCHEMA",
    "PAIR_SCHEMA",
    "TIE_MARGIN",
    "VERDICT_SCHEMA",
    "Backend",
    "BudgetSpent",
    "CallFailed",
    "Estimate",
    "HttpBackend",
    "Judge",
    "JudgeSettings",
    "Limits",
    "Orders",
    "Patience",
    "Price",
    "Record",
    "Reply",
    "Spent",
    "VerdictStore",
    "built_in_judges",
    "check_pairs",
    "choice",
    "choose_backend",
    "chrf",
    "conversation",
    "estimate_pairs",
    "judge",
    "judge_label",
    "judge_pairs",
    "load_judge",
    "load_prices",
    "outcome",
    "outcomes",
    "quality",
    "read_reply",
]
