"""A study's tables, row by row, as the report takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from polypinch.findings import Findings
from polypinch.judge import ALL, influences
from polypinch.measure import LOSS, MEASURES, Measure
from polypinch.results import ArmResults, changes, estimates, scores, shares, stacked
from polypinch.stats import Estimate, Needed, noise_floor
from polypinch.study import Axes

Rows = list[dict[str, Any]]

_ESTIMATE = ("value", "low", "high", "n_items", "n_seeds")


def _alone(estimate: Estimate) -> dict[str, Any]:
    return {name: getattr(estimate, name) for name in _ESTIMATE}


def score_rows(shared: Axes, result: ArmResults, against: str) -> Rows:
    """Return an arm's scores, 0 to 100, by language and group average."""
    if result.outcome is None or result.flipped is None:
        return []
    flips = shares(shared, result.flipped)
    return [
        {
            "model": result.model,
            "arm": result.arm,
            "against": against,
            "language": name,
            **estimate.as_dict(),
            "flip_rate": flips[name].value if name in flips else None,
            "missing": _counted(shared, result.missing, name),
            "not_asked": _counted(shared, result.not_asked, name),
        }
        for name, estimate in scores(shared, result).items()
        if name != ALL
    ]


def judge_rows(shared: Axes, result: ArmResults, ordered: bool) -> Rows:
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
    about = {"model": result.model, "arm": result.arm}
    return [
        {**about, "language": name, "measure": measure, **_alone(one)}
        for (name, measure), one in found.items()
    ]


def _counted(shared: Axes, counts: dict[str, int], name: str) -> int:
    where = shared.groups.get(name)
    tags = [name] if where is None else [shared.languages[index] for index in where]
    return sum(counts.get(tag, 0) for tag in tags)


def fidelity_rows(shared: Axes, result: ArmResults) -> Rows:
    """Return the share of an arm's answers in the language asked for, 0 to 1."""
    lines, words = shares(shared, result.line_pass), shares(shared, result.word_pass)
    return [
        {
            "model": result.model,
            "arm": result.arm,
            "language": name,
            **_alone(estimate),
            "line_pass": lines[name].value if name in lines else None,
            "word_pass": words[name].value if name in words else None,
            "abstained": None if name in shared.groups else result.abstained.get(name, 0),
            **_bounds(shared, result, name),
        }
        for name, estimate in shares(shared, result.in_language).items()
    ]


def _bounds(shared: Axes, result: ArmResults, name: str) -> dict[str, float | None]:
    """Return the share of abstained answers, and the rate if they were all wrong, and all right."""
    if result.abstains is None:
        return {}
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
    share, wrong, right = (sum(of) / len(of) if of else None for of in means)
    return {"abstained_share": share, "if_wrong": wrong, "if_right": right}


def loss_rows(shared: Axes, result: ArmResults) -> Rows:
    """Return an arm's held-out loss in bits per byte."""
    if result.loss is None:
        return []
    return [
        {"model": result.model, "arm": result.arm, "language": name, **_alone(estimate)}
        for name, estimate in estimates(shared, result.loss).items()
    ]


def change_rows(
    shared: Axes,
    baseline: ArmResults,
    arms: list[ArmResults],
    measure: Measure = LOSS,
    findings: Findings | None = None,
) -> Rows:
    """Return every other arm's change of a measure from the baseline's, of doses as the ladder has it."""
    plain = changes(shared, baseline, arms, measure)
    by_arm = findings.changed(plain) if findings is not None else plain
    return [
        {"model": baseline.model, "arm": arm, "language": name, **change.as_dict()}
        for arm, by_name in by_arm.items()
        for name, change in by_name.items()
    ]


def noise_rows(shared: Axes, arms: list[ArmResults]) -> Rows:
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
                about = {"model": arms[0].model, "measure": measure.name, "language": name}
                rows.append({**about, **vars(noise)})
    return rows


def dose_rows(findings: Findings) -> Rows:
    """Return what is told of each dose, the largest first: is it better than none, as good as the largest.

    ``told`` marks a dose that is itself better than none (or within the margin), ``smallest`` the smallest of
    them, ``harms`` a dose that is worse than none.
    """
    rows: Rows = []
    for name, answer in findings.answers.items():
        about = {"model": findings.model, "language": name, "question": "effective", "against": "none"}
        steps = answer.steps
        for effect in reversed(steps.ladder.effects):
            dose, largest = int(effect.dose), effect is steps.ladder.effects[-1]
            rows.append(
                {
                    **about,
                    **_test(findings, dose, effect.change, steps.ladder.needed if largest else None),
                    "told": dose in steps.told,
                    "smallest": dose == steps.smallest,
                    "harms": effect.harms,
                }
            )
    within = findings.within
    about = {"model": findings.model, "language": findings.main.group, "question": "within margin"}
    for step in within.steps:
        needed = within.needed if step is within.steps[-1] else None
        rows.append(
            {
                **about,
                "against": "largest",
                **_test(findings, int(step.dose), step.change, needed),
                "told": step.told,
                "smallest": step.dose == within.dose,
                "harms": False,
            }
        )
    return rows


def _test(findings: Findings, dose: int, better: Estimate, needed: Needed | None) -> dict[str, Any]:
    return {
        "dose": dose,
        "arm": findings.arms[dose],
        **_alone(findings.change(better)),
        "needed_effect": needed.effect if needed else None,
        "needed_items": needed.items if needed else None,
        "needed_seeds": needed.seeds if needed else None,
    }


def curve_rows(findings: Findings) -> Rows:
    """Return measured changes from no dose, and the curves through them, dose by dose."""
    rows: Rows = []
    for name, answer in findings.answers.items():
        if answer.isotonic is None or answer.saturating is None:
            continue
        about = {"model": findings.model, "language": name}
        for dose, change in zip(answer.doses, answer.changes, strict=True):
            ends = {end: getattr(change, end) for end in ("value", "low", "high")}
            rows.append({**about, "curve": "measured", "dose": dose, **ends})
        for kind, curve in (("isotonic", answer.isotonic), ("saturating", answer.saturating.curve)):
            columns = (curve.doses, curve.value, curve.low, curve.high)
            for dose, *numbers in zip(*(column.tolist() for column in columns), strict=True):
                ends = dict(zip(("value", "low", "high"), numbers, strict=True))
                rows.append({**about, "curve": kind, "dose": dose, **ends})
    return rows
