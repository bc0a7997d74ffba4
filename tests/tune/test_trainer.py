from __future__ import annotations

import json
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute
import pytest
import torch
from safetensors.torch import load_file

from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.models.finding import find_model
from polypinch.pool.table import POOL_SCHEMA
from polypinch.tune import TuneRecipe, heldout_loss, load_tuned, tune
from polypinch.tune.trainer import PinchTrainer
from tests.pools import row
from tests.running import started
from tests.tiny import tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_model(tmp_path_factory.mktemp("model"))


def table(n: int = 20, tags: tuple[str, ...] = ("en", "fi")) -> pa.Table:
    return pa.Table.from_pylist(
        [row(f"t{index}", tags[index % len(tags)]) for index in range(n)], schema=POOL_SCHEMA
    )


def recipe(**changes: object) -> TuneRecipe:
    settings = {"precision": "fp32", "batch_rows": 4, "epochs": 2, "learning_rate": 5e-3, "rank": 4}
    return TuneRecipe.model_validate({**settings, **changes})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(next(folder.glob("adapter/*.safetensors"))))


def losses(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


def test_loss_falls_and_is_logged_at_every_step(model: str, tmp_path: Path) -> None:
    tune(table(), find_model(model), recipe(epochs=8), 1, tmp_path)
    found = losses(tmp_path)
    assert len(found) == 40
    assert sum(found[-5:]) < 0.9 * sum(found[:5])
    assert not (tmp_path / "checkpoints").exists()


def test_in_two_stages_one_language_is_tuned_on_before_the_rest(model: str, tmp_path: Path) -> None:
    english = table().filter(pa.compute.equal(table()["language"], "en"))
    settings = {"schedule": "constant", "warmup_share": 0.0}
    tune(english, find_model(model), recipe(**settings), 1, tmp_path / "english")
    tune(table(), find_model(model), recipe(first="eng", **settings), 1, tmp_path / "staged")
    # Until the first stage is over, it is as if there were nothing else.
    steps = len(losses(tmp_path / "english"))
    assert len(losses(tmp_path / "staged")) == 2 * steps
    assert losses(tmp_path / "staged")[:steps] == pytest.approx(losses(tmp_path / "english"), rel=1e-5)


def test_a_recipe_without_stages_is_written_as_before() -> None:
    assert "first" not in recipe().model_dump(mode="json")
    assert recipe(first="eng").model_dump(mode="json")["first"] == "en"
    with pytest.raises(ValueError, match="unknown language"):
        recipe(first="xx")


def test_micro_batching_changes_nothing(model: str, tmp_path: Path) -> None:
    for name, tokens in (("whole", 10_000), ("rows", 1)):
        tune(table(), find_model(model), recipe(micro_tokens=tokens), 1, tmp_path / name)
    assert losses(tmp_path / "whole") == pytest.approx(losses(tmp_path / "rows"), rel=1e-4)


def test_a_step_is_the_mean_over_its_supervised_tokens(model: str, tmp_path: Path) -> None:
    tune(table(4), find_model(model), recipe(epochs=1), 1, tmp_path)
    chat = ChatFormat.load(find_model(model))
    measured = heldout_loss(load_tuned(find_model(model), None, "fp32"), chat, table(4), label=None)
    total = sum(measured["nats"].to_pylist()) / sum(measured["supervised_tokens"].to_pylist())
    assert losses(tmp_path)[0] == pytest.approx(total, rel=1e-4)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(model: str, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        tune(table(), find_model(model), recipe(), seed, tmp_path / name)
    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def tune_long(model: str, directory: Path) -> None:
    tune(table(), find_model(model), recipe(epochs=12, checkpoint_every=3), 1, directory)


def test_killed_and_resumed_it_ends_with_the_same_weights_bit_for_bit(model: str, tmp_path: Path) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    tune_long(model, undisturbed)
    child = started(tune_long, model, killed)
    deadline = time.monotonic() + 120
    while not list(killed.glob("checkpoints/*/complete")) and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.join()
    assert list(killed.glob("checkpoints/*/complete"))
    assert not (killed / "adapter").exists()
    tune_long(model, killed)
    one, other = weights(undisturbed), weights(killed)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert losses(undisturbed) == losses(killed)


def test_a_checkpoint_that_a_kill_left_half_written_is_not_resumed_from(model: str, tmp_path: Path) -> None:
    half = tmp_path / "killed" / "checkpoints" / "checkpoint-4"
    half.mkdir(parents=True)
    (half / "trainer_state.json").write_text('{"global')
    tune(table(), find_model(model), recipe(), 1, tmp_path / "killed")
    tune(table(), find_model(model), recipe(), 1, tmp_path / "undisturbed")
    one, other = weights(tmp_path / "killed"), weights(tmp_path / "undisturbed")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_torn_checkpoint_is_left_for_the_one_before(
    model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    tune_long(model, undisturbed)
    child = started(tune_long, model, killed)
    deadline = time.monotonic() + 120
    while len(list(killed.glob("checkpoints/*/complete"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.join()
    newest = max(killed.glob("checkpoints/*/complete"), key=lambda path: int(path.parent.name[11:])).parent
    torn = newest / "optimizer.pt"
    torn.write_bytes(torn.read_bytes()[:-100])
    tune_long(model, killed)
    assert f"{newest.name}: optimizer.pt is not what was written" in " ".join(capfd.readouterr().err.split())
    one, other = weights(undisturbed), weights(killed)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_full_tuning_moves_the_weights_and_loads_again(model: str, tmp_path: Path) -> None:
    tune(table(), find_model(model), recipe(method="full", learning_rate=1e-3), 1, tmp_path)
    assert losses(tmp_path)[-1] < losses(tmp_path)[0]
    before, after = (load_tuned(find_model(model), folder, "fp32") for folder in (None, tmp_path))
    moved = [
        not torch.equal(one, other)
        for one, other in zip(before.parameters(), after.parameters(), strict=True)
    ]
    assert all(moved)


def test_full_tuning_in_bf16_follows_fp32_and_resumes_bit_for_bit(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"method": "full", "learning_rate": 1e-4, "checkpoint_every": 3}
    for name, precision in (("fp32", "fp32"), ("bf16", "bf16")):
        tune(table(), find_model(model), recipe(precision=precision, **chosen), 1, tmp_path / name)
    assert losses(tmp_path / "bf16") == pytest.approx(losses(tmp_path / "fp32"), rel=0.01)

    step = PinchTrainer.training_step
    with monkeypatch.context() as patch:

        def stopped(self: PinchTrainer, *args: object) -> torch.Tensor:
            if self.state.global_step == 5:
                raise KeyboardInterrupt
            return step(self, *args)

        patch.setattr(PinchTrainer, "training_step", stopped)
        with pytest.raises(KeyboardInterrupt):
            tune(table(), find_model(model), recipe(precision="bf16", **chosen), 1, tmp_path / "stopped")
    tune(table(), find_model(model), recipe(precision="bf16", **chosen), 1, tmp_path / "stopped")
    assert losses(tmp_path / "bf16") == losses(tmp_path / "stopped")
    one, other = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("bf16", "stopped"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_development_loss_is_logged_by_language_after_each_epoch(model: str, tmp_path: Path) -> None:
    tune(table(), find_model(model), recipe(), 1, tmp_path, development=table(4))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    found = [line for line in lines if "development/en" in line]
    assert [line["step"] for line in found] == [5, 10]
    assert all("development/fi" in line for line in found)
    assert len(losses(tmp_path)) == 10


def test_a_row_without_an_answer_is_refused_by_name(model: str, tmp_path: Path) -> None:
    bad = row("t9", "fi", messages=[{"role": "user", "content": "Hei?"}])
    rows = pa.Table.from_pylist([row("t1", "en"), bad], schema=POOL_SCHEMA)
    with pytest.raises(PinchError, match=r"row 2 \(item 't9' in 'fi'\): no token is supervised"):
        tune(rows, find_model(model), recipe(), 1, tmp_path)


def test_a_prompt_that_fills_the_length_is_refused_with_the_fix(model: str, tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="raise max_length"):
        tune(table(2), find_model(model), recipe(max_length=8), 1, tmp_path)


def test_a_merged_adapter_answers_as_the_tuned_model(model: str, tmp_path: Path) -> None:
    tune(table(), find_model(model), recipe(epochs=6), 1, tmp_path)
    chat = ChatFormat.load(find_model(model))
    base, tuned = (
        heldout_loss(load_tuned(find_model(model), folder, "fp32"), chat, table(), label=None)
        for folder in (None, tmp_path)
    )
    assert sum(tuned["nats"].to_pylist()) < 0.95 * sum(base["nats"].to_pylist())
    assert tuned["bytes"].to_pylist() == base["bytes"].to_pylist()
