from .desk import desk_app
from .elsewhere import Elsewhere, export_job, import_ratings
from .sources import Drawing, job_from_files, job_from_study
from .wording import guidelines_for, wording_in

__all__ = [
    "Drawing",
    "Elsewhere",
    "desk_app",
    "export_job",
    "guidelines_for",
    "import_ratings",
    "job_from_files",
    "job_from_study",
    "wording_in",
]
