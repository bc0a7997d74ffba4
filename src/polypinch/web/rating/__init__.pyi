from .desk import desk_app
from .report import ALL, JobReport, adjudicate, disagreements, job_report
from .sources import Drawing, job_from_files, job_from_study
from .wording import guidelines_for, wording_in

__all__ = [
    "ALL",
    "Drawing",
    "JobReport",
    "adjudicate",
    "desk_app",
    "disagreements",
    "guidelines_for",
    "job_from_files",
    "job_from_study",
    "job_report",
    "wording_in",
]
