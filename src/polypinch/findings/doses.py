"""What a study found about doses by one measure, in numbers; :mod:`.sentences` says it.

Changes have the measure's own sign; only what comes from :mod:`polypinch.stats` is positive for better. Each
dose's change from none, in each language and average, has one interval, the ladder's: tables, charts,
sentences and files all take it from :meth:`Findings.changed`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polypinch.findings.dose_ladder import Dosed
from polypinch.measure import LOSS, Measure
from polypinch.results import Together, bounds, stacked
from polypinch.stats import (
    ERROR,
    FEWEST_ITEMS,
    Array,
    Curve,
    DoseEffect,
    Estimate,
    Ladder,
    Needed,
    Noise,
    Saturation,
    SmallestDose,
    dose_ladder,
    isotonic,
    noise_floor,
    saturating,
    smallest_dose_within,
)
from polypinch.study import Axes, Looked

MAIN = "others"
"""The average that the answer is of: all languages but the base."""

_GRID = 40  # intervals of a drawn curve


@dataclass(frozen=True)
class Steps:
    """What doses do in one language, or over an average of languages.

    Attributes:
        languages: tags of the languages in it, those in which every dose was measured.
        doses: those compared, ascending; the first is none.
        ladder: what they do against none, positive for better.
        few: it is one language alone, with so few items that nothing is concluded on it.
    """

    languages: tuple[str, ...]
    doses: tuple[int, ...]
    ladder: Ladder
    few: bool

    @property
    def told(self) -> tuple[int, ...]:
        """Doses that are themselves told to be better than none: marks that may be filled."""
        ladder = self.ladder
        if ladder.low is None:
            return tuple(int(dose) for dose in ladder.isolated)
        return tuple(int(one.dose) for one in ladder.effects if one.better and one.dose >= ladder.low)

    @property
    def smallest(self) -> int | None:
        """The smallest dose that is itself told to be better than none."""
        return min(self.told, default=None)

    def effect(self, dose: int) -> DoseEffect:
        """Return what a dose above none does, positive for better."""
        return next(one for one in self.ladder.effects if one.dose == dose)


@dataclass(frozen=True)
class Answer:
    """What one average over languages tells of the doses.

    Attributes:
        group: ``others``, ``seen`` or ``unseen``.
        steps: what the doses do.
        changes: each dose's change from none, with the measure's sign; of none it is 0.
        noise: how far two trainings' changes from none lie apart; ``None`` with one seed.
        isotonic: the fit that never gets worse; ``None`` below three doses.
        saturating: the Emax fit; ``None`` below three doses.
    """

    group: str
    steps: Steps
    changes: tuple[Estimate, ...]
    noise: Noise | None
    isotonic: Curve | None
    saturating: Saturation | None

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags of the languages in it."""
        return self.steps.languages

    @property
    def doses(self) -> tuple[int, ...]:
        """Doses compared, ascending; the first is none."""
        return self.steps.doses

    @property
    def ladder(self) -> Ladder:
        """What the doses do against none, positive for better."""
        return self.steps.ladder


@dataclass(frozen=True)
class Findings:
    """What a study found about doses for one base model by one measure.

    Attributes:
        measure: which.
        model: its name.
        arms: arms' names by dose, ascending; the first has none.
        rows: all delivered examples by dose.
        margin: how much worse still counts as good, in the measure's unit.
        steps: what doses do, by language and average.
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
    steps: dict[str, Steps]
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

    @property
    def trainings(self) -> int:
        """Trainings of the arm with the fewest: with one, all that is said is of that training."""
        return self.main.ladder.trainings

    def change(self, estimate: Estimate) -> Estimate:
        """Return a change that is positive for better with the measure's own sign."""
        return flipped(estimate) if self.measure.lower_is_better else estimate

    def changed(self, changes: dict[str, dict[str, Together]]) -> dict[str, dict[str, Together]]:
        """Return arms' changes from none with those of this ladder's doses as the ladder has them.

        Args:
            changes: by arm, then by language or average, of any arms; with the measure's sign.
        """
        own = {
            (self.arms[int(effect.dose)], name): self.change(effect.change)
            for name, steps in self.steps.items()
            for effect in steps.ladder.effects
        }
        return {
            arm: {
                name: _with_ends(change, own[arm, name]) if (arm, name) in own else change
                for name, change in by_name.items()
            }
            for arm, by_name in changes.items()
        }

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
                    "languages": list(answer.languages),
                    "doses": list(answer.doses),
                    "effects": self._effects(answer.steps),
                    "noise": _plain(vars(answer.noise)) if answer.noise else None,
                    "saturating": _saturation(answer.saturating) if answer.saturating else None,
                }
                for name, answer in self.answers.items()
            },
            "within_margin": {"margin": self.margin, "of": self.largest, **self._smallest(self.within)},
        }

    def _effects(self, steps: Steps) -> dict[str, Any]:
        ladder = steps.ladder
        return {
            "works": ladder.works,
            "low": None if ladder.low is None else int(ladder.low),
            "high": None if ladder.high is None else int(ladder.high),
            "told": list(steps.told),
            "harms": [int(dose) for dose in ladder.harms],
            "of_one_training": ladder.trainings < 2,
            "by_dose": [
                {"dose": int(one.dose), **self._ends(one.change), "better": one.better, "harms": one.harms}
                for one in ladder.effects
            ],
            "needed": _needed(ladder.needed),
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
    looked: Looked | None = None,
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
        looked: of an adaptive design the last look, which decided by this measure's average over the others:
            what it told is told, and all else at the error that this look could spend.
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
    steps_by_name = {
        name: own
        for name in (*axes.groups, *axes.languages)
        if (own := _steps(axes, name, doses, values, measure, margin, looked)) is not None
    }
    if MAIN not in steps_by_name:
        return None
    both = "seen" in axes.groups and "unseen" in axes.groups
    return Findings(
        measure,
        model,
        {arm.dose: arm.results.arm for arm in doses},
        {arm.dose: arm.rows for arm in doses},
        margin,
        steps_by_name,
        {
            group: _answer(axes, group, steps_by_name[group], doses, values, measure)
            for group in ((MAIN, "seen", "unseen") if both else (MAIN,))
            if group in steps_by_name
        },
        smallest_dose_within(
            margin,
            values,
            [arm.dose for arm in doses],
            measure.lower_is_better,
            _columns(axes, MAIN, values),
            bounds(measure),
        ),
        tuple(arm.results.arm for arm in arms if arm.dose > 0 and steps[arm.dose] is not arm),
        max(one.change.n_items for one in steps_by_name[MAIN].ladder.effects),
        len(axes.seeds),
    )


def _columns(axes: Axes, name: str, values: Array) -> list[int]:
    """Return the positions of a language or average in which every dose was measured."""
    own = axes.groups[name] if name in axes.groups else [axes.languages.index(name)]
    return measured_everywhere(values, own)


def _steps(
    axes: Axes,
    name: str,
    doses: list[Dosed],
    values: Array,
    measure: Measure,
    margin: float,
    looked: Looked | None,
) -> Steps | None:
    unseen = {axes.languages[at] for at in axes.groups.get("unseen", ())}
    # Where arms train on the unseen, there is no transfer to them to tell.
    foreign = "seen" in axes.groups and (name == "unseen" or name in unseen)
    kept = [at for at, arm in enumerate(doses) if not (foreign and arm.trained & unseen)]
    columns = _columns(axes, name, values[kept])
    if len(kept) < 2 or not columns:
        return None
    amounts = tuple(doses[at].dose for at in kept)
    error = ERROR if looked is None else looked.error
    told = dose_ladder(
        values[kept], amounts, measure.lower_is_better, columns, bounds(measure), margin, error
    )
    if looked is not None and name == MAIN:
        told = _decided(told, looked)
    few = len(columns) == 1 and told.effects[-1].change.n_items < FEWEST_ITEMS
    return Steps(
        tuple(axes.languages[at] for at in columns), amounts, _unconcluded(told) if few else told, few
    )


def _decided(ladder: Ladder, looked: Looked) -> Ladder:
    """Return a ladder that tells what a search has decided, at the error of all its looks together."""
    return replace(
        ladder, works=looked.low is not None, low=looked.low, high=looked.high, isolated=looked.isolated
    )


def _unconcluded(ladder: Ladder) -> Ladder:
    effects = tuple(replace(one, better=False, harms=False) for one in ladder.effects)
    return replace(ladder, effects=effects, works=False, low=None, high=None, isolated=())


def _with_ends(change: Together, own: Estimate) -> Together:
    """Return a change with its ladder's numbers; what holds for all languages together holds for it too."""
    joint: tuple[float | None, float | None] = (None, None)
    if change.low_together is not None and change.high_together is not None:
        below, above = change.value - change.low_together, change.high_together - change.value
        joint = (min(own.low, own.value - below), max(own.high, own.value + above))
    return Together(own.value, own.low, own.high, own.n_items, own.n_seeds, *joint)


def measured_everywhere(values: Array, languages: list[int]) -> list[int]:
    """Return those of the languages in which every arm has some value, paired with the first arm's.

    Args:
        values: (arms, seeds, items, languages).
        languages: positions.
    """
    paired = np.isfinite(values - values[0]).any(axis=(1, 2)).all(axis=0)
    return [index for index in languages if paired[index]]


def _answer(
    axes: Axes, group: str, steps: Steps, doses: list[Dosed], values: Array, measure: Measure
) -> Answer:
    lower, amounts = measure.lower_is_better, steps.doses
    own = [axes.languages.index(tag) for tag in steps.languages]
    kept = values[[at for at, arm in enumerate(doses) if arm.dose in amounts]]
    difference = kept - kept[0]
    noise = noise_floor(difference[1:], own)
    curves = len(amounts) > 2
    none = Estimate(0.0, 0.0, 0.0, steps.ladder.effects[0].change.n_items, steps.ladder.trainings)
    effects = [one.change for one in steps.ladder.effects]
    return Answer(
        group,
        steps,
        (none, *(flipped(one) if lower else one for one in effects)),
        noise if noise.freedom else None,
        isotonic(difference, amounts, lower, own) if curves else None,
        saturating(difference, amounts, _grid(amounts), own) if curves else None,
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


def _saturation(fit: Saturation) -> dict[str, Any]:
    names = ("start", "gain", "half_dose", "half_dose_low", "half_dose_high")
    return _plain({name: getattr(fit, name) for name in names})
