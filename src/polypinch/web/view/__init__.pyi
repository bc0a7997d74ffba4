from .explorer import Shown, explorer_app
from .filters import MARKS, Filters, Mark
from .index import Answer, AnswerIndex, Run

__all__ = [
    "MARKS",
    "Answer",
    "AnswerIndex",
    "Filters",
    "Mark",
    "Run",
    "Shown",
    "explorer_app",
]
