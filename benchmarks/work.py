"""The work that all do: rows in their final order as token ids and labels, settings, adapters to start from.

    python -m benchmarks.work FOLDER '{"model": …, "pool": …, …}'

Runs in a process of its own, so that nothing of it counts as anyone's memory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def prepare(
    folder: Path, model: str, pool: str, language: str, steps: int, batch_rows: int, full: bool, seed: int
) -> dict[str, Any]:
    """Write a folder of work.

    ``rows.parquet`` and ``recipe.json`` are for us; ``steps.json`` (what those rows become: ids and labels,
    per optimiser step), ``settings.json`` and ``adapter/`` for everyone. Rows of one step are in order of
    length, which changes no step and lets peers that split it pad less.

    Args:
        folder: where to.
        model: a model's name, as for ``polypinch``.
        pool: a pool's name or file; its training rows in ``language`` are used, repeated in epochs.
        language: of the rows.
        steps: optimiser steps.
        batch_rows: rows in each.
        full: full tuning, not LoRA.
        seed: of the order and of the adapters.

    Returns:
        The settings.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    import torch
    from transformers import set_seed

    from polypinch.chat import ChatFormat
    from polypinch.models.finding import choose_dtype, find_model
    from polypinch.pool import open_pool
    from polypinch.tune import Base, TuneRecipe
    from polypinch.tune.batches import epochs_of_steps
    from polypinch.tune.trainer import encode_rows

    found = find_model(model)
    where = (pc.field("split") == "train") & (pc.field("language") == language)
    rows = open_pool(pool).select(["item_id", "language", "messages"], where)
    if rows.num_rows < batch_rows:
        raise SystemExit(
            f"{pool} has {rows.num_rows} training rows in {language!r}; one step takes {batch_rows}"
        )
    per_epoch = max(n for n in range(1, steps + 1) if steps % n == 0 and n * batch_rows <= rows.num_rows)
    rows = rows.slice(0, per_epoch * batch_rows)
    recipe = TuneRecipe(method="full" if full else "lora", epochs=steps // per_epoch, batch_rows=batch_rows)
    encoded = encode_rows(ChatFormat.load(found, recipe.chat_template), rows, recipe.max_length)
    order = epochs_of_steps(rows["item_id"], batch_rows, recipe.epochs, seed)
    written = [
        [
            {
                "input_ids": encoded[index].input_ids.tolist(),
                "labels": [
                    token if flag else -100
                    for token, flag in zip(
                        encoded[index].input_ids.tolist(), encoded[index].supervised, strict=True
                    )
                ],
            }
            for index in sorted(step, key=lambda index: len(encoded[index]))
        ]
        for step in order
    ]
    settings = {
        "model": found.path,
        "name": model,
        "pool": pool,
        "language": language,
        "full": full,
        "bf16": choose_dtype(recipe.precision) is torch.bfloat16,
        "steps": steps,
        "batch_rows": batch_rows,
        "learning_rate": recipe.peak_learning_rate,
        "schedule": recipe.schedule,
        "warmup_steps": round(recipe.warmup_share * steps),
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "max_length": recipe.max_length,
        "seed": seed,
        "tokens": [sum(len(row["input_ids"]) for row in step) for step in written],
        "supervised": [sum(label != -100 for row in step for label in row["labels"]) for step in written],
    }
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / "rows.parquet")
    (folder / "recipe.json").write_text(recipe.model_dump_json())
    (folder / "steps.json").write_text(json.dumps(written))
    (folder / "settings.json").write_text(json.dumps(settings))
    if not full:
        # As tune() draws them, so that we start from this file's values as well.
        set_seed(seed)
        Base(found, recipe.precision).trainable(recipe).save_pretrained(folder / "adapter")
    return settings


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), **json.loads(sys.argv[2]))
