from .desk import desk_app
from .elsewhere import Elsewhere, export_job, import_ratings
from .report import ALL, JobReport, adjudicate, disagreements, job_report
from .sources import Drawing, job_from_files, job_from_study
from .wording import guidelines_for, wording_in

__all__ = [
    "ALL",
    "Drawing",
    "Elsewhere",
    "JobReport",
    "adjudicate",
    "desk_app",
    "disagreements",
    "export_job",
    "guidelines_for",
    "import_ratings",
    "job_from_files",
    "job_from_study",
    "job_report",
    "wording_in",
]
