"""A study's tables, row by row, as the report takes them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from polypinch.findings import Findings
from polypinch.judge import ALL, influences
from polypinch.measure import LOSS, MEASURES, Measure
from polypinch.report import (
    ArmChange,
    ArmEstimate,
    ArmFidelity,
    ArmScore,
    CurvePoint,
    DoseTest,
    JudgeShare,
    SeedNoise,
)
from polypinch.results import ArmResults, Together, changes, estimates, scores, shares, stacked
from polypinch.stats import Estimate, Needed, noise_floor
from polypinch.study import Axes


def _alone(one: Estimate) -> tuple[float, float, float, int, int]:
    return one.value, one.low, one.high, one.n_items, one.n_seeds


def _joint(one: Together) -> tuple[float | None, float | None]:
    return one.low_together, one.high_together


def score_rows(shared: Axes, result: ArmResults, against: str) -> list[ArmScore]:
    """Return an arm's scores, 0 to 100, by language and group average."""
    if result.outcome is None or result.flipped is None:
        return []
    flips = shares(shared, result.flipped)
    return [
        ArmScore(
            *(result.model, result.arm, name, *_alone(estimate), *_joint(estimate)),
            against,
            flips[name].value if name in flips else None,
            _counted(shared, result.missing, name),
            _counted(shared, result.not_asked, name),
        )
        for name, estimate in scores(shared, result).items()
        if name != ALL
    ]


def judge_rows(shared: Axes, result: ArmResults, ordered: bool) -> list[JudgeShare]:
    """Return the score and what it hangs on, by language and over all of them, 0 to 100."""
    if result.judged is None:
        return []
    own = scores(shared, result)
    found: dict[tuple[str, str], Estimate] = {
        (name, "score"): own[name] for name in (*shared.languages, ALL) if name in own
    }
    for measure, values in influences(result.judged, ordered).items():
        for name, one in zip((*shared.languages, ALL), (*values.languages, values.overall), strict=True):
            if one.n_items:
                ends = (100 * one.value, 100 * one.low, 100 * one.high)
                found[name, measure] = Estimate(*ends, one.n_items, one.n_seeds)
    return [
        JudgeShare(result.model, result.arm, name, measure, *_alone(one))
        for (name, measure), one in found.items()
    ]


def _counted(shared: Axes, counts: dict[str, int], name: str) -> int:
    where = shared.groups.get(name)
    tags = [name] if where is None else [shared.languages[index] for index in where]
    return sum(counts.get(tag, 0) for tag in tags)


def fidelity_rows(shared: Axes, result: ArmResults) -> list[ArmFidelity]:
    """Return the share of an arm's answers in the language asked for, 0 to 1."""
    lines, words = shares(shared, result.line_pass), shares(shared, result.word_pass)
    return [
        ArmFidelity(
            *(result.model, result.arm, name, *_alone(estimate)),
            lines[name].value if name in lines else None,
            words[name].value if name in words else None,
            None if name in shared.groups else result.abstained.get(name, 0),
            *_bounds(shared, result, name),
        )
        for name, estimate in shares(shared, result.in_language).items()
    ]


def _bounds(shared: Axes, result: ArmResults, name: str) -> Iterable[float | None]:
    """Return the share of abstained answers, and the rate if they were all wrong, and all right."""
    if result.abstains is None:
        return (None, None, None)
    columns = shared.groups.get(name, [shared.languages.index(name)] if name in shared.languages else [])
    told = np.where(np.isfinite(result.in_language), result.in_language, 0.0) * (1 - result.abstains)
    means = [
        [
            float(np.nanmean(values[..., column]))
            for column in columns
            if np.isfinite(values[..., column]).any()
        ]
        for values in (result.abstains, told, told + result.abstains)
    ]
    return [sum(of) / len(of) if of else None for of in means]


def loss_rows(shared: Axes, result: ArmResults) -> list[ArmEstimate]:
    """Return an arm's held-out loss in bits per byte."""
    if result.loss is None:
        return []
    return [
        ArmEstimate(result.model, result.arm, name, *_alone(estimate))
        for name, estimate in estimates(shared, result.loss).items()
    ]


def change_rows(
    shared: Axes,
    baseline: ArmResults,
    arms: list[ArmResults],
    measure: Measure = LOSS,
    findings: Findings | None = None,
) -> list[ArmChange]:
    """Return every other arm's change of a measure from the baseline's, of doses as the ladder has it."""
    plain = changes(shared, baseline, arms, measure)
    by_arm = findings.changed(plain) if findings is not None else plain
    return [
        ArmChange(baseline.model, arm, name, *_alone(change), *_joint(change))
        for arm, by_name in by_arm.items()
        for name, change in by_name.items()
    ]


def noise_rows(shared: Axes, arms: list[ArmResults]) -> list[SeedNoise]:
    """Return the spread between seeds of one arm, pooled over arms, by language and group average.

    In each measure's unit; with one seed there is none. Scores of which adaptive judging left out pairs have
    none either.

    Args:
        shared: the axes.
        arms: tuned ones, of one base model.
    """
    where = {tag: [index] for index, tag in enumerate(shared.languages)} | shared.groups
    rows = []
    for measure in MEASURES:
        values = stacked([arm for arm in arms if arm.values(measure) is not None], measure)
        if values is None:
            continue
        for name, columns in where.items():
            noise = noise_floor(values, columns)
            if noise.freedom:
                rows.append(SeedNoise(arms[0].model, measure.name, name, **vars(noise)))
    return rows


def dose_rows(findings: Findings) -> list[DoseTest]:
    """Return what is told of each dose, the largest first: is it better than none, as good as the largest.

    ``told`` marks a dose that is itself better than none (or within the margin), ``smallest`` the smallest of
    them, ``harms`` a dose that is worse than none.
    """
    rows = []
    for name, answer in findings.answers.items():
        steps = answer.steps
        for effect in reversed(steps.ladder.effects):
            dose, largest = int(effect.dose), effect is steps.ladder.effects[-1]
            rows.append(
                DoseTest(
                    *(findings.model, name, "effective", "none", dose, findings.arms[dose]),
                    *_alone(findings.change(effect.change)),
                    dose in steps.told,
                    dose == steps.smallest,
                    effect.harms,
                    *_needed(steps.ladder.needed if largest else None),
                )
            )
    within = findings.within
    for step in within.steps:
        dose = int(step.dose)
        rows.append(
            DoseTest(
                *(findings.model, findings.main.group, "within margin", "largest", dose, findings.arms[dose]),
                *_alone(findings.change(step.change)),
                step.told,
                step.dose == within.dose,
                False,
                *_needed(within.needed if step is within.steps[-1] else None),
            )
        )
    return rows


def _needed(needed: Needed | None) -> tuple[float | None, int | None, int | None]:
    return (None, None, None) if needed is None else (needed.effect, needed.items, needed.seeds)


def curve_rows(findings: Findings) -> list[CurvePoint]:
    """Return measured changes from no dose, and the curves through them, dose by dose."""
    rows = []
    for name, answer in findings.answers.items():
        if answer.isotonic is None or answer.saturating is None:
            continue
        for dose, change in zip(answer.doses, answer.changes, strict=True):
            ends = (change.value, change.low, change.high)
            rows.append(CurvePoint(findings.model, name, "measured", dose, *ends))
        for kind, curve in (("isotonic", answer.isotonic), ("saturating", answer.saturating.curve)):
            columns = (curve.doses, curve.value, curve.low, curve.high)
            for numbers in zip(*(column.tolist() for column in columns), strict=True):
                rows.append(CurvePoint(findings.model, name, kind, *numbers))
    return rows
