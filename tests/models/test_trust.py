from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.models import find_model, load_model, trust_folders
from tests.tiny import tiny_model

CODE = """
from pathlib import Path
Path({mark!r}).touch()
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
class OwnConfig(LlamaConfig):
    model_type = "own"
class OwnModel(LlamaForCausalLM):
    config_class = OwnConfig
"""


def with_code(folder: Path, mark: Path, model_type: str = "own") -> str:
    name = tiny_model(folder, "llama")
    (folder / "own.py").write_text(CODE.format(mark=str(mark)))
    settings = json.loads((folder / "config.json").read_text())
    settings["model_type"] = model_type
    settings["auto_map"] = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnModel"}
    (folder / "config.json").write_text(json.dumps(settings))
    return name


@pytest.fixture(autouse=True)
def no_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> str:
        raise AssertionError("standard input was asked")

    monkeypatch.setattr("builtins.input", ask)
    for name in ("POLYPINCH_RUN_MODEL_CODE", "POLYPINCH_LOAD_PICKLES"):
        monkeypatch.setenv(name, "")  # so that it is as it was afterwards


def test_a_models_code_is_refused_with_a_way_on(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    name = with_code(tmp_path / "m", mark)
    with pytest.raises(PinchError, match="Python code of its own") as refused:
        find_model(name)
    assert "--run-model-code" in str(refused.value)
    assert not mark.exists()


def test_code_beside_a_model_that_is_known_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    model = find_model(with_code(tmp_path / "m", mark, "llama"))
    ChatFormat.load(model)
    load_model(model, torch.float32)
    assert not mark.exists()


def test_a_models_code_runs_where_it_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "ran"
    trust_folders(code=True)
    model = find_model(with_code(tmp_path / "m", mark))
    assert type(load_model(model, torch.float32)).__name__ == "OwnModel"
    assert mark.exists()


def test_pickles_are_refused_unless_asked_for(tmp_path: Path) -> None:
    name = tiny_model(tmp_path / "m", "llama")
    file = tmp_path / "m" / "model.safetensors"
    torch.save(load_file(file), tmp_path / "m" / "pytorch_model.bin")
    file.unlink()
    with pytest.raises(PinchError, match="pickles, which are programs") as refused:
        find_model(name)
    assert "--load-pickles" in str(refused.value)
    trust_folders(pickles=True)
    load_model(find_model(name), torch.float32)
