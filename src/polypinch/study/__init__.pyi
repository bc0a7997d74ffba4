from .adaptive import Settled, joined, judge_adaptively
from .check import Preflight, preflight
from .compare import ALL, Fidelities, SideBySide, fidelities, summarise_verdicts
from .graph import Graph, build
from .inputs import Inputs, open_inputs
from .judged import Judged, Side, lay_out, measures
from .judging import SETTLED, TOTALS, judging_line
from .pairing import read_pairs
from .runner import duration, run
from .runs import Compared, Tuned
from .spec import (
    MONOLINGUAL,
    UNTUNED,
    Arm,
    Comparison,
    HeldOut,
    LLMJudge,
    Study,
    StudyLanguages,
)
from .store import Stage, Store

__all__ = [
    "ALL",
    "MONOLINGUAL",
    "SETTLED",
    "TOTALS",
    "UNTUNED",
    "Arm",
    "Compared",
    "Comparison",
    "Fidelities",
    "Graph",
    "HeldOut",
    "Inputs",
    "Judged",
    "LLMJudge",
    "Preflight",
    "Settled",
    "Side",
    "SideBySide",
    "Stage",
    "Store",
    "Study",
    "StudyLanguages",
    "Tuned",
    "build",
    "duration",
    "fidelities",
    "joined",
    "judge_adaptively",
    "judging_line",
    "lay_out",
    "measures",
    "open_inputs",
    "preflight",
    "read_pairs",
    "run",
    "summarise_verdicts",
]
