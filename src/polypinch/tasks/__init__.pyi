from .harness import NAME, read_results
from .leakage import Place, asked, refuse_trained
from .scoring import (
    as_answer,
    run_task,
    score_answers,
    score_choices,
)
from .sets import Item, TaskSet, open_task
from .spec import METRICS, Metric, Task
from .summary import summarise
from .table import CHOICE_SCHEMA, CHOICES_FILE, SCORE_SCHEMA, SCORES_FILE

__all__ = [
    "CHOICES_FILE",
    "CHOICE_SCHEMA",
    "METRICS",
    "NAME",
    "SCORES_FILE",
    "SCORE_SCHEMA",
    "Item",
    "Metric",
    "Place",
    "Task",
    "TaskSet",
    "as_answer",
    "asked",
    "open_task",
    "read_results",
    "refuse_trained",
    "run_task",
    "score_answers",
    "score_choices",
    "summarise",
]
