from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from polypinch.answer import Sampling
from polypinch.chat import ChatFormat
from polypinch.files import read_table
from polypinch.models.finding import find_model, load_model
from polypinch.tasks import Task, TaskSet, open_task, run_task, score_answers, score_choices
from tests.tasks.data import mgsm, xcopa, xquad
from tests.tiny import tiny_model

SAMPLING = Sampling(max_new_tokens=4, precision="fp32", batch_tokens=400)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ChatFormat]:
    model = find_model(tiny_model(tmp_path_factory.mktemp("model")))
    return load_model(model, torch.float32).eval(), ChatFormat.load(model)


def copa(folder: Path, **more: Any) -> TaskSet:
    return open_task(Task(name="c", layout="xcopa", path=str(xcopa(folder)), **more), ["en", "fi"])


def test_answers_are_checked_by_every_metric_of_the_layout(tmp_path: Path) -> None:
    found = open_task(Task(name="q", layout="xquad", path=str(xquad(tmp_path)), items=1), ["en"])
    right = found.items[0].right[0]
    table = score_answers(found, [f"{right} won."]).to_pylist()
    values = {row["metric"]: row["value"] for row in table}
    assert values == {"f1": pytest.approx(4 / 5), "exact_match": 0.0}
    assert {row["answer"] for row in table} == {f"{right} won."}


def test_numbers_are_read_in_the_items_language(tmp_path: Path) -> None:
    found = open_task(Task(name="m", layout="mgsm", path=str(mgsm(tmp_path)), items=2), ["en", "es"])
    texts = [f"{one.right[0]} eggs" if one.language == "es" else "no idea" for one in found.items]
    table = score_answers(found, texts)
    assert [row["value"] for row in table.to_pylist()] == [0.0, 1.0, 0.0, 1.0]


def test_the_likeliest_choice_counts_raw_and_by_its_length(tmp_path: Path) -> None:
    found = copa(tmp_path, items=1)
    short, long = (len(choice) for choice in found.items[0].choices)
    # The long choice is less likely as a whole and likelier per character.
    logs = [-1.0 * short, -0.9 * long] * len(found.items)
    values = {row["metric"]: row["value"] for row in score_choices(found, logs).to_pylist()}
    first = found.items[0].label == 0
    assert values == {"accuracy": float(first), "accuracy_by_length": float(not first)}


def test_choices_that_tie_count_by_chance(tmp_path: Path) -> None:
    found = copa(tmp_path)
    table = score_choices(found, [-7.0, -7.0 - 1e-8] * len(found.items)).to_pylist()
    assert {row["value"] for row in table if row["metric"] == "accuracy"} == {0.5}


def test_likelihoods_are_those_of_the_models_own_forward_pass(
    loaded: tuple[Any, ChatFormat], tmp_path: Path
) -> None:
    model, chat = loaded
    found = copa(tmp_path, items=2)
    run_task(found, model, chat, SAMPLING, tmp_path, micro_tokens=64)
    logs = read_table(tmp_path / "choices.parquet")
    for place, row in enumerate(logs.to_pylist()):
        item = found.items[place // 2]
        whole = chat.encode([*item.messages, {"role": "assistant", "content": item.choices[row["choice"]]}])
        ids = torch.tensor([whole.input_ids.tolist()])
        with torch.no_grad():
            each = model(input_ids=ids).logits[0].log_softmax(-1)
        taken = [
            float(each[at - 1, ids[0, at]]) for at in range(1, ids.shape[1]) if bool(whole.supervised[at])
        ]
        assert row["log_probability"] == pytest.approx(math.fsum(taken), rel=1e-4)
        assert row["characters"] == len(item.choices[row["choice"]])


def test_a_generated_task_keeps_its_answers_beside_its_scores(
    loaded: tuple[Any, ChatFormat], tmp_path: Path
) -> None:
    model, chat = loaded
    found = open_task(Task(name="m", layout="mgsm", path=str(mgsm(tmp_path / "d")), items=3), ["en", "ru"])
    scores = run_task(found, model, chat, SAMPLING, tmp_path)
    answers = read_table(tmp_path / "answers.parquet")
    assert scores["answer"].to_pylist() == answers["text"].to_pylist()
    assert read_table(tmp_path / "scores.parquet").equals(scores)
    assert scores.num_rows == 6
