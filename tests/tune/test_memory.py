from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from polypinch.chat import Encoded
from polypinch.models.attention import segmented
from polypinch.models.finding import find_model
from polypinch.tune import trainer, tune
from polypinch.tune.batches import flatten
from polypinch.tune.memory import free_bytes, needs_checkpointing, saved_bytes
from tests.tiny import tiny_model
from tests.tune.test_trainer import losses, recipe, table


def test_what_is_kept_grows_with_the_tokens(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path))
    row = Encoded(list(range(6, 56)), [True] * 50, False)
    with segmented(model):
        one, four = (saved_bytes(model, flatten([row] * n)) for n in (1, 4))
        assert 3 < four / one < 4.5
        batch = flatten([row])
        assert not needs_checkpointing(model, batch, 50, 3 * one)
        assert needs_checkpointing(model, batch, 200, 3 * one)
    assert free_bytes(torch.device("cpu")) > 0


def test_where_memory_is_short_activations_are_computed_twice_with_the_same_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = find_model(tiny_model(tmp_path / "model"))
    tune(table(), model, recipe(), 1, tmp_path / "plenty")
    assert "computed twice" not in capsys.readouterr().err
    monkeypatch.setattr(trainer, "free_bytes", lambda _: 1000)
    tune(table(), model, recipe(), 1, tmp_path / "short")
    assert "computed twice" in capsys.readouterr().err
    assert losses(tmp_path / "short") == pytest.approx(losses(tmp_path / "plenty"), rel=1e-5)
