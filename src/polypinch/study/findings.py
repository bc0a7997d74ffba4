"""What a study found, in words: the answer, and what it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polypinch.stats import Array, Estimate, mean_interval
from polypinch.study.results import ArmResults, Axes


@dataclass(frozen=True)
class Dosed:
    """An arm by its dose.

    Attributes:
        results: its measurements.
        dose: delivered examples that are not in the base language.
        rows: all delivered examples.
    """

    results: ArmResults
    dose: int
    rows: int


def contrast(ours: Array, theirs: Array, languages: list[int]) -> Estimate:
    """Estimate the mean difference of two arms, paired by item, language and seed.

    Arms with different numbers of seeds are paired by their means over seeds.
    """
    if ours.shape[0] != theirs.shape[0]:
        ours = np.nanmean(ours, axis=0, keepdims=True)
        theirs = np.nanmean(theirs, axis=0, keepdims=True)
    return mean_interval(ours - theirs, languages)


def smallest_that_helps(axes: Axes, baseline: ArmResults, arms: list[Dosed]) -> tuple[Dosed, Estimate] | None:
    """Return the smallest dose whose held-out loss in the other languages is below the baseline's.

    A fixed sequence from the largest dose down, stopping at the first whose interval holds zero: that
    keeps the family-wise error without shrinking each test (Westfall and Krishen 2001).
    """
    found = None
    for arm in sorted(arms, key=lambda arm: -arm.dose):
        if arm.results.loss is None or baseline.loss is None:
            return None
        change = contrast(arm.results.loss, baseline.loss, axes.groups["others"])
        if not change.high < 0:
            break
        found = (arm, change)
    return found


def answer(axes: Axes, baseline: ArmResults | None, arms: list[Dosed], model: str) -> str:
    """Return a study's answer for one base model in one sentence, its uncertainty included."""
    doses = [arm for arm in arms if arm.dose > 0]
    if baseline is None or not doses or "others" not in axes.groups:
        return (
            f"{model}: no arm with and no arm without other languages stand side by side, so no dose can"
            " be told."
        )
    if baseline.loss is None:
        return (
            f"{model}: the held-out items have no reference responses, so only the language of the answers"
            " was measured; which dose is enough cannot be told from that."
        )
    n_others = len(axes.groups["others"])
    sample = f"{len(axes.items)} items, {len(axes.seeds)} seed{'s' if len(axes.seeds) > 1 else ''}"
    found = smallest_that_helps(axes, baseline, doses)
    if found is None:
        largest = max(doses, key=lambda arm: arm.dose)
        assert largest.results.loss is not None
        change = contrast(largest.results.loss, baseline.loss, axes.groups["others"])
        return (
            f"{model}: the data cannot tell any dose from none: with {largest.dose} of {largest.rows}"
            f" examples in other languages, held-out loss over the {n_others} other languages changes by"
            f" {_change(change)} ({sample})."
        )
    arm, change = found
    below = [other for other in doses if other.dose < arm.dose]
    smallest = "" if below else ", the smallest dose tried,"
    return (
        f"{model}: {arm.dose} of {arm.rows} training examples in other languages{smallest} are enough to"
        f" lower held-out loss over the {n_others} other languages: {_change(change)} against"
        f" {baseline.arm} ({sample})."
    )


def _change(change: Estimate) -> str:
    return f"{change.value:+.3f} bits per byte, 95 % interval {change.low:+.3f} to {change.high:+.3f}"


def caveats(axes: Axes, answered: int, judged: bool) -> list[str]:
    """Return what the numbers cannot tell, plainest first."""
    found = []
    if len(axes.seeds) < 3:
        found.append(
            f"{len(axes.seeds)} training seed{'s' if len(axes.seeds) > 1 else ''}: intervals show how results"
            " vary with the held-out items, and hardly how another run would come out. Three seeds or more"
            " tell that."
        )
    if answered < 100:
        found.append(
            f"{answered} prompts were answered in each language: fidelity and scores of single languages are"
            " rough; read the averages, and the intervals first."
        )
    if judged:
        found.append(
            "Scores come from the judge “reference”: fidelity × chrF against one reference response. It is no"
            " LLM judge, and rewards likeness of wording more than help."
        )
    found.append(
        "Held-out loss tells how well an arm predicts good responses; a lower loss is not yet a better"
        " answer."
    )
    return found
