"""In which languages an arm differs, in words: all languages of an arm taken together."""

from __future__ import annotations

from collections.abc import Sequence

from polypinch.measure import Measure
from polypinch.report.data import UNTUNED, ReportData
from polypinch.report.estimates import ArmChange
from polypinch.report.points import joint_interval


def differences(data: ReportData, rows: Sequence[ArmChange], model: str, measure: Measure) -> list[str]:
    """Say in a sentence for each arm in which languages it differs from no difference, and how.

    A language counts where its simultaneous interval leaves out the measure's neutral value, or 0
    where that is of a change; an arm without such intervals is
    left out.
    """
    names = {one.tag: one.name for one in data.languages}
    neutral = measure.neutral or 0.0
    lines = []
    for arm in data.arms:
        better: list[str] = []
        worse: list[str] = []
        n = 0
        for row in rows:
            joint = joint_interval(row)
            if joint is None or (row.model, row.arm) != (model, arm.name) or row.language not in names:
                continue
            low, high = joint
            n += 1
            below, above = high < neutral, low > neutral
            if below or above:
                (better if below == measure.lower_is_better else worse).append(names[row.language])
        if n:
            name = "The untuned base" if arm.name == UNTUNED else arm.name
            lines.append(_line(name, better, worse, n))
    return lines


def _line(arm: str, better: list[str], worse: list[str], n: int) -> str:
    sides = [(word, found) for word, found in (("better", better), ("worse", worse)) if found]
    told = len(better) + len(worse)
    if not told:
        return f"{arm}: cannot tell a difference in any of {n} languages."
    said = "; ".join(f"{word} in {'all' if len(found) == n else ', '.join(found)}" for word, found in sides)
    rest = "" if told == n else " In the rest, cannot tell."
    return f"{arm} differs in {told} of {n} languages: {said}.{rest}"
