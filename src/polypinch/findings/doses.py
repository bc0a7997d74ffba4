"""What a study found about doses by one measure, in numbers; :mod:`.sentences` says it.

Changes have the measure's own sign; only what comes from :mod:`polypinch.stats.dose` is positive for better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polypinch.findings.dose_ladder import Dosed
from polypinch.measure import LOSS, Measure
from polypinch.results import Axes, stacked
from polypinch.stats import (
    Array,
    Curve,
    Estimate,
    Needed,
    Noise,
    Saturation,
    SmallestDose,
    contrasts,
    isotonic,
    minimum_effective_dose,
    noise_floor,
    saturating,
    smallest_dose_within,
)

MAIN = "others"
"""The average that the answer is of: all languages but the base."""

_GRID = 40  # intervals of a drawn curve


@dataclass(frozen=True)
class Answer:
    """What one average over languages tells of the doses.

    Attributes:
        group: ``others``, ``seen`` or ``unseen``.
        languages: tags of the languages in it, those in which every dose was measured.
        doses: those compared, ascending; the first is none.
        effective: the minimum effective dose, positive for better.
        changes: each dose's change from none, with the measure's sign; of none it is 0.
        noise: the spread between seeds of one arm; ``None`` with one seed.
        isotonic: the fit that never gets worse; ``None`` below three doses.
        saturating: the Emax fit; ``None`` below three doses.
    """

    group: str
    languages: tuple[str, ...]
    doses: tuple[int, ...]
    effective: SmallestDose
    changes: tuple[Estimate, ...]
    noise: Noise | None
    isotonic: Curve | None
    saturating: Saturation | None


@dataclass(frozen=True)
class Findings:
    """What a study found about doses for one base model by one measure.

    Attributes:
        measure: which.
        model: its name.
        arms: arms' names by dose, ascending; the first has none.
        rows: all delivered examples by dose.
        margin: how much worse than the largest dose still counts as good as it, in the measure's unit.
        answers: by group, ``others`` first.
        within: the smallest dose within the margin of the largest, over the others; positive for better.
        twice: arms left out because another one has the same dose.
        items: held-out items with a value.
        seeds: training seeds.
    """

    measure: Measure
    model: str
    arms: dict[int, str]
    rows: dict[int, int]
    margin: float
    answers: dict[str, Answer]
    within: SmallestDose
    twice: tuple[str, ...]
    items: int
    seeds: int

    @property
    def main(self) -> Answer:
        """The answer over all languages but the base."""
        return self.answers[MAIN]

    @property
    def largest(self) -> int:
        """The largest dose: full mixing."""
        return max(self.arms)

    def change(self, estimate: Estimate) -> Estimate:
        """Return a change that is positive for better with the measure's own sign."""
        return flipped(estimate) if self.measure.lower_is_better else estimate

    def as_dict(self) -> dict[str, Any]:
        """Return it JSON-able: changes with the measure's sign, ``None`` for what is not known."""
        none = min(self.arms)
        return {
            "title": self.measure.title,
            "unit": self.measure.unit,
            "lower_is_better": self.measure.lower_is_better,
            "baseline": self.arms[none],
            "n_items": self.items,
            "n_seeds": self.seeds,
            "doses": [{"dose": dose, "arm": arm, "rows": self.rows[dose]} for dose, arm in self.arms.items()],
            "groups": {
                name: {
                    "languages": list(one.languages),
                    "doses": list(one.doses),
                    "minimum_effective_dose": self._smallest(one.effective),
                    "noise": _plain(vars(one.noise)) if one.noise else None,
                    "saturating": _saturation(one.saturating) if one.saturating else None,
                }
                for name, one in self.answers.items()
            },
            "within_margin": {"margin": self.margin, "of": self.largest, **self._smallest(self.within)},
        }

    def _smallest(self, smallest: SmallestDose) -> dict[str, Any]:
        return {
            "dose": None if smallest.dose is None else int(smallest.dose),
            "change": None if smallest.change is None else self._ends(smallest.change),
            "steps": [
                {"dose": int(step.dose), **self._ends(step.change), "told": step.told}
                for step in smallest.steps
            ],
            "needed": _needed(smallest.needed),
        }

    def _ends(self, estimate: Estimate) -> dict[str, float]:
        change = self.change(estimate)
        return {"value": change.value, "low": change.low, "high": change.high}


def find(
    axes: Axes,
    baseline: Dosed | None,
    arms: list[Dosed],
    model: str,
    margin: float | None = None,
    measure: Measure = LOSS,
) -> Findings | None:
    """Find which doses do something by a measure; ``None`` where there is nothing to tell it by.

    Unseen languages are told by arms that were not trained on any of them: in the others there is no
    transfer to tell.

    Args:
        axes: the study's axes.
        baseline: the arm without a dose.
        arms: arms that differ from it in their dose alone.
        model: the base model's name.
        margin: in the measure's unit, its own by default; also the effect that the sample needed is for.
        measure: which; a language in which a dose has no value at all is no part of the averages.
    """
    if baseline is None or MAIN not in axes.groups:
        return None
    margin = measure.margin if margin is None else margin
    steps: dict[int, Dosed] = {}
    for arm in sorted(arms, key=lambda arm: arm.dose):
        if arm.dose > 0:
            steps.setdefault(arm.dose, arm)
    if not steps:
        return None
    doses = [baseline, *steps.values()]
    values = stacked([arm.results for arm in doses], measure)
    if values is None:
        return None
    both = "seen" in axes.groups and "unseen" in axes.groups
    answers = {}
    for group in (MAIN, "seen", "unseen") if both else (MAIN,):
        tags = {axes.languages[index] for index in axes.groups[group]}
        kept = [at for at, arm in enumerate(doses) if group != "unseen" or not arm.trained & tags]
        columns = measured_everywhere(values[kept], axes.groups[group])
        if len(kept) > 1 and columns:
            amounts = tuple(doses[at].dose for at in kept)
            answers[group] = _answer(axes, values[kept], amounts, (group, columns), margin, measure)
    if MAIN not in answers:
        return None
    every = tuple(arm.dose for arm in doses)
    columns = measured_everywhere(values, axes.groups[MAIN])
    return Findings(
        measure,
        model,
        {arm.dose: arm.results.arm for arm in doses},
        {arm.dose: arm.rows for arm in doses},
        margin,
        answers,
        smallest_dose_within(margin, values, every, measure.lower_is_better, columns),
        tuple(arm.results.arm for arm in arms if arm.dose > 0 and steps[arm.dose] is not arm),
        max(change.n_items for change in answers[MAIN].changes),
        len(axes.seeds),
    )


def measured_everywhere(values: Array, languages: list[int]) -> list[int]:
    """Return those of the languages in which every arm has some value, paired with the first arm's.

    Args:
        values: (arms, seeds, items, languages).
        languages: positions.
    """
    paired = np.isfinite(values - values[0]).any(axis=(1, 2)).all(axis=0)
    return [index for index in languages if paired[index]]


def _answer(
    axes: Axes,
    values: Array,
    doses: tuple[int, ...],
    languages: tuple[str, list[int]],
    margin: float,
    measure: Measure,
) -> Answer:
    group, own = languages
    lower = measure.lower_is_better
    changes = contrasts(values, 0, [own])
    noise = noise_floor(values, own)
    difference = values - values[0]
    curves = len(doses) > 2
    return Answer(
        group,
        tuple(axes.languages[index] for index in own),
        doses,
        minimum_effective_dose(values, doses, lower, own, worth=margin),
        tuple(changes.estimate(at, len(axes.languages)) for at in range(len(doses))),
        noise if noise.freedom else None,
        isotonic(difference, doses, lower, own) if curves else None,
        saturating(difference, doses, _grid(doses), own) if curves else None,
    )


def _grid(doses: tuple[int, ...]) -> list[float]:
    """Return doses at which to draw a curve, evenly along an axis that is linear up to the first dose."""
    bend = doses[1] / 2
    along = np.linspace(0, np.log1p(doses[-1] / bend), _GRID + 1)
    return sorted({*map(float, doses), *(bend * np.expm1(along[1:-1])).tolist()})


def flipped(change: Estimate) -> Estimate:
    """Return a change with the other sign."""
    return Estimate(-change.value, -change.high, -change.low, change.n_items, change.n_seeds)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in values.items()
    }


def _needed(needed: Needed | None) -> dict[str, Any] | None:
    return None if needed is None else vars(needed)


def _saturation(found: Saturation) -> dict[str, Any]:
    names = ("start", "gain", "half_dose", "half_dose_low", "half_dose_high")
    return _plain({name: getattr(found, name) for name in names})
