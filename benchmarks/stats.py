"""How the statistics hold in simulations with known truth, and how fast they are at the paper's size."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.tune import machine

# Standard deviations by training seed, item and single answer: what each kind of study is most like.
KINDS = {
    "seeds and items": (0.03, 0.2, 0.1),
    "items alone": (0.0, 0.2, 0.1),
    "mostly seeds": (0.1, 0.1, 0.1),
    "mostly single answers": (0.01, 0.03, 0.3),
}
DOSES = (0.0, 5.0, 10.0, 20.0, 40.0)
SHAPES = {
    "no effect": (0.0, 0.0, 0.0, 0.0, 0.0),
    "a jump at the first dose": (0.0, 1.0, 1.0, 1.0, 1.0),
    "an effect of the two largest": (0.0, 0.0, 0.0, 1.0, 1.0),
    "a slow rise": (0.0, 0.25, 0.5, 0.75, 1.0),
}


def run(
    *,
    trials: int = 1000,
    items: int = 60,
    effect: float = 0.06,
    resamples: int = 10_000,
    seed: int = 1,
) -> dict[str, Any]:
    """Measure speed, coverage, error rates and power.

    Args:
        trials: simulated studies of each kind.
        items: held-out items in each.
        effect: size of the effect whose power is told, as a share of an item's range of 1.
        resamples: of the timed bootstrap.
        seed: of everything drawn.
    """
    generator = np.random.default_rng(seed)
    return {
        "benchmark": "stats",
        "machine": machine(),
        "trials": trials,
        "items": items,
        "effect": effect,
        "seconds": speed(resamples, generator),
        "resamples": resamples,
        "coverage": [
            {"kind": kind, "seeds": seeds, **coverage(trials, seeds, items, KINDS[kind], generator)}
            for kind in KINDS
            for seeds in (1, 2, 3, 5)
            if seeds > 1 or kind == "items alone"
        ],
        "doses": [
            {
                "shape": shape,
                "seeds": seeds,
                **doses(trials, seeds, items, effect * np.array(SHAPES[shape]), generator),
            }
            for shape in SHAPES
            for seeds in (2, 3, 5)
        ],
    }


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    what = f"12 languages × 617 items × 10 arms × 5 seeds × {result['resamples']:,} resamples"
    lines = [("stats", what, f"{result['seconds']:.1f} s", "< 10 s on 2 cores")]
    for one in result["coverage"]:
        figure = (
            f"a language {one['language']:.1%}, the mean {one['mean']:.1%},"
            f" all languages together {one['together']:.1%}"
        )
        lines.append(("stats", f"coverage, {one['seeds']} seeds, {one['kind']}", figure, "93-97 %"))
    for one in result["doses"]:
        figure = (
            f"a dose too small {one['too_small']:.1%}, the smallest {one['right']:.1%},"
            f" any dose {one['any']:.1%}; wrongly near the largest {one['not_within']:.1%}"
        )
        lines.append(("stats", f"doses, {one['seeds']} seeds, {one['shape']}", figure, "errors ≤ 5 %"))
    return lines


def speed(resamples: int, generator: np.random.Generator) -> float:
    """Return the seconds that intervals of all arms, languages and two groups take, single and joint."""
    from polypinch.stats import intervals

    values = generator.random((10, 5, 617, 12))
    started = time.perf_counter()
    intervals(values, [range(1, 6), range(6, 12)], None, resamples)
    return round(time.perf_counter() - started, 2)


def simulated(
    trials: int, seeds: int, items: int, languages: int, spread: tuple[float, float, float],
    generator: np.random.Generator,
) -> Any:  # fmt: skip
    """Return (trials, seeds, items, languages) values with mean 0; half the variance of seeds and of items is
    shared by the languages."""
    by_seed, by_item, by_answer = spread

    def part(size: float, *shape: int) -> Any:
        common = generator.normal(0, size, (trials, *shape, 1))
        return np.sqrt(0.5) * (common + generator.normal(0, size, (trials, *shape, languages)))

    noise = generator.normal(0, by_answer, (trials, seeds, items, languages))
    return part(by_seed, seeds, 1) + part(by_item, 1, items) + noise


def coverage(
    trials: int, seeds: int, items: int, spread: tuple[float, float, float], generator: np.random.Generator
) -> dict[str, float]:
    """Return how often 95 % intervals hold the truth: of one language, of the mean, of all at once."""
    from polypinch.stats import intervals

    languages = 4
    found = intervals(
        simulated(trials, seeds, items, languages, spread, generator), [range(languages)], None, 1000
    )
    hit = (found.low <= 0) & (found.high >= 0)
    joint = (found.low_together <= 0) & (found.high_together >= 0)
    return {
        "language": float(hit[:, :languages].mean()),
        "mean": float(hit[:, languages].mean()),
        "together": float(joint[:, :languages].all(axis=1).mean()),
    }


def doses(
    trials: int, seeds: int, items: int, means: Any, generator: np.random.Generator
) -> dict[str, float]:
    """Return how often the dose named is too small, right, or any, and is within a margin wrongly.

    Doses share items and differ by training, by item (a fifth of an item's difficulty) and by answer.
    """
    from polypinch.stats import dose_ladder, smallest_dose_within

    right = next((dose for dose, mean in zip(DOSES, means, strict=True) if mean > 0), None)
    margin = 0.5 * float(means.max()) or 0.03
    good = min(dose for dose, mean in zip(DOSES, means, strict=True) if means[-1] - mean < margin - 1e-9)
    count = {"too_small": 0, "right": 0, "any": 0, "not_within": 0}
    for trial in range(trials):
        values = simulated(len(DOSES), seeds, items, 3, (0.02, 0.05, 0.1), generator)
        values += simulated(1, 1, items, 3, (0.0, 0.2, 0.0), generator) + means[:, None, None, None]
        found = dose_ladder(values, DOSES, resamples=500, seed=trial).low
        count["too_small"] += found is not None and (right is None or found < right)
        count["right"] += found is not None and found == right
        count["any"] += found is not None
        within = smallest_dose_within(margin, values, DOSES, resamples=500, seed=trial).dose
        count["not_within"] += within is not None and within < good
    return {name: one / trials for name, one in count.items()}
