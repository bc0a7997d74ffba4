"""Axolotl's tokenising of ``axolotl.yaml``, by its wheel alone: training with it takes a GPU."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from axolotl.prompt_strategies import load
from axolotl.utils.dict import DictDefault
from common import arguments, finish
from transformers import AutoTokenizer


def main() -> None:
    _, model = arguments()
    settings = yaml.safe_load(Path("axolotl.yaml").read_text())
    config = DictDefault({**settings, "sequence_len": 1024, "train_on_inputs": False})
    strategy = load(
        settings["datasets"][0]["type"],
        AutoTokenizer.from_pretrained(model),
        config,
        DictDefault(settings["datasets"][0]),
    )
    lines = Path("train.jsonl").read_text(encoding="utf-8").splitlines()
    told = (strategy.tokenize_prompt(json.loads(line)) for line in lines)
    finish(((row["input_ids"], row["labels"]) for row in told), steps=0)


if __name__ == "__main__":
    main()
