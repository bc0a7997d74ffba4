"""Studies: arms × seeds × base models, run as resumable stages, and reported."""

from polypinch.study.advising import advise_from_study
from polypinch.study.check import Preflight, preflight
from polypinch.study.graph import Graph, build
from polypinch.study.inputs import Inputs, open_inputs
from polypinch.study.reporting import gather, report
from polypinch.study.runner import duration, run
from polypinch.study.spec import Arm, Comparison, HeldOut, LLMJudge, Study, StudyLanguages
from polypinch.study.store import Stage, Store
from polypinch.study.together import Finished, Together, report_together

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
