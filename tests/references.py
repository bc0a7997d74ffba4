"""Results that must not change: small runs whose outcome is stored beside them.

``python -m tests.references`` writes them anew, which is right only where a result is meant to change.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from polypinch.answer import Sampling, TransformersEngine, answer
from polypinch.chat import ChatFormat
from polypinch.mix import Budget, Dose, MixPlan, make_mixture
from polypinch.models.finding import find_model
from polypinch.pool import open_pool
from polypinch.tune import TuneRecipe, heldout_loss, load_tuned, tune
from tests.tiny import tiny_model

STORED = Path(__file__).parent / "references.json"
RECIPE: dict[str, Any] = {"precision": "fp32", "batch_rows": 8, "epochs": 1, "rank": 4}
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "gemma3-lora": ("gemma3", {"learning_rate": 5e-3}),
    "llama-lora": ("llama", {"learning_rate": 5e-3}),
    "gemma3-full": ("gemma3", {"learning_rate": 1e-3, "method": "full"}),
}
PLANS: dict[str, dict[str, Any]] = {
    "replace": {"doses": (Dose(languages=("es", "fi", "hi", "ru"), count=13),)},
    "add": {"doses": (Dose(languages=("sw",), share=0.05),), "placement": "add"},
    "disjoint": {"doses": (Dose(languages=("he", "zh"), count_each=6),), "items": "disjoint"},
}


def measure() -> dict[str, Any]:
    """Run everything, in seconds."""
    pool = open_pool("pinch12@1")
    columns = ["item_id", "language", "messages"]
    train = pool.select(columns, pc.field("split") == "train").slice(0, 120)
    held = pool.select(columns, pc.field("split") == "heldout").slice(0, 18)
    found: dict[str, Any] = {"mixtures": {}}
    for name, settings in PLANS.items():
        plan = MixPlan(pool="pinch12@1", budget=Budget(examples=60), seed=3, **settings)
        table = make_mixture(plan, pool).table
        found["mixtures"][name] = [
            f"{item}/{tag}"
            for item, tag in zip(table["item_id"].to_pylist(), table["language"].to_pylist(), strict=True)
        ]
    for name, (kind, changes) in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            model = find_model(tiny_model(Path(folder) / "model", kind))
            chat = ChatFormat.load(model)
            tune(train, model, TuneRecipe(**{**RECIPE, **changes}), 1, Path(folder) / "tuned")
            log = (Path(folder) / "tuned" / "log.jsonl").read_text().splitlines()
            tuned = load_tuned(model, Path(folder) / "tuned", "fp32")
            bits = heldout_loss(tuned, chat, held, label=None)["bits_per_byte"].to_pylist()
            (Path(folder) / "answers").mkdir()
            sampling = Sampling(max_new_tokens=12, precision="fp32")
            engine = TransformersEngine(tuned, chat)
            texts = answer(held, engine, chat, sampling, Path(folder) / "answers")["text"].to_pylist()
            found[name] = {
                "losses": [round(line["loss"], 5) for line in map(json.loads, log) if "loss" in line],
                "bits_per_byte": [round(value, 5) for value in bits],
                "answers": texts,
            }
    return found


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else STORED
    target.write_text(json.dumps(measure(), ensure_ascii=False, indent=1) + "\n")
