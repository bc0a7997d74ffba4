from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.models.finding import find_model
from polypinch.models.precision import Precision
from polypinch.tune import Base, heldout_loss, load_tuned, tune
from tests.tiny import tiny_model
from tests.tune.test_trainer import recipe, table, weights

IDS = torch.arange(6, 40)[None]


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model(IDS).logits.clone()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    root = tmp_path_factory.mktemp("base")
    name = tiny_model(root / "model")
    for seed in (1, 2):
        tune(table(), find_model(name), recipe(epochs=4), seed, root / str(seed))
    tune(table(), find_model(name), recipe(method="full"), 1, root / "full")
    return name, root


def test_adapters_come_and_go_and_the_base_stays_bit_for_bit(found: tuple[str, Path]) -> None:
    name, root = found
    base = Base(find_model(name), "fp32")
    untuned = logits(base.tuned(None))
    for checkpoint in (root / "1", root / "2", root / "1", root / "full", root / "2"):
        alone = logits(load_tuned(find_model(name), checkpoint, "fp32"))
        assert torch.equal(logits(base.tuned(checkpoint)), alone)
        assert not torch.equal(alone, untuned)
    assert torch.equal(logits(base.tuned(None)), untuned)


def test_a_tuning_on_a_shared_base_is_that_on_a_fresh_one(found: tuple[str, Path], tmp_path: Path) -> None:
    name, root = found
    base = Base(find_model(name), "fp32")
    untuned = logits(base.tuned(None))
    base.tuned(root / "2")
    tune(table(), find_model(name), recipe(epochs=4), 1, tmp_path / "shared", base=base)
    one, other = weights(tmp_path / "shared"), weights(root / "1")
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert torch.equal(logits(base.tuned(None)), untuned)
    base.release()
    assert torch.equal(logits(base.tuned(None)), untuned)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_adapter_is_merged_as_peft_merges_it(found: tuple[str, Path], precision: Precision) -> None:
    name, root = found
    ours = Base(find_model(name), precision).tuned(root / "1").state_dict()
    plain = Base(find_model(name), precision).plain()
    adapted = PeftModel.from_pretrained(plain, str(root / "1" / "adapter"))
    theirs = adapted.merge_and_unload(safe_merge=True).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_an_adapter_that_is_not_finite_is_refused(found: tuple[str, Path], tmp_path: Path) -> None:
    name, root = found
    base = Base(find_model(name), "fp32")
    untuned = logits(base.plain())
    shutil.copytree(root / "1", tmp_path / "broken")
    file = tmp_path / "broken" / "adapter" / "adapter_model.safetensors"
    adapter = load_file(file)
    next(iter(adapter.values()))[0] = torch.nan
    save_file(adapter, file)
    with pytest.raises(PinchError, match="not finite"):
        base.tuned(tmp_path / "broken")
    assert torch.equal(logits(base.tuned(None)), untuned)


def test_a_folder_without_weights_is_refused(found: tuple[str, Path], tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="neither adapter/ nor model/"):
        Base(find_model(found[0])).tuned(tmp_path)


def test_four_bits_without_their_package_are_refused_with_the_fix(
    found: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polypinch.models.finding.find_spec", lambda name: None)
    with pytest.raises(PinchError, match=r"(?s)bitsandbytes.*polypinch\[bnb\]"):
        Base(find_model(found[0]), "fp32", "nf4").plain()


def test_four_bits_are_for_adapters_only() -> None:
    with pytest.raises(ValueError, match="cannot be tuned in full"):
        recipe(method="full", quantization="nf4")


def test_adapters_learn_on_four_bits_and_help_the_whole_base(found: tuple[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    name, _ = found
    tune(table(), find_model(name), recipe(epochs=6, quantization="nf4"), 1, tmp_path)
    base, tuned = Base(find_model(name), "fp32"), Base(find_model(name), "fp32")
    chat = ChatFormat.load(find_model(name))
    before, after = (
        sum(heldout_loss(one.tuned(folder), chat, table(), label=None)["nats"].to_pylist())
        for one, folder in ((base, None), (tuned, tmp_path))
    )
    assert after < 0.95 * before
