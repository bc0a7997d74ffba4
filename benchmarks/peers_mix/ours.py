"""polypinch: the same items in every language, nested in dose, checked against the held-out split."""

from __future__ import annotations

from time import perf_counter

from common import arguments, finish

from polypinch.files import write_table
from polypinch.mix import Budget, Dose, MixPlan, make_mixture
from polypinch.pool import Pool

imported = perf_counter()


def main() -> None:
    path, out, choices = arguments()
    doses = tuple(Dose(languages=(tag,), count=choices["each"]) for tag in choices["others"])
    plan = MixPlan(
        pool=str(path),
        base=choices["base"],
        budget=Budget(examples=choices["rows"]),
        doses=doses,
        seed=choices["seed"],
    )
    pool = Pool.from_parquet(path)
    opened = perf_counter()
    mixture = make_mixture(plan, pool)
    selected = perf_counter()
    write_table(out, mixture.table)
    marks = {"import": imported, "open": opened, "select": selected, "write": perf_counter()}
    finish(marks, mixture.table["language"].to_pylist(), ("polypinch", "pyarrow"))


if __name__ == "__main__":
    main()
