"""transformers' Trainer, written with care.

Choices: ``autocast``, ``micro_rows``, ``flat`` (transformers' collator that lays rows end to end, instead of
padding to the longest), ``kept`` (a loss of one's own, with logits at supervised positions only),
``attention``, ``compile``.
"""

from __future__ import annotations

import tempfile
from typing import Any

import torch
from common import finish, load_trainable, rows_in_order, shared_arguments, start
from datasets import Dataset
from transformers import (
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    DataCollatorWithFlattening,
    Trainer,
    TrainingArguments,
)


class KeptTrainer(Trainer):
    """Takes logits where there is something to learn, and nowhere else."""

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs.pop("labels")
        causal = model.get_base_model() if hasattr(model, "get_base_model") else model
        hidden = causal.get_decoder()(**inputs, use_cache=False).last_hidden_state[:, :-1]
        kept = labels[:, 1:] != -100
        logits = causal.get_output_embeddings()(hidden[kept])
        loss = torch.nn.functional.cross_entropy(logits.float(), labels[:, 1:][kept], reduction="sum")
        return loss / num_items_in_batch


def main() -> None:
    work, settings, choices, clock = start()
    dtype = torch.bfloat16 if settings["bf16"] and not settings["full"] else torch.float32
    tokenizer = AutoTokenizer.from_pretrained(settings["model"])
    arguments = TrainingArguments(
        bf16=settings["bf16"] and (settings["full"] or choices.get("autocast", False)),
        optim="adamw_torch_fused",
        train_sampling_strategy="sequential",
        torch_compile=choices.get("compile", False),
        dataloader_pin_memory=torch.cuda.is_available(),
        output_dir=tempfile.mkdtemp(),
        **shared_arguments(settings, choices.get("micro_rows", settings["batch_rows"])),
    )
    flat = choices.get("flat", False)
    trainer = (KeptTrainer if choices.get("kept") else Trainer)(
        model=load_trainable(work, settings, choices.get("attention"), dtype),
        args=arguments,
        train_dataset=Dataset.from_list(rows_in_order(work)),
        data_collator=DataCollatorWithFlattening() if flat else DataCollatorForSeq2Seq(tokenizer),
    )
    trainer.train()
    finish(clock, settings, choices)


if __name__ == "__main__":
    main()
