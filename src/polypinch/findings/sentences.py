"""What a study found, in words: the answer, what it stands on, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

from polypinch.findings.dose_ladder import Dosed
from polypinch.findings.doses import MAIN, Answer, Findings, measured_everywhere
from polypinch.measure import LOSS, Measure
from polypinch.results import ArmResults, bounds, stacked
from polypinch.stats import FEWEST_ITEMS, Estimate, Needed, interval
from polypinch.study import Axes

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
    main = findings.main
    said = _told(findings, main) if main.steps.told or main.ladder.works else _untold(findings, main)
    harm = _harm(findings, main)
    return f"{model}: {said}{f' {harm}' if harm else ''}"


def _told(findings: Findings, main: Answer) -> str:
    by, ladder = findings.measure, main.ladder
    over, smallest = f"{by.title} over the {_others(main)}", main.steps.smallest
    in_other = "training examples in other languages"
    if smallest is None:
        first, change = int(ladder.pooled_from), findings.change(ladder.pooled)
        run = f"doses {first} to {main.doses[-1]}" if first < main.doses[-1] else f"dose {first}"
        does = "changed" if findings.trainings < 2 else "change"
        return (
            f"{run} of {findings.rows[main.doses[-1]]} {in_other}, taken together, {does} {over} by"
            f" {by.signed(change.value)} {by.unit} ({_sample(findings, _signed_span(by, change))}), and no"
            f" dose is told from none by itself{_in_this_one(findings)}."
        )
    change = findings.change(main.steps.effect(smallest).change)
    size = f"{by.amount(change.value)} {by.unit} ({_sample(findings, _size_span(by, change))})"
    rows = findings.rows[smallest]
    if findings.trainings < 2:
        start = f"{smallest} of {rows} {in_other} {by.improved} {over} by {size} in this one training."
        more = " Another training may say otherwise: it takes two seeds or more to tell whether a dose works."
        return f"{start}{more}"
    if ladder.low is None:
        each = _listed(main.steps.told)
        works = "works" if len(main.steps.told) == 1 else "work"
        return (
            f"{each} of {rows} {in_other} {works}, and of the largest dose tried, {main.doses[-1]}, it cannot"
            f" be told. With {smallest}, {over} {by.verb_of_itself} by {size}."
        )
    tried = ", the smallest dose tried" if smallest == main.doses[1] else ""
    low = int(ladder.low)
    if low < smallest:
        return (
            f"the smallest dose that works is between {low} and {smallest} of {rows} {in_other}: some dose up"
            f" to {low} works, and {smallest} does by itself. With {smallest}, {over} {by.verb_of_itself} by"
            f" {size}."
        )
    return (
        f"the smallest dose that works is {smallest} of {rows} {in_other}{tried}. It"
        f" {by.verb(better=True)} {over} by {size}."
    )


def _untold(findings: Findings, main: Answer) -> str:
    by, largest = findings.measure, main.doses[-1]
    over = f"{by.title} over the {_others(main)}"
    better = main.steps.effect(largest).change
    change = findings.change(better)
    where = f"{largest} of {findings.rows[largest]} training examples in other languages"
    effect = f"{over} by {by.signed(change.value)} {by.unit} ({_sample(findings, _signed_span(by, change))})"
    if better.high < 0 and not main.steps.few:
        does = f"{by.worsened}" if findings.trainings < 2 else by.verb(better=False)
        return f"no dose is found to work. The largest, {where}, {does} {effect}{_in_this_one(findings)}."
    if not main.steps.few and all(one.change.high < findings.margin for one in main.ladder.effects):
        least = f"{by.amount(findings.margin)} {by.unit}"
        start = f"no dose {by.improved} {by.title} by as much as matters, {least}"
        changes = "changed" if findings.trainings < 2 else "changes"
        return f"{start}{_in_this_one(findings)}. The largest, {where}, {changes} {effect}."
    if main.steps.few:
        return (
            f"cannot tell. The largest dose, {where}, changes {effect}; on one language alone, nothing is"
            f" concluded from fewer than {FEWEST_ITEMS} items."
        )
    alone = "; its own interval leaves out 0, but not when corrected for all that is tested at once"
    return (
        f"cannot tell. The largest dose, {where}, changes {effect}, which cannot be told from"
        f" no dose{alone if better.low > 0 else ''}. So nothing can be said of a smaller one."
    )


def _harm(findings: Findings, main: Answer) -> str:
    """Say which doses are worse than none; of the largest it is said before where nothing works."""
    largest, works = main.doses[-1], main.steps.told or main.ladder.works
    said = [] if works or main.steps.effect(largest).change.high >= 0 else [largest]
    doses = [int(dose) for dose in main.ladder.harms if dose not in said]
    if not doses:
        return ""
    by = findings.measure
    each = []
    for dose in doses:
        change = findings.change(main.steps.effect(dose).change)
        each.append(f"{dose} ({by.signed(change.value)}, {_signed_span(by, change)})")
    return f"Worse than no dose{_in_this_one(findings)}: {_listed(each)}."


def _in_this_one(findings: Findings) -> str:
    return " in this one training" if findings.trainings < 2 else ""


def _sample(findings: Findings, span: str) -> str:
    return f"95 % interval {span}; {findings.items} items, {_seeds(findings.seeds)}"


def _listed(parts: Sequence[object]) -> str:
    *most, last = map(str, parts)
    return f"{', '.join(most)} and {last}" if most else last


def _why_not(axes: Axes, baseline: ArmResults | None, arms: list[Dosed], measure: Measure) -> str:
    if baseline is None or MAIN not in axes.groups or not any(arm.dose > 0 for arm in arms):
        return "no arm with and no arm without other languages stand side by side, so no dose can be told."
    return f"{measure.lacking}; which dose is enough cannot be told from that."


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
        ("Another training", _noise(findings)),
        ("Where it levels off", _level(findings)),
    ]
    if findings.main.steps.smallest is None:
        lines.append(("Without a dose", _without_a_dose(findings, axes, baseline, untuned)))
    return [(f"{findings.model}: {about}" if several else about, line) for about, line in lines if line]


def _how_sure(findings: Findings) -> str:
    rule = (
        "Each dose is compared with none. Doses are tested together, from the largest down to the first that"
        f" cannot be told, so that something is said to work that does not in at most {ERROR} studies like"
        " this"
    )
    rule += ", as far as the choice of held-out items goes." if findings.trainings < 2 else "."
    could = _could(findings, findings.main.ladder.needed)
    return f"{rule} {could}".strip()


def _group(findings: Findings, group: Answer) -> tuple[str, str]:
    about, by = _called(group.group, len(group.languages)), findings.measure
    aside = [str(dose) for dose in findings.arms if dose not in group.doses]
    but = f" Dose {', '.join(aside)} is left out: it trains on them." if aside else ""
    smallest = group.steps.smallest
    harm = f" {said}" if (said := _harm(findings, group)) else ""
    if smallest is not None:
        change = findings.change(group.steps.effect(smallest).change)
        low = group.ladder.low
        if findings.trainings < 2:
            start = f"{smallest} {by.improved} {by.short} in this one training"
        elif low is not None and low < smallest:
            start = f"The smallest dose that works is between {int(low)} and {smallest}"
        elif low is None:
            start = f"{_listed(group.steps.told)} works, and of the largest dose it cannot be told"
        else:
            start = f"The smallest dose that works is {smallest}"
        return about, f"{start} ({by.signed(change.value)} {by.unit}, {_signed_span(by, change)}).{harm}{but}"
    if group.ladder.works:
        change = findings.change(group.ladder.pooled)
        return about, (
            f"Doses from {int(group.ladder.pooled_from)} on, taken together, change {by.short} by"
            f" {by.signed(change.value)} {by.unit} ({_signed_span(by, change)}); none is told from none by"
            f" itself.{harm}{but}"
        )
    better = group.steps.effect(group.doses[-1]).change
    change, harms = findings.change(better), better.high < 0 and not group.steps.few
    verdict = "No dose is found to work" if harms else "Cannot tell"
    could = "" if harms else f" {_could(findings, group.ladder.needed)}"
    few = f" Nothing is concluded from fewer than {FEWEST_ITEMS} items." if group.steps.few else ""
    return about, (
        f"{verdict}: the largest dose, {group.doses[-1]}, changes {by.short} by {by.signed(change.value)}"
        f" {by.unit} ({_signed_span(by, change)}).{few or could.rstrip()}{harm}{but}"
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
    could = _could(findings, smallest.needed, "that, if the doses differ as it looks,")
    return f"Cannot tell: no smaller dose is shown to be {most}. {_capital(seen)}. {could}".strip()


def _noise(findings: Findings) -> str:
    noise, by = findings.main.noise, findings.measure
    if noise is None:
        return (
            "Unknown. With one training seed, nobody knows how far two runs of the same arm lie apart; an"
            " effect here may be luck of training. Three seeds or more tell."
        )
    own = (
        f", of which {by.precise(noise.training)} is training's own and the rest the chance of single answers"
        if noise.training > 0
        else ", all of it such as the chance of single answers makes"
    )
    return (
        f"From seed to seed, a dose's change over this average differs by {by.precise(noise.spread)}"
        f" {by.unit} (one standard deviation, 95 % interval {by.precise(noise.low)} to"
        f" {by.precise(noise.high)}){own}."
    )


def _level(findings: Findings) -> str:
    main = findings.main
    fit = main.saturating
    if fit is None or main.steps.smallest is None or findings.measure.better(fit.gain) <= 0:
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
    scale = bounds(by)
    change = interval(values[1] - values[0], columns, scale and scale.difference())
    return (
        f"{_capital(baseline.arm)} alone changes it by {by.signed(change.value)} {by.unit}"
        f" ({_signed_span(by, change)}), against the untuned base."
    )


def _could(findings: Findings, needed: Needed | None, what: str = "") -> str:
    """Say which sample could tell ``what``, by default an effect of the size asked for."""
    by = findings.measure
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
    ways = _samples(needed, items, seeds)
    if not ways:
        return f"{_capital(effect)} takes both more items and more seeds."
    return f"{_capital(effect)} could be told four times in five with {ways}."


def _samples(needed: Needed, items: int, seeds: int) -> str:
    ways = []
    if needed.items is not None:
        ways.append(f"about {needed.items:,} items at the present {seeds} seeds")
    if needed.seeds is not None:
        ways.append(f"{needed.seeds} seeds at the present {items} items")
    return ", or ".join(ways)


def _others(main: Answer) -> str:
    n = len(main.languages)
    return f"{n} other languages" if n > 1 else "other language"


def _seeds(n: int) -> str:
    return f"{n} training seed{'s' if n > 1 else ''}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _size_span(by: Measure, change: Estimate) -> str:
    """Say the interval of a change that is told as sizes."""
    low, high = sorted((abs(change.low), abs(change.high)))
    return f"{by.value(low)} to {by.value(high)}"


def _signed_span(by: Measure, change: Estimate) -> str:
    return f"{by.signed(change.low)} to {by.signed(change.high)}"


def caveats(
    axes: Axes, answered: int, judge: str | None, measure: Measure = LOSS, people: bool = False
) -> list[str]:
    """Return what the numbers cannot tell, plainest first.

    Args:
        axes: the study's.
        answered: prompts answered in each language.
        judge: who judged: ``reference``, a language model or people in words, or ``None`` where nothing was.
        measure: what the answer is of.
        people: whether people judged.
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
    elif judge is not None and people:
        notes.append(
            f"Scores come from {judge}. They speak of the items that were rated; polypinch rate"
            " report says how far the raters agree."
        )
    elif judge is not None:
        notes.append(
            f"Scores come from a language model as judge: {judge}. Such judges err, in some languages more"
            " than in others; trust it in those in which it was found to agree with people."
        )
    if measure.caveat:
        notes.append(measure.caveat)
    return notes
