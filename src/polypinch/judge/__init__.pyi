from .backends import Backend, HttpBackend, choose_backend
from .cost import BudgetSpent, Estimate, Limits, Price, Spent, load_prices
from .folder import Judge, JudgeSettings, built_in_judges, load_judge
from .judging import estimate_pairs, judge_label, judge_pairs
from .pairs import PAIR_SCHEMA, check_pairs, conversation
from .protocol import ORDERS, OUTCOME_SCHEMA, VERDICT_SCHEMA, Orders, choice, outcome, outcomes
from .reference import TIE_MARGIN, chrf, judge, quality
from .replies import Reply, read_reply
from .store import Record, VerdictStore

__all__ = [
    "ORDERS",
    "OUTCOME_SCHEMA",
    "PAIR_SCHEMA",
    "TIE_MARGIN",
    "VERDICT_SCHEMA",
    "Backend",
    "BudgetSpent",
    "Estimate",
    "HttpBackend",
    "Judge",
    "JudgeSettings",
    "Limits",
    "Orders",
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
