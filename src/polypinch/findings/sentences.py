"""What a study found, in words: the answer, what it stands on, and what it cannot tell."""

from __future__ import annotations

import math

from polypinch.findings.dose_ladder import Dosed
from polypinch.findings.doses import MAIN, Answer, Findings, flipped
from polypinch.results import ArmResults, Axes, stacked
from polypinch.stats import Estimate, Needed, Noise, SmallestDose, contrasts

ERROR = "2.5 of 100"


def answer(
    found: Findings | None, axes: Axes, baseline: ArmResults | None, arms: list[Dosed], model: str
) -> str:
    """Return a study's answer for one base model: the smallest dose that works, and how sure.

    Args:
        found: what was found, or ``None`` where nothing could be.
        axes: the study's axes.
        baseline: the arm without a dose.
        arms: arms that differ from it in their dose alone.
        model: the base model's name.
    """
    if found is None:
        return f"{model}: {_why_not(axes, baseline, arms)}"
    main = found.main
    over = f"held-out loss over the {_others(main)}"
    sample = f"95 % interval {{}}; {found.items} items, {_seeds(found.seeds)}"
    smallest = main.effective
    if smallest.dose is not None and smallest.change is not None:
        dose, change = int(smallest.dose), flipped(smallest.change)
        tried = ", the smallest dose tried" if dose == main.doses[1] else ""
        start = (
            f"{model}: the smallest dose that works is {dose} of {found.rows[dose]} training examples in"
            f" other languages{tried}."
        )
        if change.high < 0:
            effect = Estimate(-change.value, -change.high, -change.low, change.n_items, change.n_seeds)
            said = f"It lowers {over} by {_bits(effect.value)} bits per byte"
            return f"{start} {said} ({sample.format(_span(effect))}){_sure(main.noise, change)}."
        return (
            f"{start} {_capital(over)} changes by {_signed(change.value)} bits per byte with it"
            f" ({sample.format(_signed_span(change))}): the trend over the doses up to it tells, not this"
            f" dose alone{_sure(main.noise, change)}."
        )
    largest = main.doses[-1]
    change = flipped(smallest.steps[0].change)
    where = f"{largest} of {found.rows[largest]} training examples in other languages"
    effect_said = f"{over} by {_signed(change.value)} bits per byte ({sample.format(_signed_span(change))})"
    effect_said += _times(main.noise, change)
    if change.low > 0:
        return f"{model}: no dose is found to work. The largest, {where}, raises {effect_said}."
    alone = "; its own interval leaves out 0, but not when corrected for all that is tested at once"
    return (
        f"{model}: cannot tell. The largest dose, {where}, changes {effect_said}, which cannot be told from"
        f" no dose{alone if change.high < 0 else ''}. So nothing can be said of a smaller one."
    )


def _why_not(axes: Axes, baseline: ArmResults | None, arms: list[Dosed]) -> str:
    if baseline is None or MAIN not in axes.groups or not any(arm.dose > 0 for arm in arms):
        return "no arm with and no arm without other languages stand side by side, so no dose can be told."
    return (
        "the held-out items have no reference responses, so only the language of the answers was measured;"
        " which dose is enough cannot be told from that."
    )


def _sure(noise: Noise | None, change: Estimate) -> str:
    if noise is None:
        return ". With one seed, nobody knows what another training would change"
    said = _times(noise, change)
    return f"{said}: what another training seed alone changes" if said else ""


def _times(noise: Noise | None, change: Estimate) -> str:
    times = abs(noise.multiple(change).value) if noise else math.nan
    return f", {times:.1f} times the noise floor" if math.isfinite(times) else ""


def details(
    found: Findings | None,
    axes: Axes,
    baseline: ArmResults | None,
    untuned: ArmResults | None,
    several: bool,
) -> list[tuple[str, str]]:
    """Return what the answer stands on: what each line is about, and the line.

    Args:
        found: what was found.
        axes: the study's axes.
        baseline: the arm without a dose.
        untuned: the base model as it is.
        several: the study has several base models, so each line names its own.
    """
    if found is None:
        return []
    lines = [
        ("How sure", _how_sure(found)),
        *(_group(found, one) for name, one in found.answers.items() if name != MAIN),
        *_no_transfer(found, axes),
        ("As good as the largest dose", _within(found)),
        ("Noise floor", _noise(found)),
        ("Where it levels off", _level(found.main)),
    ]
    if found.main.effective.dose is None:
        lines.append(("Without a dose", _without_a_dose(axes, baseline, untuned)))
    return [(f"{found.model}: {about}" if several else about, line) for about, line in lines if line]


def _how_sure(found: Findings) -> str:
    smallest = found.main.effective
    rule = (
        "Doses are tested together, from the largest down to the first that cannot be told from none, so that"
        f" a dose too small is named in at most {ERROR} studies like this"
    )
    rule += ", as far as the choice of held-out items goes." if found.seeds < 2 else "."
    if smallest.dose is not None and smallest.steps[-1].told:
        return rule
    could = _could(smallest, found.items, found.seeds)
    if smallest.dose is None:
        return f"{rule} {could}".strip()
    change = flipped(smallest.steps[-1].change)
    said = f"{_signed(change.value)} bits per byte, {_signed_span(change)}"
    dose = int(smallest.steps[-1].dose)
    if change.low > 0:
        return f"{rule} {dose} examples raise the loss ({said})."
    return f"{rule} Of {dose} examples it cannot be told ({said}). {could}".strip()


def _group(found: Findings, one: Answer) -> tuple[str, str]:
    about = _called(one.group, len(one.languages))
    aside = [str(dose) for dose in found.arms if dose not in one.doses]
    but = f" Dose {', '.join(aside)} is left out: it trains on them." if aside else ""
    smallest = one.effective
    if smallest.dose is not None and smallest.change is not None:
        change = flipped(smallest.change)
        return about, (
            f"The smallest dose that works is {int(smallest.dose)} ({_signed(change.value)} bits per byte,"
            f" {_signed_span(change)}){_times(one.noise, change)}.{but}"
        )
    change = flipped(smallest.steps[0].change)
    told = "No dose is found to work" if change.low > 0 else "Cannot tell"
    could = "" if change.low > 0 else f" {_could(smallest, found.items, found.seeds)}"
    return about, (
        f"{told}: the largest dose, {one.doses[-1]}, changes loss by {_signed(change.value)} bits per byte"
        f" ({_signed_span(change)}).{could}{but}"
    )


def _no_transfer(found: Findings, axes: Axes) -> list[tuple[str, str]]:
    if "seen" not in found.answers or "unseen" in found.answers:
        return []
    return [(_called("unseen", len(axes.groups["unseen"])), "Not told: every dose trains on them.")]


def _called(group: str, n: int) -> str:
    return f"The {n} {group} languages" if n > 1 else f"The {group} language"


def _within(found: Findings) -> str:
    smallest, full = found.within, found.largest
    if len(found.main.doses) < 3 and smallest.dose is None:
        return ""
    most = (
        f"at most {_bits(found.margin)} bits per byte (loss_margin) worse than {full} of {found.rows[full]}"
    )
    if smallest.dose is not None and smallest.change is not None:
        change = flipped(smallest.change)
        dose = f"{int(smallest.dose)} examples are" if smallest.dose else "No dose at all is"
        return f"{dose} {most}: {_signed(change.value)} against it, {_signed_span(change)}."
    first = smallest.steps[0]
    change = flipped(first.change)
    dose = f"{int(first.dose)} examples differ" if first.dose else "no dose differs"
    seen = f"{dose} from it by {_signed(change.value)}, {_signed_span(change)}"
    if change.low > found.margin:
        return f"No smaller dose is {most}: {seen}."
    could = _could(smallest, found.items, found.seeds, "that, if the doses differ as it looks,")
    return f"Cannot tell: no smaller dose is shown to be {most}. {_capital(seen)}. {could}".strip()


def _noise(found: Findings) -> str:
    noise = found.main.noise
    if noise is None:
        return (
            "Unknown. With one training seed, nobody knows how far two runs of the same arm lie apart; an"
            " effect here may be luck of training. Three seeds or more tell."
        )
    return (
        f"Another training seed alone changes this average by {noise.spread:.4f} bits per byte (one"
        f" standard deviation, 95 % interval {noise.low:.4f} to {noise.high:.4f})."
    )


def _level(main: Answer) -> str:
    fit = main.saturating
    if fit is None or main.effective.dose is None or fit.gain >= 0:
        return ""
    low, high = fit.half_dose_low, fit.half_dose_high
    if not 0 < low <= fit.half_dose <= high <= main.doses[-1]:
        return "The doses tried do not show it."
    return (
        f"Half of all that any dose would give comes with about {fit.half_dose:.0f} examples (95 % interval"
        f" {low:.0f} to {high:.0f}), by a saturating curve."
    )


def _without_a_dose(axes: Axes, baseline: ArmResults | None, untuned: ArmResults | None) -> str:
    """Say what tuning without a dose does: none may be enough."""
    if untuned is None or untuned.loss is None or baseline is None or baseline.loss is None:
        return ""
    found = contrasts(stacked([untuned, baseline]), 0, [axes.groups[MAIN]])
    change = found.estimate(1, len(axes.languages))
    return (
        f"{_capital(baseline.arm)} alone changes it by {_signed(change.value)} bits per byte"
        f" ({_signed_span(change)}), against the untuned base."
    )


def _could(smallest: SmallestDose, items: int, seeds: int, what: str = "") -> str:
    """Say which sample could tell ``what``, by default an effect of the size asked for."""
    needed = smallest.needed
    if needed is None:
        return ""
    effect = what or f"an effect of {_bits(needed.effect)} bits per byte"
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


def _bits(value: float) -> str:
    return f"{value:.{3 if value == 0 or abs(value) >= 0.0005 else 4}f}"


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+' if value > 0 else ''}{_bits(abs(value))}"


def _span(change: Estimate) -> str:
    return f"{_bits(change.low)} to {_bits(change.high)}"


def _signed_span(change: Estimate) -> str:
    return f"{_signed(change.low)} to {_signed(change.high)}"


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
            f"{_seeds(len(axes.seeds))}: intervals show how results vary with the held-out items, and not, or"
            " hardly, how another run would come out. Three seeds or more tell something of that."
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
