"""``llamafactory-cli train llamafactory.yaml``, two steps, and its own rows for it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import yaml
from common import arguments, finish
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer
from llamafactory.train.tuner import run_exp


def _in_float32(model: Path, copy: Path) -> str:
    """Return a copy whose precision is one that every processor computes in: it takes the model's own."""
    copy.mkdir()
    for file in model.iterdir():
        if file.name == "config.json":
            config = {**json.loads(file.read_text()), "dtype": "float32"}
            config.pop("torch_dtype", None)
            (copy / file.name).write_text(json.dumps(config))
        else:
            (copy / file.name).symlink_to(file)
    return str(copy)


def main() -> None:
    _, model = arguments()
    with tempfile.TemporaryDirectory() as folder:
        given = {
            **yaml.safe_load(Path("llamafactory.yaml").read_text()),
            "model_name_or_path": _in_float32(Path(model), Path(folder) / "base"),
            "output_dir": f"{folder}/tuned",
            "cutoff_len": 1024,
            "max_steps": 2,
            "per_device_train_batch_size": 2,
            "report_to": "none",
            "save_strategy": "no",
            "preprocessing_num_workers": 1,
            "bf16": False,
            "use_cpu": True,
            "overwrite_cache": True,
        }
        run_exp(dict(given))
        model_, data, training, _, _ = get_train_args({**given, "output_dir": f"{folder}/rows"})
        module = load_tokenizer(model_)
        template = get_template_and_fix_tokenizer(module["tokenizer"], data)
        told = get_dataset(template, model_, data, training, stage="sft", **module)["train_dataset"]
        finish(((row["input_ids"], row["labels"]) for row in told), steps=2)


if __name__ == "__main__":
    main()
