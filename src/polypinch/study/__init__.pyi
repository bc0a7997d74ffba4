from .adaptive import Settled, joined, judge_adaptively
from .artifacts import MANIFEST, SETTLED, TOTALS, Kind
from .check import Preflight, preflight
from .compare import ALL, Fidelities, SideBySide, fidelities, summarise_verdicts
from .graph import build
from .inputs import Inputs, open_inputs
from .judged import Judged, Side, lay_out, measures
from .judging import judging_line
from .pairing import read_pairs
from .record import JudgeFacts, Record, read_record, read_study, write_record
from .running.here import Worker, duration, run, workers
from .running.workers import work_together
from .runs import Compared, Graph, Tuned
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
from .store import Damaged, Stage, State, Store

__all__ = [
    "ALL",
    "MANIFEST",
    "MONOLINGUAL",
    "SETTLED",
    "TOTALS",
    "UNTUNED",
    "Arm",
    "Compared",
    "Comparison",
    "Damaged",
    "Fidelities",
    "Graph",
    "HeldOut",
    "Inputs",
    "JudgeFacts",
    "Judged",
    "Kind",
    "LLMJudge",
    "Preflight",
    "Record",
    "Settled",
    "Side",
    "SideBySide",
    "Stage",
    "State",
    "Store",
    "Study",
    "StudyLanguages",
    "Tuned",
    "Worker",
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
    "read_record",
    "read_study",
    "run",
    "summarise_verdicts",
    "work_together",
    "workers",
    "write_record",
]
