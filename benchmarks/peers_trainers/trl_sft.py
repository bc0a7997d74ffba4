"""``trl sft --config trl.yaml``, two steps: its own script, whose trainer is looked into."""

from __future__ import annotations

import tempfile
from typing import Any

import trl
from common import arguments, finish
from trl.scripts import sft

made: list[Any] = []


class Seen(trl.SFTTrainer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        made.append(self)


def main() -> None:
    _, model = arguments()
    trl.SFTTrainer = Seen
    with tempfile.TemporaryDirectory() as folder:
        given = ["--config", "trl.yaml", "--model_name_or_path", model, "--output_dir", folder]
        given += ["--max_steps", "2", "--per_device_train_batch_size", "2", "--report_to", "none"]
        given += ["--max_length", "1024", "--save_strategy", "no", "--use_peft", "--bf16", "false"]
        parser = sft.make_parser()
        sft.main(*parser.parse_args_and_config(given, fail_with_unknown_args=False))
        trainer = made[0]
        batches = (trainer.data_collator([row]) for row in trainer.train_dataset)
        rows = [(batch["input_ids"][0].tolist(), batch["labels"][0].tolist()) for batch in batches]
        finish(rows, steps=trainer.state.global_step, ends=[trainer.processing_class.eos_token])


if __name__ == "__main__":
    main()
