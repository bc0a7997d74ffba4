"""TRL's SFTTrainer on rows that are tokenised and masked already, which it accepts as they are.

Choices: ``fp32`` (weights as TRL loads them by default, under bf16 autocast), ``autocast``, ``checkpointing``
(TRL's default), ``padding_free``, ``attention``, ``micro_rows``, ``compile``, ``fused``, ``liger``.
"""

from __future__ import annotations

import tempfile

import torch
from common import finish, load_trainable, rows_in_order, shared_arguments, start
from datasets import Dataset
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer


def main() -> None:
    work, settings, choices, clock = start()
    low = settings["bf16"] and not settings["full"] and not choices.get("fp32")
    arguments = shared_arguments(settings, choices.get("micro_rows", settings["batch_rows"]))
    arguments["bf16"] = settings["bf16"] and choices.get("autocast", True)
    arguments["gradient_checkpointing"] = choices.get("checkpointing", True)
    arguments["padding_free"] = choices.get("padding_free", False)
    # Rows are cut already; without packing, TRL refuses a length together with padding_free.
    arguments["max_length"] = None if choices.get("padding_free") else settings["max_length"]
    arguments["torch_compile"] = choices.get("compile", False)
    arguments["use_liger_kernel"] = choices.get("liger", False)
    if choices.get("fused"):
        arguments["optim"] = "adamw_torch_fused"
    dtype = torch.bfloat16 if low else torch.float32
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=load_trainable(work, settings, choices.get("attention"), dtype),
            args=SFTConfig(output_dir=folder, train_sampling_strategy="sequential", **arguments),
            train_dataset=Dataset.from_list(rows_in_order(work)),
            processing_class=AutoTokenizer.from_pretrained(settings["model"]),
        )
        trainer.train()
    finish(clock, settings, choices)


if __name__ == "__main__":
    main()
