"""How many tunings a search saves against fixed ladders at the same error, and at which power."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.hostile import DOSES, study

# Truths in units of the effect: what there is to find.
TRUTHS = {
    "nothing": (0, 0, 0, 0, 0, 0),
    "from the first dose": (0, 1, 1, 1, 1, 1),
    "from the third": (0, 0, 0, 1, 1, 1),
    "a slow rise": (0, 0.2, 0.4, 0.6, 0.8, 1),
    "small doses harm": (0, -1, -1, 0, 0, 0),
}
# Standard deviations by training seed, item and answer (item x seed), in bits per byte. Measured is that of
# answers: between seeds of one arm the mean of 16 items moves by 0.010, and no part of it is training's. How
# much a dose's effect varies by item is assumed, and what is saved hangs on it: so there are two.
VARIANCES = {
    "items vary by .02": (0.001, 0.02, 0.04),
    "items vary by .03": (0.001, 0.03, 0.04),
    "mostly training": (0.012, 0.01, 0.01),
}


def run(
    *, trials: int = 200, items: int = 64, seeds: int = 3, effect: float = 0.02, seed: int = 1
) -> dict[str, Any]:
    """Simulate searches and fixed ladders on the same studies.

    Args:
        trials: simulated studies of each truth.
        items: held-out items in each.
        seeds: of the fixed ladder, and the most that a search may tune of a dose.
        effect: the size of the effect, which is also the effect of interest.
        seed: of everything drawn.
    """
    generator = np.random.default_rng(seed)
    runs = []
    for kind, (by_seed, by_item, by_answer) in VARIANCES.items():
        for truth, shape in TRUTHS.items():
            means = tuple(effect * each for each in shape)
            drawn: dict[str, Any] = {"seeds": seeds, "items": items, "by_seed": by_seed, "by_item": by_item}
            drawn |= {"by_answer": by_answer, "languages": 1}
            runs.append(
                {"variances": kind, "truth": truth, **measure(generator, means, trials, effect, drawn)}
            )
    return {"benchmark": "adaptive-study", "trials": trials, "items": items, "seeds": seeds, "runs": runs}


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    lines = []
    for one in result["runs"]:
        figure = (
            f"{one['tunings']:.1f} of {one['most']} tunings (at most {one['worst']}),"
            f" {one['saved']:.0%} saved;"
            f" told {one['told']:.3f}, by the ladder {one['told_by_ladder']:.3f};"
            f" too small {one['too_small']:.3f} and {one['too_small_by_ladder']:.3f}"
            f" (± {one['monte_carlo']:.3f})"
        )
        goal = "≥ 55 % saved" if one["truth"] == "nothing" else "≥ 35 % saved"
        goal = "never more" if one["variances"] == "mostly training" else goal
        lines.append(("adaptive-study", f"{one['truth']}, {one['variances']}", figure, goal))
    return lines


def measure(
    generator: np.random.Generator,
    means: tuple[float, ...],
    trials: int,
    worth: float,
    drawn: dict[str, Any],
) -> dict[str, float]:
    """Return tunings, power and error of searches and of fixed ladders on the same studies."""
    from polypinch.stats import dose_ladder, search

    least = min((dose for dose, mean in zip(DOSES, means, strict=True) if mean > 0), default=np.inf)
    tunings = []
    count = dict.fromkeys(("told", "too_small", "told_by_ladder", "too_small_by_ladder"), 0)
    for trial in range(trials):
        values = study(generator, means, **drawn)
        shown = np.full(values.shape, np.nan)
        while True:
            found = search(shown, DOSES, worth, resamples=300, seed=trial)
            if not found.following:
                break
            for one in found.following:
                shown[one.dose, one.seed] = values[one.dose, one.seed]
        tunings.append(int(np.isfinite(shown).any(axis=(2, 3)).sum()))
        ladder = dose_ladder(values, DOSES, resamples=300, seed=trial)
        count["told"] += found.low is not None
        count["too_small"] += found.low is not None and found.low < least
        count["told_by_ladder"] += ladder.low is not None
        count["too_small_by_ladder"] += ladder.low is not None and ladder.low < least
    most = int(np.prod(values.shape[:2]))
    return {
        "tunings": float(np.mean(tunings)),
        "worst": max(tunings),
        "most": most,
        "saved": 1 - float(np.mean(tunings)) / most,
        "monte_carlo": float(np.sqrt(0.025 * 0.975 / trials)),
        **{name: value / trials for name, value in count.items()},
    }
