from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polypinch.errors import PinchError
from polypinch.files import read_json, read_table
from polypinch.pool.table import POOL_SCHEMA
from polypinch.results.tasks import rows_of, task_axes
from polypinch.specs import load_yaml
from polypinch.stats import interval
from polypinch.study import Store, Study, build, open_inputs, preflight
from tests.pools import parallel_pool, row
from tests.studies import TAGS, write_study
from tests.study.test_run import rows, run_to_report
from tests.tasks.data import mgsm, xcopa


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("tasks")
    numbers = {"name": "mgsm", "layout": "mgsm", "path": str(mgsm(folder / "mgsm")), "max_new_tokens": 4}
    choices = {"name": "xcopa", "layout": "xcopa", "path": str(xcopa(folder / "xcopa", ("en", "fi")))}
    return [numbers | {"items": 3}, choices]


@pytest.fixture(scope="module")
def finished(tiny_study: dict[str, Any], tasks: list[dict[str, Any]], tmp_path_factory: Any) -> Path:
    folder: Path = tmp_path_factory.mktemp("finished")
    arms = tiny_study["arms"][:2]
    run_to_report(write_study(folder / "study.yaml", tiny_study, tasks=tasks, arms=arms), folder / "out")
    return folder


def test_every_arm_and_seed_is_scored_on_every_task(finished: Path) -> None:
    store = finished / "out" / "store"
    found = [read_json(path / "spec.json") for path in (store / "task").iterdir() if path.is_dir()]
    assert len(found) == 2 * (1 + 2 * 2)
    one = next((store / "task").glob("mgsm-pinch-4-s2-*"))
    scores, answers = read_table(one / "scores.parquet"), read_table(one / "answers.parquet")
    assert scores.num_rows == answers.num_rows == 3 * len(TAGS)
    assert next((store / "task").glob("xcopa-untuned-*/choices.parquet"))


def test_the_table_has_every_metric_language_and_average_with_its_change(finished: Path) -> None:
    lines = rows(finished / "out", "tasks")
    assert {(line["task"], line["metric"]) for line in lines} == {
        ("mgsm", "number_match"),
        ("xcopa", "accuracy"),
        ("xcopa", "accuracy_by_length"),
    }
    of = {(line["task"], line["metric"], line["arm"], line["language"]): line for line in lines}
    assert {key[3] for key in of if key[0] == "mgsm"} == {*TAGS, "seen", "unseen", "others"}
    assert {key[3] for key in of if key[0] == "xcopa"} == {"en", "fi", "seen", "others"}
    pinch, english = (of["xcopa", "accuracy", arm, "fi"] for arm in ("pinch-4", "english"))
    assert pinch["against"] == "english"
    assert float(pinch["change"]) == pytest.approx(float(pinch["value"]) - float(english["value"]), abs=1e-9)
    assert english["change"] == ""
    assert of["xcopa", "accuracy", "untuned", "fi"]["n_seeds"] == "1"
    assert (pinch["chance"], of["mgsm", "number_match", "english", "en"]["chance"]) == ("0.5", "")


def test_scores_are_the_means_of_what_the_stages_hold(finished: Path) -> None:
    values = []
    for path in sorted((finished / "out" / "store" / "task").glob("xcopa-pinch-4-s*/scores.parquet")):
        table = read_table(path).to_pylist()
        values += [one["value"] for one in table if (one["language"], one["metric"]) == ("fi", "accuracy")]
    assert len(values) == 2 * 6
    line = next(
        line for line in rows(finished / "out", "tasks")
        if (line["metric"], line["arm"], line["language"]) == ("accuracy", "pinch-4", "fi")
    )  # fmt: skip
    assert float(line["value"]) == pytest.approx(np.mean(values))


def test_the_page_shows_each_task_with_its_chart_and_tables(finished: Path) -> None:
    page = (finished / "out" / "report.html").read_text()
    assert '<section id="tasks">' in page
    assert page.count('data-spec="spec-tasks-') == 2
    assert "guessing finds 50%" in page
    assert "Changes against english, in points" in page
    assert {path.name for path in (finished / "out" / "figures").glob("tasks-*.svg")} == {
        "tasks-mgsm.svg",
        "tasks-xcopa.svg",
    }


def test_other_stages_keep_their_fingerprints(
    tiny_study: dict[str, Any], tasks: list[dict[str, Any]], tmp_path: Path
) -> None:
    def marks(name: str, **changes: Any) -> set[str]:
        inputs = open_inputs(load_yaml(write_study(tmp_path / name, tiny_study, **changes), Study))
        return {s.fingerprint for s in build(inputs, Store(tmp_path)).stages() if s.kind != "task"}

    assert marks("with.yaml", tasks=tasks) == marks("without.yaml")


def test_a_study_without_tasks_reads_as_before(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    study = load_yaml(write_study(tmp_path / "s.yaml", tiny_study), Study)
    assert "tasks" not in study.model_dump(mode="json")


def test_the_estimate_counts_prompts_choices_and_answers(
    tiny_study: dict[str, Any], tasks: list[dict[str, Any]], tmp_path: Path
) -> None:
    def tokens(name: str, chosen: list[dict[str, Any]]) -> dict[str, int]:
        path = write_study(tmp_path / name, tiny_study, tasks=chosen)
        return preflight(open_inputs(load_yaml(path, Study)), tmp_path, time_it=False).tokens

    bare, numbers, both = tokens("0.yaml", []), tokens("1.yaml", tasks[:1]), tokens("2.yaml", tasks)
    evaluations = 1 + 2 * 3
    assert numbers["drawn"] - bare["drawn"] == 3 * len(TAGS) * 4 * evaluations
    assert numbers["scored"] > bare["scored"]
    assert both["scored"] > numbers["scored"]
    assert both["drawn"] == numbers["drawn"]


def test_the_check_says_what_a_tasks_numbers_hang_on(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    path = str(mgsm(tmp_path / "mgsm"))
    own = {"name": "m", "layout": "mgsm", "path": path}
    study = write_study(tmp_path / "s.yaml", tiny_study, tasks=[own])
    found = preflight(open_inputs(load_yaml(study, Study)), tmp_path, time_it=False)
    said = [one.message for one in found.problems if one.where == "task m"]
    assert said == ["6 items resolve only large differences"]
    assert [(one["name"], one["items"], one["languages"]) for one in found.tasks] == [("m", 6, list(TAGS))]
    assert set(found.tasks[0]["wording"].values()) == {"built-in"}


def test_a_question_of_a_task_is_trained_on_by_no_arm(
    tiny_study: dict[str, Any], tasks: list[dict[str, Any]], tmp_path: Path
) -> None:
    stolen = [
        {"role": "user", "content": "en: Ann has 2 eggs and buys 2. How many?"},
        {"role": "assistant", "content": "4"},
    ]
    own = parallel_pool(TAGS, train=16, heldout=4).select()
    more = pa.Table.from_pylist([row("t0", tag, messages=stolen) for tag in TAGS], schema=POOL_SCHEMA)
    pq.write_table(
        pa.concat_tables([own.filter(pa.compute.not_equal(own["item_id"], "t0")), more]),
        tmp_path / "p.parquet",
    )
    changes = {"pool": str(tmp_path / "p.parquet"), "tasks": [tasks[0] | {"items": 6}]}
    inputs = open_inputs(load_yaml(write_study(tmp_path / "s.yaml", tiny_study, **changes), Study))
    with pytest.raises(PinchError, match="item '3' in 'en' of task mgsm"):
        preflight(inputs, tmp_path, time_it=False)


def test_a_missing_folder_stops_the_study_before_it_begins(
    tiny_study: dict[str, Any], tasks: list[dict[str, Any]], tmp_path: Path
) -> None:
    gone = [tasks[0] | {"path": str(tmp_path / "gone")}]
    with pytest.raises(PinchError, match="no such file or folder"):
        open_inputs(load_yaml(write_study(tmp_path / "s.yaml", tiny_study, tasks=gone), Study))
    with pytest.raises(PinchError, match="two tasks have one name"):
        load_yaml(write_study(tmp_path / "s.yaml", tiny_study, tasks=[tasks[0], tasks[0]]), Study)


def test_changes_are_paired_by_item_and_seed(tiny_study: dict[str, Any]) -> None:
    study = Study.model_validate(tiny_study)
    axes = task_axes(study, ("en", "fi"), tuple(map(str, range(200))))
    rng = np.random.default_rng(0)
    hard = 0.8 * rng.integers(0, 2, size=(1, 200, 1))
    noise = rng.normal(size=(2, 2, 200, 2)) * 0.01
    values = {
        "untuned": np.repeat(hard, 2, 2),
        "english": hard + noise[0],
        "pinch-4": hard + 0.1 + noise[1],
    }
    found = {
        (one["arm"], one["language"]): one
        for one in rows_of(study, axes, values, {"model": "m", "task": "t", "metric": "f1"})
    }
    one = found["pinch-4", "fi"]
    paired = interval((values["pinch-4"] - values["english"]), [1])
    assert one["change"] == pytest.approx(paired.value)
    assert one["change_low"] < 0.1 < one["change_high"]
    assert one["change_high"] - one["change_low"] < 0.5 * (one["high"] - one["low"])
    assert found["untuned", "fi"]["change"] is not None
