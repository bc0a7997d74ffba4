"""LLaMA-Factory's ``sft`` stage, started by its ``run_exp`` on rows that are tokenised and masked already.

Choices: ``micro_rows``, ``checkpointing`` (its default), ``attention``. It pads to a multiple of 8.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from common import finish, rows_in_order, shared_arguments, start
from datasets import Dataset, DatasetDict
from llamafactory.train.tuner import run_exp


def main() -> None:
    work, settings, choices, clock = start()
    nothing = {"images": None, "videos": None, "audios": None}
    rows = [{**row, "attention_mask": [1] * len(row["input_ids"]), **nothing} for row in rows_in_order(work)]
    with tempfile.TemporaryDirectory() as folder:
        tokenized = Path(folder) / "rows"
        DatasetDict({"train": Dataset.from_list(rows)}).save_to_disk(str(tokenized))
        arguments = {
            "stage": "sft",
            "do_train": True,
            "model_name_or_path": settings["model"],
            "finetuning_type": "full" if settings["full"] else "lora",
            "template": "gemma",
            "dataset": "rows",
            "tokenized_path": str(tokenized),
            "cutoff_len": settings["max_length"],
            "disable_shuffling": True,
            "disable_gradient_checkpointing": not choices.get("checkpointing", True),
            "flash_attn": choices.get("attention", "auto"),
            "bf16": settings["bf16"],
            "optim": "adamw_torch_fused",
            "output_dir": str(Path(folder) / "tuned"),
            "dataloader_pin_memory": torch.cuda.is_available(),
            **shared_arguments(settings, choices.get("micro_rows", settings["batch_rows"])),
        }
        if not settings["full"]:
            arguments["adapter_name_or_path"] = str(work / "adapter")
        run_exp(arguments)
    finish(clock, settings, choices)


if __name__ == "__main__":
    main()
