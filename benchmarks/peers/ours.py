"""polypinch, through its public function and with its defaults."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from common import finish, start

from polypinch.models.finding import find_model
from polypinch.tune import TuneRecipe, tune


def main() -> None:
    work, settings, choices, clock = start()
    recipe = TuneRecipe.model_validate_json((work / "recipe.json").read_text())
    recipe = recipe.model_copy(update=choices)
    with tempfile.TemporaryDirectory() as folder:
        tune(
            pq.read_table(work / "rows.parquet"),
            find_model(settings["name"]),
            recipe,
            settings["seed"],
            Path(folder) / "tuned",
        )
    finish(clock, settings, choices)


if __name__ == "__main__":
    main()
