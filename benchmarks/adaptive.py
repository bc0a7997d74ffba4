"""How many judge calls stopping early saves at the same decision, on people's verdicts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

Outcomes = dict[str, list[float]]


def run(
    *,
    labels: str = "",
    orders: int = 200,
    half_width: float = 0.05,
    error: float = 0.05,
    items: int = 617,
    seed: int = 1,
) -> dict[str, Any]:
    """Judge in many random orders with the monitor, and compare with judging all.

    Args:
        labels: a PandaLM test set (.json) or Auto-J pairs (.jsonl); several separated by commas.
        orders: random orders of each file's items.
        half_width: the interval's half-width at which a comparison stops.
        error: the overall error rate of one file's comparisons.
        items: a study's size, to which each pair of models is also resampled (with replacement).
        seed: of the orders and the resampling.
    """
    if not labels:
        return {
            "benchmark": "adaptive",
            "failed": "name files of people's verdicts: --labels pandalm.json,autoj.jsonl",
        }
    generator = np.random.default_rng(seed)
    settings = {"orders": orders, "half_width": half_width, "error": error, "seed": seed}
    found = []
    for path in labels.split(","):
        for what, outcomes in designs(Path(path), items, generator).items():
            measured = measure(outcomes, orders, half_width, error, generator)
            found.append({"file": Path(path).name, "what": what, **measured})
    return {"benchmark": "adaptive", **settings, "runs": found}


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    if "failed" in result:
        return [("adaptive", "", f"failed: {result['failed']}", "")]
    lines = []
    for one in result["runs"]:
        figure = (
            f"{one['saved']:.1%} of {one['items']:,} saved; same decision {one['same']:.2%};"
            f" runs with any contradiction {one['contradicted']:.2%};"
            f" told from parity {one['told']:.1f} of {one['comparisons']}"
            f" (by judging all {one['told_by_all']})"
        )
        lines.append(
            ("adaptive", f"{one['file']}, {one['what']}", figure, "≥ 50 % saved, ≤ 5 % contradicted")
        )
    return lines


def designs(path: Path, items: int, generator: np.random.Generator) -> dict[str, Outcomes]:
    """Return what is compared with what, each with its items' outcomes (win 1, tie 0.5, loss 0)."""
    if path.suffix == ".jsonl":
        pairs = [json.loads(line) for line in path.read_text().splitlines()]
        return {"first against second answer": {"all": [_score(int(one["label"]), 2) for one in pairs]}}
    by_pair: Outcomes = defaultdict(list)
    by_model: Outcomes = defaultdict(list)
    for one in json.loads(path.read_text()):
        outcome = _score(_majority([int(one[f"annotator{person}"]) for person in (1, 2, 3)]), 0, 1)
        first, second = one["cmp_key"].split("_")
        by_pair[one["cmp_key"]].append(outcome)
        by_model[first].append(outcome)
        by_model[second].append(1 - outcome)
    study = {pair: generator.choice(outcomes, items).tolist() for pair, outcomes in by_pair.items()}
    return {
        f"{len(by_pair)} pairs of models": dict(by_pair),
        f"{len(by_model)} models, each against the rest": dict(by_model),
        f"{len(study)} pairs of models, resampled to {items} items": study,
    }


def _majority(votes: list[int], tie: int = 0) -> int:
    label, count = Counter(votes).most_common(1)[0]
    return label if 2 * count > len(votes) else tie


def _score(label: int, tie: int, first: int = 0) -> float:
    return 0.5 if label == tie else float(label == first)


def measure(
    outcomes: Outcomes, orders: int, half_width: float, error: float, generator: np.random.Generator
) -> dict[str, Any]:
    """Stop each comparison of each order by the monitor's rule.

    Returns:
        ``saved`` calls, as a share; ``same``, the share of comparisons whose decision is that of judging
        everything: the side of parity on which the mean of all items lies, or, where that is within
        ``half_width`` of parity, an interval this narrow that holds it; ``contradicted``, the share of
        orders in which any comparison is put on the wrong side or outside its interval; ``told``, the mean
        number of comparisons told from parity, and ``told_by_all``, how many judging everything tells by the
        usual interval for new items at the same overall error rate.
    """
    from scipy.stats import norm

    from polypinch.stats import Sequences

    names = list(outcomes)
    sizes = np.array([len(outcomes[name]) for name in names])
    means = np.array([np.mean(outcomes[name]) for name in names])
    spreads = np.array([np.std(outcomes[name], ddof=1) for name in names]) / np.sqrt(sizes)
    usual = norm.ppf(1 - error / 2 / len(names))
    side = np.sign(np.round(means - 0.5, 9))
    calls, same, told, contradicted = 0, 0, 0, 0
    for _ in range(orders):
        drawn = [generator.permutation(outcomes[name]) for name in names]
        seen = Sequences(sizes.tolist(), error / len(names))
        active = np.arange(len(names))
        for step in range(sizes.max()):
            active = active[step < sizes[active]]
            if not active.size:
                break
            seen.update(np.array([drawn[index][step] for index in active]), active)
            stopped = seen.above | seen.below | ((seen.high - seen.low) / 2 < half_width)
            active = active[~stopped[active]]
        decided = seen.above.astype(int) - seen.below.astype(int)
        holds = (seen.low - 1e-9 <= means) & (means <= seen.high + 1e-9)
        calls += int(seen.count.sum())
        same += int(((decided == side) | ((decided == 0) & (abs(means - 0.5) <= half_width) & holds)).sum())
        told += int((decided != 0).sum())
        contradicted += bool((~holds | (decided * side < 0)).any())
    return {
        "comparisons": len(names),
        "items": int(sizes.sum()),
        "saved": round(1 - calls / orders / int(sizes.sum()), 4),
        "same": round(same / orders / len(names), 4),
        "contradicted": round(contradicted / orders, 4),
        "told": round(told / orders, 2),
        "told_by_all": int((abs(means - 0.5) > usual * spreads).sum()),
    }
