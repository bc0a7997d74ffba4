from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from polypinch.chat.format import Encoded
from polypinch.cli.app import app
from polypinch.errors import PinchError
from polypinch.files import write_table
from polypinch.models.finding import find_model
from polypinch.tune import tune
from polypinch.tune.batches import share_out
from polypinch.tune.trainer import StepDataset
from tests.tiny import tiny_model
from tests.tune.test_trainer import losses, recipe, table

# 7 rows in steps of 3: the last step has one row, which leaves a process without any.
ROWS = table(7)
METHODS = {"lora": {"learning_rate": 5e-3}, "full": {"learning_rate": 1e-3}}
CASES = {
    f"{kind}-{method}": (kind, {**METHODS[method], "method": method})
    for kind in ("gemma3", "llama")
    for method in METHODS
}


def settings(**changes: object) -> dict[str, object]:
    chosen = {"batch_rows": 3, "micro_tokens": 40, "checkpoint_every": 2, "max_grad_norm": 0.5, **changes}
    return recipe(**chosen).model_dump(mode="json")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(next(folder.glob("*/*.safetensors"))))


def norms(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [line["grad_norm"] for line in lines if "grad_norm" in line]


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Two processes tune every case in turn; returns their folder and what they printed."""
    folder = tmp_path_factory.mktemp("sharded")
    for kind in ("gemma3", "llama"):
        tiny_model(folder / kind, kind)
    write_table(folder / "mixture" / "mixture.parquet", ROWS)
    cases = {name: (kind, settings(**changes)) for name, (kind, changes) in CASES.items()}
    cases |= {f"{name}-resumed": cases[name] for name in ("gemma3-full", "llama-lora")}
    (folder / "cases.json").write_text(json.dumps(cases))
    (folder / "recipe.yaml").write_text(json.dumps(settings(**CASES["llama-lora"][1])))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "-m", "tests.tune.sharded", str(folder)],
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done.stdout


@pytest.mark.parametrize("name", CASES)
def test_two_processes_compute_what_one_does(sharded: tuple[Path, str], name: str, tmp_path: Path) -> None:
    folder, _ = sharded
    kind, changes = CASES[name]
    tune(ROWS, find_model(str(folder / kind)), recipe(**settings(**changes)), 1, tmp_path)
    assert losses(folder / name) == pytest.approx(losses(tmp_path), rel=1e-4)
    assert norms(folder / name) == pytest.approx(norms(tmp_path), rel=1e-3)
    one, two = weights(tmp_path), weights(folder / name)
    assert one.keys() == two.keys()
    for key in one:
        torch.testing.assert_close(two[key], one[key], rtol=1e-3, atol=2e-4)
    assert not (folder / name / "checkpoints").exists()


@pytest.mark.parametrize("name", ["gemma3-full", "llama-lora"])
def test_stopped_and_resumed_they_end_with_the_same_weights_bit_for_bit(
    sharded: tuple[Path, str], name: str
) -> None:
    folder, _ = sharded
    one, other = weights(folder / name), weights(folder / f"{name}-resumed")
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert losses(folder / name) == losses(folder / f"{name}-resumed")


def test_the_command_makes_one_artifact_and_prints_once(sharded: tuple[Path, str]) -> None:
    folder, printed = sharded
    assert json.loads(printed)["steps"] == 6
    assert (folder / "cli" / "done.json").is_file()
    assert losses(folder / "cli") == losses(folder / "llama-lora")


def test_other_commands_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(PinchError, match="only tune"):
        app(["schema", "study"], standalone_mode=False)


def test_what_only_one_process_can_do_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(PinchError, match="by one process"):
        tune(ROWS, find_model(tiny_model(tmp_path / "model")), recipe(), 1, tmp_path, development=ROWS)


@given(st.lists(st.integers(1, 500), max_size=40), st.integers(1, 8))
def test_rows_are_shared_out_once_and_evenly(lengths: list[int], processes: int) -> None:
    shares = share_out(lengths, processes)
    assert sorted(index for share in shares for index in share) == list(range(len(lengths)))
    tokens = [sum(lengths[index] for index in share) for share in shares]
    assert max(tokens) - min(tokens) <= max(lengths, default=0)


def test_every_process_has_as_many_micro_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Encoded([1] * length, [False] + [True] * (length - 1), False) for length in (9, 2, 2)]
    monkeypatch.setenv("WORLD_SIZE", "4")
    found = []
    for rank in range(4):
        monkeypatch.setenv("RANK", str(rank))
        found.append(StepDataset(rows, [[0, 1, 2]], 4)[0])
    assert [len(step["micros"]) for step in found] == [1] * 4
    supervised = [sum(len(micro.labels) for micro in step["micros"]) for step in found]
    assert sorted(supervised) == [0, 1, 1, 8]
    assert [step["supervised"] for step in found] == [10] * 4
