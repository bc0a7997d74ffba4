"""Models of many families: what is measured of them is what their own forward pass says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM

from polypinch.chat import ChatFormat, Encoded
from polypinch.errors import PinchError
from polypinch.models import find_model
from polypinch.tune import Base, TuneRecipe, row_losses, try_adapters
from polypinch.tune.forward import Way, way
from tests.tiny import SHARED, tiny_tokenizer

ROWS = [
    Encoded.of([7, 8, 9, 300, 5, 11, 12, 44], [False, False, True, True, True, False, True, True]),
    Encoded.of([21, 22, 23], [False, True, True]),
    Encoded.of(list(range(30, 60)), [False] * 10 + [True] * 20),
]
_GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
_BLOOM = {"hidden_size": 32, "n_layer": 2, "n_head": 4}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "head_dim": 8}
FAMILIES: dict[str, tuple[str | None, dict[str, Any]]] = {
    "llama": ("segments", {}),
    "mistral": ("segments", {"sliding_window": 8}),
    "qwen2": ("segments", {}),
    "qwen3": ("segments", {"head_dim": 8}),
    "qwen3_moe": (None, _EXPERTS),
    "mixtral": (None, {"num_local_experts": 4}),
    "gemma": (None, {"head_dim": 8}),
    "gemma2": ("segments", {"head_dim": 8, "query_pre_attn_scalar": 8, "final_logit_softcapping": 3.0}),
    "gemma3_text": ("segments", {"head_dim": 8, "sliding_window": 8}),
    "olmo2": (None, {}),
    "olmoe": (None, {"num_experts": 4, "num_experts_per_tok": 2}),
    "phi3": (None, {}),
    "starcoder2": (None, {}),
    "gpt_neox": (None, {}),
    "gpt2": (None, _GPT2),
    "bloom": ("padded", _BLOOM),
    "falcon": ("padded", {"num_kv_heads": 2}),
    "mpt": ("padded", {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 64, "expansion_ratio": 2}),
    "xglm": (None, {"d_model": 32, "num_layers": 2, "attention_heads": 4, "ffn_dim": 64}),
    "cohere": (None, {"logit_scale": 0.25}),
    "cohere2": (None, {"logit_scale": 0.25, "sliding_window": 8}),
    "granite": (None, {"logits_scaling": 4.0}),
    "gpt_oss": ("padded", {"num_local_experts": 4, "head_dim": 8, "sliding_window": 8}),
    "stablelm": (None, {}),
    "nemotron": (None, {}),
    "smollm3": (None, {}),
}


def tiny(kind: str) -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **{**SHARED, **FAMILIES[kind][1]}))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.1)
    return model.eval()


@pytest.mark.parametrize("kind", FAMILIES)
def test_losses_are_those_of_the_models_own_forward_pass(kind: str) -> None:
    model = tiny(kind)
    expected = []
    for row in ROWS:
        with torch.no_grad():
            logits = model(torch.from_numpy(row.input_ids)[None].long()).logits[0, :-1].float()
        labels = torch.from_numpy(row.input_ids[1:]).long()
        each = functional.cross_entropy(logits, labels, reduction="none")
        expected.append(float(each[torch.from_numpy(row.supervised[1:])].sum()))
    assert row_losses(model, ROWS, micro_tokens=64) == pytest.approx(expected, rel=1e-4)
    if FAMILIES[kind][0] is not None:
        assert way(model) is Way(FAMILIES[kind][0])


@pytest.mark.parametrize("kind", ["gpt2", "qwen3_moe", "mixtral", "bloom"])
def test_adapters_of_layers_that_are_not_plain_come_back_merged(
    kind: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    tiny(kind).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    model = find_model(str(tmp_path))
    base = Base(model, "fp32")
    before = {name: weight.clone() for name, weight in base.plain().state_dict().items()}
    try_adapters(base, ChatFormat.load(model), TuneRecipe(precision="fp32"))
    after = base.plain().state_dict()
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())
    assert not [one for one in recwarn if "pattern keys" in str(one.message) or "fan_in" in str(one.message)]


def test_adapters_that_do_not_come_back_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny("llama").save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    model = find_model(str(tmp_path))
    monkeypatch.setattr("polypinch.tune.base._merged", lambda *_: iter(()))
    with pytest.raises(PinchError, match="do not come back as they were saved"):
        try_adapters(Base(model, "fp32"), ChatFormat.load(model), TuneRecipe(precision="fp32"))


@pytest.mark.parametrize("kind", ["mamba", "mamba2", "lfm2", "recurrent_gemma", "rwkv"])
def test_recurrent_models_are_refused_when_they_are_loaded(kind: str, tmp_path: Path) -> None:
    own = {
        "lfm2": {"layer_types": ["conv", "full_attention"]},
        "mamba2": {"num_heads": 8, "head_dim": 8, "n_groups": 1},
    }
    settings = {**SHARED, **own.get(kind, {})}
    if kind == "rwkv":
        settings["attention_hidden_size"] = 32
    AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **settings)).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(PinchError, match="carry a state from token to token"):
        Base(find_model(str(tmp_path))).plain()
