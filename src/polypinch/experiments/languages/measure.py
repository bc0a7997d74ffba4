"""How many languages at one budget, and two instead of one: Figures 5 and 6 of the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from polypinch.experiments.composition import Condition
from polypinch.experiments.measured import Measured
from polypinch.report import Experiment
from polypinch.stats import Array, Estimate, language_curve, score_arms, seed_half_width

Pair = tuple[Condition, Condition, Condition]
"""Half and half of two languages, and either alone."""


def number_of_languages(measured: Measured, chains: Mapping[int, Sequence[Condition]]) -> Experiment | None:
    """Return the average over languages that no arm was tuned on, by the number that it was tuned on.

    Args:
        measured: the arms' measures.
        chains: by the number of languages, one arm for each ordering.
    """
    counts = list(chains)
    used = frozenset[str]().union(*(one.languages for level in chains.values() for one in level))
    unseen = [index for index, tag in enumerate(measured.axes.languages) if tag not in used]
    arms = list(dict.fromkeys(one.arm for level in chains.values() for one in level))
    if not unseen:
        return None
    points: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    for measure, stacked in measured.measures(arms):
        at = {arm: index for index, arm in enumerate(arms)}
        values = np.stack([[stacked[at[one.arm]] for one in level] for level in chains.values()])
        scored = values[..., unseen]
        found = language_curve(scored)
        # An arm that all orderings share has no spread between them: its own seeds are its chance.
        shared = [
            seed_half_width(scored[index, 0]) if len({one.arm for one in level}) == 1 < len(level) else 0.0
            for index, level in enumerate(chains.values())
        ]
        each = score_arms(stacked, [unseen])
        column = len(measured.axes.languages)
        for count, level, mean, spread, half in zip(
            counts, chains.values(), found.points, found.between, shared, strict=True
        ):
            about = {"languages": count, "ordering": "mean", "arm": "", "tuned_on": "", "between": spread}
            points.append(measured.level(_of_seeds(measured, wider_by(mean, half)), measure, **about))
            for number, one in enumerate(level, start=1):
                told = {"ordering": str(number), "arm": one.arm, "tuned_on": " ".join(sorted(one.counts))}
                alone = each.estimate(at[one.arm], column)
                points.append(measured.level(alone, measure, languages=count, **told, between=None))
        for (before, after), step, (left, right) in zip(
            pairwise(counts), found.steps, pairwise(shared), strict=True
        ):
            wide = _of_seeds(measured, wider_by(step, float(np.hypot(left, right))))
            steps.append(measured.row(wide, measure, languages=after, before=before))
    if not points:
        return None
    facts = {
        "against": measured.against,
        "orderings": len(next(iter(chains.values()))),
        "unseen": [measured.axes.languages[index] for index in unseen],
    }
    tables = {"number_of_languages": points, "number_of_languages_steps": steps}
    return Experiment("languages", measured.model, tables, facts)


def wider_by(one: Estimate, half: float) -> Estimate:
    """Return an estimate whose interval also has a second, independent part of this half-width.

    Distances add as squares (Zou and Donner 2008, *Statistics in Medicine* 27, 1693-1702).
    """
    below, above = np.hypot(one.value - one.low, half), np.hypot(one.high - one.value, half)
    return Estimate(one.value, float(one.value - below), float(one.value + above), one.n_items, one.n_seeds)


def _of_seeds(measured: Measured, one: Estimate) -> Estimate:
    """Return an estimate over orderings, which counts these, with the number of training seeds of each."""
    return replace(one, n_seeds=len(measured.axes.seeds))


def pairs_of_languages(measured: Measured, found: Sequence[Pair]) -> Experiment | None:
    """Return each pair beside its languages alone, over the languages outside of the pair.

    Args:
        measured: the arms' measures.
        found: a pair of languages, and each of the two alone.
    """
    evaluated = measured.axes.languages
    levels: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    everything: dict[str, list[Array]] = {}
    for pair in found:
        outside = [index for index, tag in enumerate(evaluated) if tag not in pair[0].counts]
        if not outside:
            continue
        tags = " ".join(pair[0].counts)
        for measure, values in measured.measures([one.arm for one in pair]):
            column = len(evaluated)
            level = score_arms(values, [outside])
            for index, one in enumerate(pair):
                what = "pair" if index == 0 else next(iter(one.counts))
                about = {"pair": tags, "tuned_on": what, "arm": one.arm}
                levels.append(measured.level(level.estimate(index, column), measure, **about))
            contrast = score_arms(np.stack([values[0] - one for one in values[1:]]), [outside])
            for index, one in enumerate(pair[1:]):
                about = {"pair": tags, "beside": next(iter(one.counts)), "arm": pair[0].arm, "alone": one.arm}
                changes.append(measured.row(contrast.estimate(index, column), measure, **about))
            kept = np.isin(np.arange(column), outside)
            step = np.stack([values[1:].mean(axis=0), values[0]])
            everything.setdefault(measure, []).append(np.where(kept, step, np.nan))
    for measure, parts in everything.items():
        if len(parts) > 1:
            over = _of_seeds(measured, language_curve(np.stack(parts, axis=1)).steps[0])
            about = {"pair": "all", "beside": "mean of both", "arm": "", "alone": ""}
            changes.append(measured.row(over, measure, **about))
    if not changes:
        return None
    facts = {"against": measured.against, "pairs": len(found)}
    return Experiment("pairs", measured.model, {"pairs": levels, "pairs_changes": changes}, facts)
