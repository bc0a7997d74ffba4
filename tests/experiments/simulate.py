"""Finished studies without any model: arrays drawn from a truth that depends on what an arm was tuned on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polypinch.experiments import Costs, measure_experiments
from polypinch.languages.tags import PAPER_LANGUAGES
from polypinch.mix.mixture import quotas
from polypinch.paper import PRESETS, Stock, set_up
from polypinch.paper.setup import PAPER_SLAVIC
from polypinch.results.arms import ArmResults
from polypinch.study import Axes, Study
from polypinch.study.spec import UNTUNED

ROWS = dict.fromkeys((*PAPER_LANGUAGES, *PAPER_SLAVIC), 10_000)
STOCK = Stock("large", ROWS, ROWS)


@dataclass(frozen=True)
class Simulated:
    """A study with its results."""

    study: Study
    axes: Axes
    results: list[ArmResults]
    mixtures: list[dict[str, Any]]
    costs: dict[str, Costs]

    def shown(self, **more: Any) -> dict[str, Any]:
        """Return each experiment's result, by how the names of its figures begin."""
        found = measure_experiments(self.study, self.axes, self.results, self.mixtures, self.costs, **more)
        return {one.experiment.figures.rstrip("-"): one.result for one in found}

    def arm(self, name: str) -> ArmResults:
        return next(one for one in self.results if one.arm == name)


def preset(name: str, size: str = "small", tags: tuple[str, ...] = (), **changes: Any) -> Study:
    """Return one of the paper's experiments as a study."""
    study = PRESETS[name].make(set_up("m", STOCK, size, tags or PAPER_LANGUAGES))
    return Study.model_validate({**study.model_dump(), **changes})


def delivered(study: Study) -> list[dict[str, Any]]:
    """Return what each arm's mixture would hold."""
    lines = []
    for arm in study.arms:
        plan = study.plan(arm, study.seeds[0])
        counts = {tag: round(quota.amount) for tag, quota in quotas(plan).items()}
        taken = sum(counts.values()) if arm.placement == "replace" else 0
        counts = {plan.base: study.budget.amount - taken, **counts}
        lines += [{"arm": arm.name, "language": tag, "examples": count} for tag, count in counts.items()]
    return lines


def simulate(study: Study, items: int = 24, answered: int = 12, seed: int = 0) -> Simulated:
    """Return a finished study: more of a language lowers its loss, and others' a little."""
    rng = np.random.default_rng(seed)
    tags = study.evaluated
    position = {tag: index for index, tag in enumerate(tags)}
    groups = {
        "seen": [position[tag] for tag in study.languages.seen],
        "unseen": [position[tag] for tag in study.languages.unseen],
        "others": list(range(1, len(tags))),
    }
    names = tuple(f"i{index}" for index in range(items))
    axes = Axes(study.seeds, names, tags, {name: where for name, where in groups.items() if where})
    mixtures = delivered(study)
    level = rng.uniform(0.5, 1.4, len(tags)) + rng.normal(0, 0.2, (items, 1))
    results = []
    for name in (UNTUNED, *(arm.name for arm in study.arms)):
        counts = {line["language"]: line["examples"] for line in mixtures if line["arm"] == name}
        seeds = 1 if name == UNTUNED else len(study.seeds)
        effect = np.zeros(len(tags))
        for tag, count in counts.items():
            effect -= 0.01 * np.log1p(count) * rng.uniform(0.7, 1.3)
            if tag in position:
                effect[position[tag]] -= 0.03 * np.log1p(count)
        shape = (seeds, items, len(tags))
        loss = level + effect + rng.normal(0, 0.004, (seeds, 1, 1)) + rng.normal(0, 0.02, shape)
        win = 0.5 - 2 * (effect + 0.05)
        draw = rng.random((len(study.seeds), *shape[1:]))
        outcome = np.where(draw < win - 0.1, 1.0, np.where(draw < win + 0.1, 0.5, 0.0))
        outcome[:, answered:] = np.nan
        nothing = np.full(shape, np.nan)
        compared = None if name == study.comparison.against else outcome
        results.append(ArmResults("m", name, loss, nothing, nothing, nothing, compared, compared, {}, {}))
    tokens = rng.uniform(20, 60, (items, 1)) * rng.uniform(1, 2.5, len(tags))
    costs = {"m": Costs(4 * tokens * level.mean(), tokens)}
    return Simulated(study, axes, results, mixtures, costs)
