"""datasets, as its users mix: load, filter by language, shuffle, interleave with probabilities, select.

``streaming`` reads no more of the pool than the mixture's rows, and so takes the pool's first rows, not a
sample of it. ``pushdown`` hands the language to the Parquet reader instead of filtering what was loaded.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

from common import arguments, finish
from datasets import Dataset, interleave_datasets, load_dataset

imported = perf_counter()


def of_language(path: Path, tag: str, choices: dict[str, Any]) -> Any:
    """Return a language's rows."""
    streaming = choices.get("streaming", False)
    if path.is_dir():
        file = str(path / f"{tag}.parquet")
        return load_dataset("parquet", data_files=file, split="train", streaming=streaming)
    if choices.get("pushdown"):
        only = [("language", "==", tag)]
        return load_dataset("parquet", data_files=str(path), split="train", streaming=streaming, filters=only)
    rows = load_dataset("parquet", data_files=str(path), split="train", streaming=streaming)
    return rows.filter(
        lambda languages: [language == tag for language in languages], batched=True, input_columns="language"
    )


def main() -> None:
    path, out, choices = arguments()
    tags = [choices["base"], *choices["others"]]
    share = choices["each"] / choices["rows"]
    probabilities = [1 - share * len(choices["others"]), *[share] * len(choices["others"])]
    parts = [of_language(path, tag, choices) for tag in tags]
    loaded = perf_counter()
    seed = choices["seed"]
    if choices.get("streaming"):
        mixed = interleave_datasets(parts, probabilities=probabilities, seed=seed).take(choices["rows"])
        mixed = Dataset.from_list(list(mixed))
    else:
        parts = [part.shuffle(seed=seed) for part in parts]
        mixed = interleave_datasets(parts, probabilities=probabilities, seed=seed)
        mixed = mixed.select(range(choices["rows"]))
    selected = perf_counter()
    mixed.to_parquet(str(out))
    marks = {"import": imported, "load": loaded, "select": selected, "write": perf_counter()}
    finish(marks, list(mixed["language"]), ("datasets", "pyarrow"))


if __name__ == "__main__":
    main()
