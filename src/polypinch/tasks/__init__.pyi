from .scoring import CHOICE_SCHEMA, SCORE_SCHEMA, run_task, score_answers, score_choices
from .sets import Item, TaskSet, open_task
from .spec import METRICS, Metric, Task

__all__ = [
    "CHOICE_SCHEMA",
    "METRICS",
    "SCORE_SCHEMA",
    "Item",
    "Metric",
    "Task",
    "TaskSet",
    "open_task",
    "run_task",
    "score_answers",
    "score_choices",
]
