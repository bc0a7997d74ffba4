"""What a study found about doses, in numbers; :mod:`.words` says it.

Changes are of held-out loss in bits per byte, so the negative is the better one; only what comes from
:mod:`polypinch.stats.dose` has its own sign there, positive for better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polypinch.findings.dose_ladder import Dosed
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
        languages: tags of the languages in it.
        doses: those compared, ascending; the first is none.
        effective: the minimum effective dose, positive for better.
        changes: each dose's change from none; of none it is 0.
        noise: the spread between seeds of one arm; ``None`` with one seed.
        isotonic: the fit that never rises; ``None`` below three doses.
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
    """What a study found about doses for one base model.

    Attributes:
        model: its name.
        arms: arms' names by dose, ascending; the first has none.
        rows: all delivered examples by dose.
        margin: how much worse than the largest dose still counts as good as it, in bits per byte.
        answers: by group, ``others`` first.
        within: the smallest dose within the margin of the largest, over the others; positive for better.
        twice: arms left out because another one has the same dose.
        items: held-out items.
        seeds: training seeds.
    """

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

    def as_dict(self) -> dict[str, Any]:
        """Return it JSON-able: changes of loss negative for better, ``None`` for what is not known."""
        none = min(self.arms)
        return {
            "model": self.model,
            "baseline": self.arms[none],
            "n_items": self.items,
            "n_seeds": self.seeds,
            "doses": [{"dose": dose, "arm": arm, "rows": self.rows[dose]} for dose, arm in self.arms.items()],
            "groups": {
                name: {
                    "languages": list(one.languages),
                    "doses": list(one.doses),
                    "minimum_effective_dose": _smallest(one.effective),
                    "noise": _plain(vars(one.noise)) if one.noise else None,
                    "saturating": _saturation(one.saturating) if one.saturating else None,
                }
                for name, one in self.answers.items()
            },
            "within_margin": {"margin": self.margin, "of": self.largest, **_smallest(self.within)},
        }


def find(axes: Axes, baseline: Dosed | None, arms: list[Dosed], model: str, margin: float) -> Findings | None:
    """Find which doses do something, from held-out loss; ``None`` where there is nothing to tell it by.

    Unseen languages are told by arms that were not trained on any of them: in the others there is no
    transfer to tell.

    Args:
        axes: the study's axes.
        baseline: the arm without a dose.
        arms: arms that differ from it in their dose alone.
        model: the base model's name.
        margin: bits per byte; also the effect that the sample needed is for.
    """
    if baseline is None or baseline.results.loss is None or MAIN not in axes.groups:
        return None
    steps: dict[int, Dosed] = {}
    for arm in sorted(arms, key=lambda arm: arm.dose):
        if arm.dose > 0:
            steps.setdefault(arm.dose, arm)
    if not steps:
        return None
    doses = [baseline, *steps.values()]
    values = stacked([arm.results for arm in doses])
    both = "seen" in axes.groups and "unseen" in axes.groups
    answers = {}
    for group in (MAIN, "seen", "unseen") if both else (MAIN,):
        tags = tuple(axes.languages[index] for index in axes.groups[group])
        kept = [at for at, arm in enumerate(doses) if group != "unseen" or not arm.trained & set(tags)]
        if len(kept) > 1:
            amounts = tuple(doses[at].dose for at in kept)
            answers[group] = _answer(axes, values[kept], amounts, group, tags, margin)
    every = tuple(arm.dose for arm in doses)
    return Findings(
        model,
        {arm.dose: arm.results.arm for arm in doses},
        {arm.dose: arm.rows for arm in doses},
        margin,
        answers,
        smallest_dose_within(margin, values, every, True, axes.groups[MAIN]),
        tuple(arm.results.arm for arm in arms if arm.dose > 0 and steps[arm.dose] is not arm),
        len(axes.items),
        len(axes.seeds),
    )


def _answer(
    axes: Axes, values: Array, doses: tuple[int, ...], group: str, tags: tuple[str, ...], margin: float
) -> Answer:
    own = axes.groups[group]
    changes = contrasts(values, 0, [own])
    noise = noise_floor(values, own)
    difference = values - values[0]
    curves = len(doses) > 2
    return Answer(
        group,
        tags,
        doses,
        minimum_effective_dose(values, doses, True, own, worth=margin),
        tuple(changes.estimate(at, len(axes.languages)) for at in range(len(doses))),
        noise if noise.freedom else None,
        isotonic(difference, doses, True, own) if curves else None,
        saturating(difference, doses, _grid(doses), own) if curves else None,
    )


def _grid(doses: tuple[int, ...]) -> list[float]:
    """Return doses at which to draw a curve, evenly along an axis that is linear up to the first dose."""
    bend = doses[1] / 2
    along = np.linspace(0, np.log1p(doses[-1] / bend), _GRID + 1)
    return sorted({*map(float, doses), *(bend * np.expm1(along[1:-1])).tolist()})


def flipped(change: Estimate) -> Estimate:
    """Return a change with the other sign, as a loss's where better was positive."""
    return Estimate(-change.value, -change.high, -change.low, change.n_items, change.n_seeds)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in values.items()
    }


def _smallest(found: SmallestDose) -> dict[str, Any]:
    return {
        "dose": None if found.dose is None else int(found.dose),
        "change": _change(found.change),
        "steps": [
            {"dose": int(step.dose), **(_change(step.change) or {}), "told": step.told}
            for step in found.steps
        ],
        "needed": _needed(found.needed),
    }


def _change(change: Estimate | None) -> dict[str, Any] | None:
    if change is None:
        return None
    loss = flipped(change)
    return {"value": loss.value, "low": loss.low, "high": loss.high}


def _needed(needed: Needed | None) -> dict[str, Any] | None:
    return None if needed is None else vars(needed)


def _saturation(found: Saturation) -> dict[str, Any]:
    names = ("start", "gain", "half_dose", "half_dose_low", "half_dose_high")
    return _plain({name: getattr(found, name) for name in names})
