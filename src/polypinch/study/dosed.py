"""The arms that make a ladder of doses: those that differ from the arm without a dose in their dose alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polypinch.study.spec import Study


def ladder(study: Study, baseline: str | None) -> tuple[list[str], list[str]]:
    """Divide dosed arms into those that differ from the baseline in their dose alone, and the rest.

    An arm whose own base is another language, or another model, counts as dosed: it is apart. Three arms or
    more of which no two have doses of the same languages are no ladder: the languages change with the dose.
    """
    arms = [arm for arm in study.arms if not study.is_baseline(arm)]
    base = next((arm for arm in study.arms if arm.name == baseline), None)
    if base is None or not arms:
        return [], []
    same = [
        arm
        for arm in arms
        if arm.base in (None, study.base)
        and arm.model is None
        and arm.control_of is None
        and study.recipe(arm) == study.recipe(base)
        and all(dose.times == 1 for dose in arm.doses)
    ]
    kinds = Counter((arm.placement, arm.items) for arm in same)
    usual = kinds.most_common(1)[0][0] if kinds else None
    alike = [arm for arm in same if (arm.placement, arm.items) == usual]
    tongues = {frozenset(tag for dose in arm.doses for tag in dose.languages) for arm in alike}
    steps = [arm.name for arm in alike] if len(alike) < 3 or len(tongues) < len(alike) else []
    return steps, [arm.name for arm in arms if arm.name not in steps]
