"""Tiny random models with a small tokenizer of their own, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
TEXT = [
    "What is the capital of a country? Name three things that float on water.",
    "Kerro lyhyesti, miksi taivas on sininen. Mitä eroa on sateella ja lumella?",
    "Назови три предмета, которые плавают на воде. मुझे तीन फल बताओ। اذكر ثلاثة أشياء 请说出三种水果。",
    "user model assistant system Answer: Question: 0 1 2 3 4 5 6 7 8 9",
]
SHARED = {
    "vocab_size": 600,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 16384,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": 2,
}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "gemma3": (
        "gemma3_text",
        {"head_dim": 8, "sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"]},
    ),
    "gemma2": (
        "gemma2",
        {
            "head_dim": 8,
            "query_pre_attn_scalar": 8,
            "sliding_window": 16,
            "final_logit_softcapping": 5.0,
            "attn_logit_softcapping": 5.0,
        },
    ),
    "llama": ("llama", {}),
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {"head_dim": 8}),
    "mistral": ("mistral", {"sliding_window": 16}),
}


def tiny_tokenizer(turns: bool = True) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer of about 500 tokens; with Gemma's turn tokens unless told not to."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = SPECIAL if turns else SPECIAL[:4]
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        additional_special_tokens=special[4:],
    )


def tiny_model(folder: Path, kind: str = "gemma3", seed: int = 0, turns: bool = True) -> str:
    """Save a tiny random model of a family and its tokenizer; return the folder."""
    model_type, own = KINDS[kind]
    torch.manual_seed(seed)
    config = AutoConfig.for_model(model_type, **{**SHARED, **own})
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
    model.save_pretrained(folder)
    tiny_tokenizer(turns).save_pretrained(folder)
    return str(folder)
