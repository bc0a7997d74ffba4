"""Studies drawn from hostile truths, and how often what is said of their doses is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

DOSES = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0)
E = 0.02
TRUTHS = {
    "nothing": (0, 0, 0, 0, 0, 0),
    "small doses harm": (0, -E, -E, 0, 0, 0),
    "large doses harm": (0, 0, 0, 0, -E, -E),
    "a jump at 20": (0, 0, 0, E, E, E),
    "a slow rise": (0, E / 5, 2 * E / 5, 3 * E / 5, 4 * E / 5, E),
    "5 to 20 help": (0, E, E, E, 0, 0),
}
SPREADS = ("alike", "none twice", "largest twice")
VALUES = ("normal", "t3", "lognormal", "ties", "missing", "unequal languages", "shared seeds")

DESIGNS = (
    *(
        (truth, "alike", "normal", seeds, items)
        for truth in TRUTHS
        for seeds, items in ((2, 16), (2, 64), (3, 16), (5, 64))
    ),
    *(("nothing", spread, "normal", seeds, 64) for spread in SPREADS[1:] for seeds in (2, 3, 5)),
    *(("small doses harm", "alike", values, *size) for values in VALUES[1:] for size in ((2, 12), (3, 32))),
)


def run(*, trials: int = 100, seed: int = 1) -> dict[str, Any]:
    """Draw studies from every truth and count what is wrongly said of them.

    Args:
        trials: simulated studies of each.
        seed: of everything drawn.
    """
    generator = np.random.default_rng(seed)
    runs = []
    for truth, spread, values, seeds, items in DESIGNS:
        by_seed = 0.005 if spread == "alike" else 0.01
        how = {"seeds": seeds, "items": items, "spread": spread, "values": values, "by_seed": by_seed}
        what = f"{truth}, spread {spread}, {values}, {seeds} seeds, {items} items"
        runs.append({"what": what, **errors(generator, TRUTHS[truth], trials, **how)})
    return {"benchmark": "hostile", "trials": trials, "runs": runs}


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    most = 0.03 + 2 * np.sqrt(0.03 * 0.97 / result["trials"])
    return [
        (
            "hostile",
            one["what"],
            ", ".join(f"{name} {value:.1%}" for name, value in one.items() if name != "what"),
            f"errors ≤ {most:.1%}",
        )
        for one in result["runs"]
    ]


def study(
    generator: np.random.Generator,
    means: tuple[float, ...],
    seeds: int,
    items: int,
    spread: str = "alike",
    values: str = "normal",
    by_seed: float = 0.005,
    by_item: float = 0.03,
    by_answer: float = 0.01,
    languages: int = 3,
) -> Any:
    """Return (doses, seeds, items, languages) of a study with these true means by dose."""
    n = len(means)
    shape = (n, 1, items, languages)
    own = _heavy(generator, values, shape) * by_item
    answers = generator.normal(0, by_answer, (n, seeds, items, languages))
    runs = generator.normal(0, by_seed, (n, seeds, 1, 1))
    if values == "shared seeds":
        runs = runs / 2 + generator.normal(0, by_seed, (1, seeds, 1, 1))
    if spread == "none twice":
        runs[0] *= 2
    if spread == "largest twice":
        runs[-1] *= 2
    if values == "unequal languages":
        own = own * np.geomspace(0.2, 2, languages)
    found = own + answers + runs + np.array(means)[:, None, None, None]
    found += generator.normal(0, 0.2, (1, 1, items, 1))
    if values == "ties":
        found = np.round(found / 0.02) * 0.02
    if values == "missing":
        found[generator.random(found.shape) < 0.1] = np.nan
    return found


def _heavy(generator: np.random.Generator, values: str, shape: tuple[int, ...]) -> Any:
    if values == "t3":
        return generator.standard_t(3, shape) / np.sqrt(3)
    if values == "lognormal":
        return (np.exp(generator.normal(size=shape)) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)
    return generator.normal(size=shape)


def errors(
    generator: np.random.Generator, means: tuple[float, ...], trials: int, **how: Any
) -> dict[str, float]:
    """Return how often each claim is made, and how often it is wrong.

    A dose is wrongly named where ``low`` is below the smallest that helps, ``high`` where that dose does not,
    ``isolated`` likewise; harm where the dose does not harm.
    """
    from polypinch.stats import dose_ladder

    true = dict(zip(DOSES, means, strict=True))
    helps = [dose for dose in DOSES if true[dose] > 0]
    least = min(helps, default=np.inf)
    count = dict.fromkeys(
        ("too small", "wrong dose", "wrong isolated", "wrong harm", "works", "harm", "covered"), 0.0
    )
    for trial in range(trials):
        found = dose_ladder(study(generator, means, **how), DOSES, resamples=300, seed=trial)
        count["too small"] += found.low is not None and found.low < least
        count["wrong dose"] += found.high is not None and true[found.high] <= 0
        count["wrong isolated"] += any(true[dose] <= 0 for dose in found.isolated)
        count["wrong harm"] += any(true[dose] >= 0 for dose in found.harms)
        count["works"] += found.works or bool(found.isolated)
        count["harm"] += bool(found.harms)
        inside = [one.change.low <= true[one.dose] <= one.change.high for one in found.effects]
        count["covered"] += float(np.mean(inside))
    return {name: value / trials for name, value in count.items()}
