"""Tasks: held-out sets whose answers can be checked, and a model's scores on them."""

from polypinch.tasks.scoring import CHOICE_SCHEMA, SCORE_SCHEMA, run_task, score_answers, score_choices
from polypinch.tasks.sets import Item, TaskSet, open_task
from polypinch.tasks.spec import METRICS, Metric, Task

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
