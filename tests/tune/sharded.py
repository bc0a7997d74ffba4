"""What each of torchrun's processes does in test_sharding: ``python -m tests.tune.sharded FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from torch.distributed.tensor import DTensor

from polypinch.cli.app import app
from polypinch.files import read_table
from polypinch.models.finding import find_model
from polypinch.tune import TuneRecipe, tune
from polypinch.tune.trainer import PinchTrainer


def killed_after(steps: int | None) -> Any:
    undisturbed = PinchTrainer.training_step

    def training_step(self: Any, *args: Any) -> Any:
        assert all(isinstance(weight, DTensor) for weight in self.model.parameters())
        if self.state.global_step == steps:
            raise KeyboardInterrupt
        return undisturbed(self, *args)

    return training_step


def main(folder: Path) -> None:
    rows = read_table(folder / "mixture" / "mixture.parquet")
    undisturbed = PinchTrainer.training_step
    for name, (kind, settings) in json.loads((folder / "cases.json").read_text()).items():
        recipe = TuneRecipe.model_validate(settings)
        for steps in (3, None) if name.endswith("resumed") else (None,):
            PinchTrainer.training_step = killed_after(steps)
            try:
                tune(rows, find_model(str(folder / kind)), recipe, 1, folder / name)
            except KeyboardInterrupt:
                assert list((folder / name).glob("checkpoints/*/complete"))
            finally:
                PinchTrainer.training_step = undisturbed
    command = [
        "tune",
        str(folder / "mixture"),
        "--out",
        str(folder / "cli"),
        "--model",
        str(folder / "llama"),
    ]
    app([*command, "--recipe", str(folder / "recipe.yaml"), "--json"], standalone_mode=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
