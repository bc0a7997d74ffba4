from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from polypinch.chat import Encoded
from polypinch.models.attention import segmented
from polypinch.tune.batches import flatten
from polypinch.tune.lora import LoraLinear
from polypinch.tune.loss import batch_loss, causal_model
from tests.tiny import tiny_model

ROWS = [Encoded(list(range(6, 6 + n)), [True] * n, False) for n in (9, 30)]


def adapted(folder: str, ours: bool, dropout: float = 0.0, dtype: torch.dtype = torch.float32) -> PeftModel:
    config = LoraConfig(r=4, lora_alpha=12, lora_dropout=dropout, target_modules="all-linear")
    if ours:
        config._register_custom_module({torch.nn.Linear: LoraLinear})
    torch.manual_seed(0)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(folder, dtype=dtype), config)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if "lora_B" in name:
                weight.normal_(0, 0.1)
    return model


def loss_and_gradients(model: PeftModel) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    torch.manual_seed(1)
    with segmented(causal_model(model)):
        loss = batch_loss(model.train(), flatten(ROWS))
        loss.backward()
    return loss.detach(), {n: w.grad for n, w in model.named_parameters() if w.grad is not None}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("kind", ["gemma3", "qwen2"])  # Qwen-2's projections have biases
def test_loss_and_gradients_are_pefts(tmp_path: Path, kind: str, dropout: float) -> None:
    folder = tiny_model(tmp_path, kind)
    loss, gradients = loss_and_gradients(adapted(folder, ours=True, dropout=dropout))
    expected, theirs = loss_and_gradients(adapted(folder, ours=False, dropout=dropout))
    torch.testing.assert_close(loss, expected)
    assert gradients.keys() == theirs.keys()
    assert any("lora_A" in name for name in gradients)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-3, atol=1e-3)


def test_in_bf16_adapters_and_their_gradients_stay_fp32_and_close_to_the_exact_ones(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path, "llama")
    low = adapted(folder, ours=True, dtype=torch.bfloat16)
    _, gradients = loss_and_gradients(low)
    _, exact = loss_and_gradients(adapted(folder, ours=False))
    found, expected = (
        torch.cat([grads[name].flatten() for name in sorted(grads)]) for grads in (gradients, exact)
    )
    assert found.dtype == torch.float32
    assert torch.cosine_similarity(found, expected, dim=0) > 0.99


def test_what_is_saved_is_an_ordinary_adapter(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model")
    ours = adapted(folder, ours=True)
    ours.save_pretrained(tmp_path / "adapter")
    loaded = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), tmp_path / "adapter")
    assert not any(isinstance(module, LoraLinear) for module in loaded.modules())
    ids = torch.tensor(ROWS[1].input_ids)[None]
    with torch.no_grad():
        torch.testing.assert_close(loaded.eval()(ids).logits, ours.eval()(ids).logits, rtol=1e-4, atol=1e-4)
        with ours.disable_adapter():
            base = AutoModelForCausalLM.from_pretrained(folder)
            torch.testing.assert_close(ours(ids).logits, base(ids).logits, rtol=1e-4, atol=1e-4)
