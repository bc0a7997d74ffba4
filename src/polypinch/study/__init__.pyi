from .arrays import Axes, axes, fill
from .artifacts import LOOK, MANIFEST, SETTLED, TABLES, TOTALS, Kind
from .check import Preflight, preflight, trainings_line
from .dosed import ladder
from .elsewhere import open_store
from .folder import read_record, read_study, write_record
from .graph import build
from .inputs import Inputs, open_inputs
from .judging import judging_line
from .record import JudgeFacts, Record
from .resources import Resources, read_resources
from .run_names import tracked_run
from .running.here import Worker, duration, run, run_study, workers
from .running.on_ray import run_on_ray
from .running.workers import work_together
from .runs import Compared, Graph, Looking, Tuned
from .searching import DoseLook, DoseState, Looked, arms_by_dose, read_looks, so_far
from .spec import (
    MONOLINGUAL,
    UNTUNED,
    Arm,
    Claimed,
    Comparison,
    Design,
    HeldOut,
    LLMJudge,
    PeopleJudge,
    Study,
    StudyLanguages,
)
from .spending import Speed, Spending, read_speed
from .store import Damaged, Stage, State, Store

__all__ = [
    "LOOK",
    "MANIFEST",
    "MONOLINGUAL",
    "SETTLED",
    "TABLES",
    "TOTALS",
    "UNTUNED",
    "Arm",
    "Axes",
    "Claimed",
    "Compared",
    "Comparison",
    "Damaged",
    "Design",
    "DoseLook",
    "DoseState",
    "Graph",
    "HeldOut",
    "Inputs",
    "JudgeFacts",
    "Kind",
    "LLMJudge",
    "Looked",
    "Looking",
    "PeopleJudge",
    "Preflight",
    "Record",
    "Resources",
    "Speed",
    "Spending",
    "Stage",
    "State",
    "Store",
    "Study",
    "StudyLanguages",
    "Tuned",
    "Worker",
    "arms_by_dose",
    "axes",
    "build",
    "duration",
    "fill",
    "judging_line",
    "ladder",
    "open_inputs",
    "open_store",
    "preflight",
    "read_looks",
    "read_record",
    "read_resources",
    "read_speed",
    "read_study",
    "run",
    "run_on_ray",
    "run_study",
    "so_far",
    "tracked_run",
    "trainings_line",
    "work_together",
    "workers",
    "write_record",
]
