from .arrays import Axes, axes, fill
from .artifacts import MANIFEST, SETTLED, TABLES, TOTALS, Kind
from .check import Preflight, preflight
from .dosed import ladder
from .graph import build
from .inputs import Inputs, open_inputs
from .judging import judging_line
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
    "MANIFEST",
    "MONOLINGUAL",
    "SETTLED",
    "TABLES",
    "TOTALS",
    "UNTUNED",
    "Arm",
    "Axes",
    "Compared",
    "Comparison",
    "Damaged",
    "Graph",
    "HeldOut",
    "Inputs",
    "JudgeFacts",
    "Kind",
    "LLMJudge",
    "Preflight",
    "Record",
    "Stage",
    "State",
    "Store",
    "Study",
    "StudyLanguages",
    "Tuned",
    "Worker",
    "axes",
    "build",
    "duration",
    "fill",
    "judging_line",
    "ladder",
    "open_inputs",
    "preflight",
    "read_record",
    "read_study",
    "run",
    "work_together",
    "workers",
    "write_record",
]
