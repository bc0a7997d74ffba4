"""One model's scores on a task by language, with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polypinch.stats import SHARE, intervals
from polypinch.tasks.sets import TaskSet

ALL = "all"
"""The mean over languages, each weighing the same."""


def summarise(tasks: TaskSet, scores: pa.Table) -> list[dict[str, Any]]:
    """Return the mean of each metric by language and over ``all``, 0 to 1, with 95 % intervals over items.

    Args:
        tasks: the task.
        scores: rows in :data:`~polypinch.tasks.SCORE_SCHEMA`, for every item and language.
    """
    names = (*tasks.languages, ALL)
    rows = []
    for metric in tasks.metrics:
        values = scores.filter(pc.field("metric") == metric)["value"].to_numpy()
        # One arm, one seed; items of a task come one after another, each in all languages.
        shaped = values.reshape(1, 1, len(tasks.item_ids), len(tasks.languages))
        found = intervals(shaped.astype(np.float64), [range(len(tasks.languages))], SHARE)
        for column, name in enumerate(names):
            one = found.estimate(0, column).as_dict()
            rows.append({"metric": metric, "language": name, **one, "chance": tasks.chance})
    return rows
