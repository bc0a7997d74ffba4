from .advising import advise_from_study
from .check import Preflight, preflight
from .graph import Graph, build
from .inputs import Inputs, open_inputs
from .reporting import gather, report
from .runner import duration, run
from .spec import Arm, Comparison, HeldOut, LLMJudge, Study, StudyLanguages
from .store import Stage, Store
from .together import Finished, Together, report_together

__all__ = [
    "Arm",
    "Comparison",
    "Finished",
    "Graph",
    "HeldOut",
    "Inputs",
    "LLMJudge",
    "Preflight",
    "Stage",
    "Store",
    "Study",
    "StudyLanguages",
    "Together",
    "advise_from_study",
    "build",
    "duration",
    "gather",
    "open_inputs",
    "preflight",
    "report",
    "report_together",
    "run",
]
