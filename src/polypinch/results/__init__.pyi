from .arms import (
    AVERAGES,
    ArmResults,
    Together,
    bounds,
    changes,
    estimates,
    mixture_lines,
    read_results,
    scores,
    shares,
    stacked,
)
from .handing_over import export_arm
from .harness import import_results, imported_rows
from .tasks import task_rows, task_wording

__all__ = [
    "AVERAGES",
    "ArmResults",
    "Together",
    "bounds",
    "changes",
    "estimates",
    "export_arm",
    "import_results",
    "imported_rows",
    "mixture_lines",
    "read_results",
    "scores",
    "shares",
    "stacked",
    "task_rows",
    "task_wording",
]
