from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from polypinch.chat import Encoded
from polypinch.models.attention import segmented
from polypinch.tune.batches import flatten
from polypinch.tune.compiling import WORTHWHILE, compiled, pays
from polypinch.tune.loss import batch_loss
from tests.tiny import tiny_model


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_model_has_the_same_loss_and_is_itself_again_afterwards(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path))
    batch = flatten([Encoded(list(range(6, 36)), [True] * 30, False)])
    with segmented(model):
        plain = batch_loss(model, batch)
        with compiled(model.get_decoder(), wanted=True):
            assert model.get_decoder().layers[0].mlp._compiled_call_impl is not None
            found = batch_loss(model, batch)
            found.backward()
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-4)
    assert all(part._compiled_call_impl is None for part in model.modules())


def test_it_pays_on_long_tunings_alone(tmp_path: Path) -> None:
    body = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path)).get_decoder()
    assert not pays(body, 1000)
    assert pays(body, int(WORTHWHILE)) == (shutil.which("g++") is not None)
