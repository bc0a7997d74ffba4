"""Tiny random translation models, shaped as Marian's and as NLLB's."""

from __future__ import annotations

import json
from pathlib import Path

import sentencepiece
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    NllbTokenizer,
)

TEXT = [
    "Please tell me in a sentence why a bridge matters to people.",
    "Because a bridge brings people together in many small ways.",
    "Der Garten und die Brücke sind für Menschen wichtig, wie man weiß.",
    "0 1 2 3 4 5 6 7 8 9 . , ! ? : ; - abcdefghijklmnopqrstuvwxyz",
]
SIZES = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
}


def tiny_marian(folder: Path, source: str = "en", target: str = "de") -> Path:
    """Save a Marian model of one pair of languages."""
    folder.mkdir(parents=True)
    text = folder / "text"
    text.write_text("\n".join(TEXT * 3), encoding="utf-8")
    for side in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=str(folder / side), vocab_size=70, minloglevel=2
        )
        (folder / f"{side}.model").rename(folder / f"{side}.spm")
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    names = ["</s>", "<unk>", *(pieces.id_to_piece(n) for n in range(3, pieces.get_piece_size())), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({name: n for n, name in enumerate(names)}))
    told = {"source_lang": source, "target_lang": target, "tokenizer_class": "MarianTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**told, "model_max_length": 512}))
    pad = len(names) - 1
    ends = {"eos_token_id": 0, "pad_token_id": pad, "decoder_start_token_id": pad, "forced_eos_token_id": 0}
    torch.manual_seed(0)
    MarianMTModel(MarianConfig(vocab_size=len(names), **SIZES, **ends)).save_pretrained(folder)
    return folder


def tiny_nllb(folder: Path) -> Path:
    """Save a model of many languages with NLLB's tokenizer."""
    bpe = Tokenizer(models.BPE(unk_token="<unk>"))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    bpe.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=120, special_tokens=special))
    whole = json.loads(bpe.to_str())["model"]
    merges = [tuple(merge) for merge in whole["merges"]]
    tokenizer = NllbTokenizer(vocab=whole["vocab"], merges=merges)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = M2M100Config(
        vocab_size=len(tokenizer),
        pad_token_id=1,
        eos_token_id=2,
        bos_token_id=0,
        decoder_start_token_id=2,
        **SIZES,
    )
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return folder
