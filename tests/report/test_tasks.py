from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from polypinch.report import ReportData, TaskScore
from polypinch.report.tasks import task_parts
from tests.report.fake import study
from tests.report.test_page import HOSTILE, written

MODELS = ("gemma-3-270m",)


def rows(data: ReportData, task: str, metric: str, **more: Any) -> list[TaskScore]:
    found = []
    for model in data.models:
        for arm in data.arms:
            for name in (*(one.tag for one in data.languages), "seen", "unseen", "others"):
                change = None if arm.is_baseline else 0.03
                found.append(
                    TaskScore(**{
                        "model": model, "task": task, "metric": metric, "arm": arm.name, "language": name,
                        "value": 0.42, "low": 0.31, "high": 0.53, "n_items": 80, "n_seeds": 3,
                        "against": None if change is None else "english", "change": change,
                        "change_low": None if change is None else -0.01,
                        "change_high": None if change is None else 0.07,
                        "chance": None, "source": "polypinch", **more,
                    })
                )  # fmt: skip
    return found


def with_tasks(models: tuple[str, ...] = MODELS) -> ReportData:
    data = study(models=models, doses=(0, 8, 72), seen=("es", "fi"), unseen=("ar",))
    found = rows(data, "mgsm", "number_match") + rows(data, "xcopa", "accuracy", chance=0.5)
    found += rows(data, "xcopa", "accuracy_by_length", chance=0.5, value=0.61)
    found += rows(data, "mgsm", "exact_match", source="lm-evaluation-harness", change=None)
    return replace(data, tasks=found)


def test_each_task_has_its_chart_its_numbers_and_its_changes(tmp_path: Path) -> None:
    html, page = written(with_tasks(), tmp_path)
    assert [part.title for part in task_parts(with_tasks())] == [
        "mgsm",
        "xcopa",
        "mgsm (scored by lm-evaluation-harness)",
    ]
    assert "guessing finds 50%" in page.text or "guessing finds 50%" in html
    assert "80 items, 3 training seeds." in page.text
    assert "+3.0" in page.text
    assert "−1.0 to +7.0" in page.text
    assert "61.0%" in page.text
    specs = [attrs for attrs, _ in page.scripts if (attrs.get("id") or "").startswith("spec-tasks-")]
    assert len(specs) == 3
    assert {path.stem for path in (tmp_path / "figures").glob("tasks-*")} == {
        "tasks-mgsm",
        "tasks-xcopa",
        "tasks-mgsm-lm-evaluation-harness",
    }


def test_the_table_keeps_all_digits(tmp_path: Path) -> None:
    written(with_tasks(), tmp_path)
    with (tmp_path / "tables" / "tasks.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == len(with_tasks().tasks)
    assert found[0]["change"] in ("", "0.03")


def test_models_have_charts_of_their_own(tmp_path: Path) -> None:
    data = with_tasks(("one", "org/two"))
    files = [part.file for part in task_parts(data)]
    assert files[:3] == ["tasks-mgsm-one", "tasks-mgsm-org-two", "tasks-xcopa-one"]


def test_without_tasks_the_page_has_no_section_and_no_table(tmp_path: Path) -> None:
    html, _ = written(with_tasks(), tmp_path)
    assert 'id="tasks"' in html
    html, _ = written(replace(with_tasks(), tasks=[]), tmp_path)
    assert 'id="tasks"' not in html
    assert not list((tmp_path / "figures").glob("tasks-*"))


def test_a_hostile_name_of_a_metric_stays_text(tmp_path: Path) -> None:
    data = study(doses=(0, 8, 72), seen=("es", "fi"), unseen=("ar",))
    _, page = written(replace(data, tasks=rows(data, "t", HOSTILE)), tmp_path)
    assert not [attrs for tag, attrs in page.tags if tag == "img" and attrs.get("src") == "x"]
    spec = next(text for attrs, text in page.scripts if attrs.get("id") == "spec-tasks-t")
    assert json.loads(spec)
