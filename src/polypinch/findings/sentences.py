"""What a study found, in words: the answer, what it stands on, and what it cannot tell."""

from __future__ import annotations

import math

from polypinch.findings.dose_ladder import Dosed
from polypinch.findings.doses import MAIN, Answer, Findings, measured_everywhere
from polypinch.measure import LOSS, Measure
from polypinch.results import ArmResults, Axes, stacked
from polypinch.stats import Estimate, Needed, Noise, SmallestDose, contrasts

ERROR = "2.5 of 100"


def answer(
    findings: Findings | None,
    axes: Axes,
    baseline: ArmResults | None,
    arms: list[Dosed],
    model: str,
    measure: Measure = LOSS,
) -> str:
    """Return a study's answer for one base model: the smallest dose that works, and how sure.

    Args:
        findings: what was found, or ``None`` where nothing could be.
        axes: the study's axes.
        baseline: the arm without a dose.
        arms: arms that differ from it in their dose alone.
        model: the base model's name.
        measure: what was looked at, where nothing was findings.
    """
    if findings is None:
        return f"{model}: {_why_not(axes, baseline, arms, measure)}"
    main, by = findings.main, findings.measure
    over = f"{by.title} over the {_others(main)}"
    sample = f"95 % interval {{}}; {findings.items} items, {_seeds(findings.seeds)}"
    smallest = main.effective
    if smallest.dose is not None and smallest.change is not None:
        dose, change = int(smallest.dose), findings.change(smallest.change)
        tried = ", the smallest dose tried" if dose == main.doses[1] else ""
        start = (
            f"{model}: the smallest dose that works is {dose} of {findings.rows[dose]} training examples in"
            f" other languages{tried}."
        )
        if smallest.change.low > 0:
            said = f"It {by.verb(better=True)} {over} by {by.amount(change.value)} {by.unit}"
            span = _span(by, smallest.change)
            return f"{start} {said} ({sample.format(span)}){_sure(main.noise, change)}."
        return (
            f"{start} {_capital(over)} changes by {by.signed(change.value)} {by.unit} with it"
            f" ({sample.format(_signed_span(by, change))}): the trend over the doses up to it tells, not this"
            f" dose alone{_sure(main.noise, change)}."
        )
    largest = main.doses[-1]
    better, change = smallest.steps[0].change, findings.change(smallest.steps[0].change)
    where = f"{largest} of {findings.rows[largest]} training examples in other languages"
    span = sample.format(_signed_span(by, change))
    effect_said = f"{over} by {by.signed(change.value)} {by.unit} ({span})"
    effect_said += _times(main.noise, change)
    if better.high < 0:
        worse = by.verb(better=False)
        return f"{model}: no dose is found to work. The largest, {where}, {worse} {effect_said}."
    alone = "; its own interval leaves out 0, but not when corrected for all that is tested at once"
    return (
        f"{model}: cannot tell. The largest dose, {where}, changes {effect_said}, which cannot be told from"
        f" no dose{alone if better.low > 0 else ''}. So nothing can be said of a smaller one."
    )


def _why_not(axes: Axes, baseline: ArmResults | None, arms: list[Dosed], measure: Measure) -> str:
    if baseline is None or MAIN not in axes.groups or not any(arm.dose > 0 for arm in arms):
        return "no arm with and no arm without other languages stand side by side, so no dose can be told."
    return f"{measure.lacking}; which dose is enough cannot be told from that."


def _sure(noise: Noise | None, change: Estimate) -> str:
    if noise is None:
        return ". With one seed, nobody knows what another training would change"
    said = _times(noise, change)
    return f"{said}: what another training seed alone changes" if said else ""


def _times(noise: Noise | None, change: Estimate) -> str:
    times = abs(noise.multiple(change).value) if noise else math.nan
    return f", {times:.1f} times the noise floor" if math.isfinite(times) else ""


def details(
    findings: Findings | None,
    axes: Axes,
    baseline: ArmResults | None,
    untuned: ArmResults | None,
    several: bool,
) -> list[tuple[str, str]]:
    """Return what the answer stands on: what each line is about, and the line.

    Args:
        findings: what was found.
        axes: the study's axes.
        baseline: the arm without a dose.
        untuned: the base model as it is.
        several: the study has several base models, so each line names its own.
    """
    if findings is None:
        return []
    lines = [
        ("How sure", _how_sure(findings)),
        *(_group(findings, one) for name, one in findings.answers.items() if name != MAIN),
        *_no_transfer(findings, axes),
        ("As good as the largest dose", _within(findings)),
        ("Noise floor", _noise(findings)),
        ("Where it levels off", _level(findings)),
    ]
    if findings.main.effective.dose is None:
        lines.append(("Without a dose", _without_a_dose(findings, axes, baseline, untuned)))
    return [(f"{findings.model}: {about}" if several else about, line) for about, line in lines if line]


def _how_sure(findings: Findings) -> str:
    smallest = findings.main.effective
    rule = (
        "Doses are tested together, from the largest down to the first that cannot be told from none, so that"
        f" a dose too small is named in at most {ERROR} studies like this"
    )
    rule += ", as far as the choice of held-out items goes." if findings.seeds < 2 else "."
    if smallest.dose is not None and smallest.steps[-1].told:
        return rule
    could = _could(findings, smallest)
    if smallest.dose is None:
        return f"{rule} {could}".strip()
    by, last = findings.measure, smallest.steps[-1]
    change = findings.change(last.change)
    said = f"{by.signed(change.value)} {by.unit}, {_signed_span(by, change)}"
    dose = int(last.dose)
    if last.change.high < 0:
        return f"{rule} {dose} examples {by.verb(better=False, plural=True)} {by.short} ({said})."
    return f"{rule} Of {dose} examples it cannot be told ({said}). {could}".strip()


def _group(findings: Findings, one: Answer) -> tuple[str, str]:
    about, by = _called(one.group, len(one.languages)), findings.measure
    aside = [str(dose) for dose in findings.arms if dose not in one.doses]
    but = f" Dose {', '.join(aside)} is left out: it trains on them." if aside else ""
    smallest = one.effective
    if smallest.dose is not None and smallest.change is not None:
        change = findings.change(smallest.change)
        return about, (
            f"The smallest dose that works is {int(smallest.dose)} ({by.signed(change.value)} {by.unit},"
            f" {_signed_span(by, change)}){_times(one.noise, change)}.{but}"
        )
    change, harms = findings.change(smallest.steps[0].change), smallest.steps[0].change.high < 0
    verdict = "No dose is found to work" if harms else "Cannot tell"
    could = "" if harms else f" {_could(findings, smallest)}"
    return about, (
        f"{verdict}: the largest dose, {one.doses[-1]}, changes {by.short} by {by.signed(change.value)}"
        f" {by.unit} ({_signed_span(by, change)}).{could}{but}"
    )


def _no_transfer(findings: Findings, axes: Axes) -> list[tuple[str, str]]:
    if "seen" not in findings.answers or "unseen" in findings.answers:
        return []
    return [(_called("unseen", len(axes.groups["unseen"])), "Not told: every dose trains on them.")]


def _called(group: str, n: int) -> str:
    return f"The {n} {group} languages" if n > 1 else f"The {group} language"


def _within(findings: Findings) -> str:
    smallest, full, by = findings.within, findings.largest, findings.measure
    if len(findings.main.doses) < 3 and smallest.dose is None:
        return ""
    setting = f" ({by.margin_key})" if by.margin_key else ""
    most = (
        f"at most {by.amount(findings.margin)} {by.unit}{setting} worse than {full} of {findings.rows[full]}"
    )
    if smallest.dose is not None and smallest.change is not None:
        change = findings.change(smallest.change)
        dose = f"{int(smallest.dose)} examples are" if smallest.dose else "No dose at all is"
        return f"{dose} {most}: {by.signed(change.value)} against it, {_signed_span(by, change)}."
    first = smallest.steps[0]
    change = findings.change(first.change)
    dose = f"{int(first.dose)} examples differ" if first.dose else "no dose differs"
    seen = f"{dose} from it by {by.signed(change.value)}, {_signed_span(by, change)}"
    if first.change.high < -findings.margin:
        return f"No smaller dose is {most}: {seen}."
    could = _could(findings, smallest, "that, if the doses differ as it looks,")
    return f"Cannot tell: no smaller dose is shown to be {most}. {_capital(seen)}. {could}".strip()


def _noise(findings: Findings) -> str:
    noise, by = findings.main.noise, findings.measure
    if noise is None:
        return (
            "Unknown. With one training seed, nobody knows how far two runs of the same arm lie apart; an"
            " effect here may be luck of training. Three seeds or more tell."
        )
    return (
        f"Another training seed alone changes this average by {by.precise(noise.spread)} {by.unit} (one"
        f" standard deviation, 95 % interval {by.precise(noise.low)} to {by.precise(noise.high)})."
    )


def _level(findings: Findings) -> str:
    main = findings.main
    fit = main.saturating
    if fit is None or main.effective.dose is None or findings.measure.better(fit.gain) <= 0:
        return ""
    low, high = fit.half_dose_low, fit.half_dose_high
    if not 0 < low <= fit.half_dose <= high <= main.doses[-1]:
        return "The doses tried do not show it."
    return (
        f"Half of all that any dose would give comes with about {fit.half_dose:.0f} examples (95 % interval"
        f" {low:.0f} to {high:.0f}), by a saturating curve."
    )


def _without_a_dose(
    findings: Findings, axes: Axes, baseline: ArmResults | None, untuned: ArmResults | None
) -> str:
    """Say what tuning without a dose does: none may be enough."""
    by = findings.measure
    if untuned is None or baseline is None or (values := stacked([untuned, baseline], by)) is None:
        return ""
    columns = measured_everywhere(values, axes.groups[MAIN])
    if not columns:
        return ""
    change = contrasts(values, 0, [columns]).estimate(1, len(axes.languages))
    return (
        f"{_capital(baseline.arm)} alone changes it by {by.signed(change.value)} {by.unit}"
        f" ({_signed_span(by, change)}), against the untuned base."
    )


def _could(findings: Findings, smallest: SmallestDose, what: str = "") -> str:
    """Say which sample could tell ``what``, by default an effect of the size asked for."""
    needed, by = smallest.needed, findings.measure
    items, seeds = findings.items, findings.seeds
    if needed is None:
        return ""
    effect = what or f"an effect of {by.amount(needed.effect)} {by.unit}"
    if seeds < 2:
        if needed.items is None:
            return f"No number of items would tell {effect} with one seed."
        said = (
            f"{_capital(effect)} would have been told"
            if needed.items <= items
            else f"About {needed.items:,} items could tell {effect}"
        )
        return f"{said} four times in five, if training anew changed nothing."
    if needed.items is not None and needed.items <= items:
        return f"{_capital(effect)} would have been told four times in five."
    return f"{_capital(effect)} could be told four times in five with {_samples(needed, items, seeds)}."


def _samples(needed: Needed, items: int, seeds: int) -> str:
    by_seeds = (
        f"{needed.seeds} seeds at the present {items} items"
        if needed.seeds is not None
        else f"no number of seeds up to 1,000 at the present {items} items"
    )
    if needed.items is None:
        return f"{by_seeds} (at {seeds} seeds, no number of items is enough)"
    return f"about {needed.items:,} items at the present {seeds} seeds, or {by_seeds}"


def _others(main: Answer) -> str:
    n = len(main.languages)
    return f"{n} other languages" if n > 1 else "other language"


def _seeds(n: int) -> str:
    return f"{n} training seed{'s' if n > 1 else ''}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _span(by: Measure, better: Estimate) -> str:
    """Say an interval of a change for the better as sizes; its low end may be beyond 0."""
    return f"{by.value(better.low)} to {by.value(better.high)}"


def _signed_span(by: Measure, change: Estimate) -> str:
    return f"{by.signed(change.low)} to {by.signed(change.high)}"


def caveats(axes: Axes, answered: int, judge: str | None, measure: Measure = LOSS) -> list[str]:
    """Return what the numbers cannot tell, plainest first.

    Args:
        axes: the study's.
        answered: prompts answered in each language.
        judge: who judged: ``reference``, a language model in words, or ``None`` where nothing was judged.
        measure: what the answer is of.
    """
    notes = []
    if len(axes.seeds) < 3:
        notes.append(
            f"{_seeds(len(axes.seeds))}: intervals show how results vary with the held-out items, and not, or"
            " hardly, how another run would come out. Three seeds or more tell something of that."
        )
    if answered < 100:
        notes.append(
            f"{answered} prompts were answered in each language: fidelity and scores of single languages are"
            " rough; read the averages, and the intervals first."
        )
    if judge == "reference":
        notes.append(
            "Scores come from the judge “reference”: fidelity × chrF against one reference response. It is no"
            " LLM judge, and rewards likeness of wording more than help."
        )
    elif judge is not None:
        notes.append(
            f"Scores come from a language model as judge: {judge}. Such judges err, in some languages more"
            " than in others; trust it in those in which it was found to agree with people."
        )
    if measure.caveat:
        notes.append(measure.caveat)
    return notes
