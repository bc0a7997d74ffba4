"""TRL's mixture of datasets by fraction, then shuffled and selected from.

It does not filter, so it needs a file for each language; and it keeps the first rows of each.
"""

from __future__ import annotations

from time import perf_counter

from common import arguments, finish
from trl import DatasetMixtureConfig, get_dataset
from trl.scripts.utils import DatasetConfig

imported = perf_counter()


def main() -> None:
    path, out, choices = arguments()
    share = choices["each"] / choices["rows"]
    fractions = dict.fromkeys(choices["others"], share)
    fractions[choices["base"]] = 1 - share * len(choices["others"])
    configs = [
        DatasetConfig(path="parquet", data_files=str(path / f"{tag}.parquet"), fraction=fraction)
        for tag, fraction in fractions.items()
    ]
    mixed = get_dataset(DatasetMixtureConfig(datasets=configs))["train"]
    loaded = perf_counter()
    mixed = mixed.shuffle(seed=choices["seed"]).select(range(choices["rows"]))
    selected = perf_counter()
    mixed.to_parquet(str(out))
    marks = {"import": imported, "load": loaded, "select": selected, "write": perf_counter()}
    finish(marks, list(mixed["language"]), ("trl", "datasets", "pyarrow"))


if __name__ == "__main__":
    main()
