from .adaptive import Adapted, Settled, joined, judge_adaptively
from .agreement import People, Validation, WithPeople, validate
from .answer_files import published_answers, read_pairs
from .backends import Backend, HttpBackend, choose_backend
from .calls import IDENTICAL
from .cost import (
    BYTES_PER_TOKEN,
    BudgetSpent,
    Forecast,
    Limits,
    Price,
    Spent,
    dollars,
    load_prices,
)
from .folder import Judge, JudgeSettings, built_in_judges, load_judge
from .judging import Terms, estimate_pairs, judge_label, judge_pairs
from .juries import jury
from .kinds import JudgeKind, KindName, kind_of
from .measured import keep_measured
from .pairs import PAIR_SCHEMA, check_pairs, conversation
from .protocol import (
    ORDERS,
    OUTCOME_SCHEMA,
    VERDICT_SCHEMA,
    Orders,
    Sides,
    choice,
    outcome,
    outcomes,
)
from .reference import TIE_MARGIN, chrf, judge, quality
from .replies import Reply, without_thoughts
from .side_by_side import ALL, Fidelities, SideBySide, fidelities, summarise_verdicts
from .store import Record, VerdictStore
from .sway import OutcomeArrays, Side, influences, lay_out
from .trust import RULE

__all__ = [
    "ALL",
    "BYTES_PER_TOKEN",
    "IDENTICAL",
    "ORDERS",
    "OUTCOME_SCHEMA",
    "PAIR_SCHEMA",
    "RULE",
    "TIE_MARGIN",
    "VERDICT_SCHEMA",
    "Adapted",
    "Backend",
    "BudgetSpent",
    "Fidelities",
    "Forecast",
    "HttpBackend",
    "Judge",
    "JudgeKind",
    "JudgeSettings",
    "KindName",
    "Limits",
    "Orders",
    "OutcomeArrays",
    "People",
    "Price",
    "Record",
    "Reply",
    "Settled",
    "Side",
    "SideBySide",
    "Sides",
    "Spent",
    "Terms",
    "Validation",
    "VerdictStore",
    "WithPeople",
    "built_in_judges",
    "check_pairs",
    "choice",
    "choose_backend",
    "chrf",
    "conversation",
    "dollars",
    "estimate_pairs",
    "fidelities",
    "influences",
    "joined",
    "judge",
    "judge_adaptively",
    "judge_label",
    "judge_pairs",
    "jury",
    "keep_measured",
    "kind_of",
    "lay_out",
    "load_judge",
    "load_prices",
    "outcome",
    "outcomes",
    "published_answers",
    "quality",
    "read_pairs",
    "summarise_verdicts",
    "validate",
    "without_thoughts",
]
