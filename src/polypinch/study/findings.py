"""What a study found, in words: the answer, and what it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

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

    The untuned base has no seeds: each of the other's is compared with it.
    """
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


def answer(
    axes: Axes,
    baseline: ArmResults | None,
    arms: list[Dosed],
    model: str,
    untuned: ArmResults | None = None,
) -> str:
    """Return a study's answer for one base model in one or two sentences, the uncertainty included.

    Where no dose can be told from none, it also says what tuning without a dose does, against the untuned
    base: none may be enough.

    Args:
        axes: the study's axes.
        baseline: the arm without a dose.
        arms: arms that differ from it in their dose alone.
        model: the base model's name.
        untuned: the base model as it is.
    """
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
    others = f"held-out loss over the {len(axes.groups['others'])} other languages"
    sample = f"{len(axes.items)} items, {len(axes.seeds)} seed{'s' if len(axes.seeds) > 1 else ''}"
    found = smallest_that_helps(axes, baseline, doses)
    if found is not None:
        arm, change = found
        smallest = all(arm.dose <= other.dose for other in doses)
        tried = ", the smallest dose tried," if smallest else ""
        return (
            f"{model}: {arm.dose} of {arm.rows} training examples in other languages{tried} measurably"
            f" lower {others}: {_change(change)} against {baseline.arm} ({sample})."
        )
    largest = max(doses, key=lambda arm: arm.dose)
    assert largest.results.loss is not None
    change = contrast(largest.results.loss, baseline.loss, axes.groups["others"])
    where = f"{largest.dose} of {largest.rows} examples in other languages"
    if change.low > 0:
        start = f"{model}: the largest dose, {where}, raises {others} by {_change(change)} ({sample})."
    else:
        start = (
            f"{model}: the data cannot tell the largest dose from none, and so no smaller one: with {where},"
            f" {others} changes by {_change(change)} ({sample})."
        )
    return start + _without_a_dose(axes, baseline, untuned)


def _without_a_dose(axes: Axes, baseline: ArmResults, untuned: ArmResults | None) -> str:
    if untuned is None or untuned.loss is None or baseline.loss is None:
        return ""
    change = contrast(baseline.loss, untuned.loss, axes.groups["others"])
    return f" {baseline.arm.capitalize()} alone changes it by {_change(change)}, against the untuned base."


def _change(change: Estimate) -> str:
    words = f"{change.value:+.3f} bits per byte, 95 % interval {change.low:+.3f} to {change.high:+.3f}"
    return words.replace("-", "−")


def caveats(axes: Axes, answered: int, judge: str | None) -> list[str]:
    """Return what the numbers cannot tell, plainest first.

    Args:
        axes: the study's.
        answered: prompts answered in each language.
        judge: who judged: ``reference``, a language model in words, or ``None`` where nothing was judged.
    """
    found = []
    if len(axes.seeds) < 3:
        found.append(
            f"{len(axes.seeds)} training seed{'s' if len(axes.seeds) > 1 else ''}: intervals show how results"
            " vary with the held-out items, and not, or hardly, how another run would come out. Three seeds"
            " or more tell something of that."
        )
    if answered < 100:
        found.append(
            f"{answered} prompts were answered in each language: fidelity and scores of single languages are"
            " rough; read the averages, and the intervals first."
        )
    if judge == "reference":
        found.append(
            "Scores come from the judge “reference”: fidelity × chrF against one reference response. It is no"
            " LLM judge, and rewards likeness of wording more than help."
        )
    elif judge is not None:
        found.append(
            f"Scores come from a language model as judge: {judge}. Such judges err, in some languages more"
            " than in others; trust it in those in which it was found to agree with people."
        )
    found.append(
        "Held-out loss tells how well an arm predicts good responses; a lower loss is not yet a better"
        " answer."
    )
    return found
