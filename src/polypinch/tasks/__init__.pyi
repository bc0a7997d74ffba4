from .harness import NAME, read_results
from .leakage import Place, asked, refuse_trained
from .scoring import (
    CHOICE_SCHEMA,
    SCORE_SCHEMA,
    as_answer,
    run_task,
    score_answers,
    score_choices,
)
from .sets import Item, TaskSet, open_task
from .spec import METRICS, Metric, Task
from .summary import summarise

__all__ = [
    "CHOICE_SCHEMA",
    "METRICS",
    "NAME",
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
