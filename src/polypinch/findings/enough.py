"""Enough: a dose at which every endpoint holds, and which of them fails where.

Intersection-union (Berger 1982, *Technometrics* 24, 295-300): each endpoint is tested at 2.5 %, and nothing
is paid for their number. Each takes its number and interval from its measure's own findings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from polypinch.findings.doses import MAIN, Findings, Steps
from polypinch.languages import language
from polypinch.measure import FIDELITY, LOSS, MEASURES, SCORE, Measure
from polypinch.stats import Estimate
from polypinch.study import Claimed, Study


class Standing(StrEnum):
    """Where an endpoint stands at one dose."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "cannot tell"


@dataclass(frozen=True)
class EndpointLine:
    """One measure in one language or average, at every dose.

    Attributes:
        measure: which.
        over: ``others``, or the base language's tag.
        languages: tags in it.
        margin: how much worse is still as good, in the measure's values; ``None`` for "better than none".
        changes: by dose, the change from none with the measure's sign: the one that tables show.
        standing: by dose.
        told: doses told to be better or worse than none: marks that may be filled.
    """

    measure: Measure
    over: str
    languages: tuple[str, ...]
    margin: float | None
    changes: dict[int, Estimate]
    standing: dict[int, Standing]
    told: tuple[int, ...]


@dataclass(frozen=True)
class Verdict:
    """What a person with a minute reads of one base model.

    Attributes:
        short: the verdict in a few words.
        sentence: which endpoints hold and which fail, and where.
        enough: doses at which every endpoint holds; with one training, of that training.
        endpoints: the leading one first.
    """

    short: str
    sentence: str
    enough: tuple[int, ...]
    endpoints: tuple[EndpointLine, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it JSON-able: changes with each measure's sign."""
        return {
            "short": self.short,
            "sentence": self.sentence,
            "enough": list(self.enough),
            "endpoints": [
                {
                    "measure": line.measure.name,
                    "over": line.over,
                    "languages": list(line.languages),
                    "margin": line.margin,
                    "by_dose": [
                        {
                            "dose": dose,
                            "value": change.value,
                            "low": change.low,
                            "high": change.high,
                            "standing": str(line.standing[dose]),
                        }
                        for dose, change in line.changes.items()
                    ],
                }
                for line in self.endpoints
            ],
        }


@dataclass(frozen=True)
class Claim:
    """An endpoint that has to hold.

    Attributes:
        measure: which.
        over: ``others``, a language's tag, or the name of an average that the findings have.
        margin: how much worse is still as good, in the measure's values; ``None`` for "better than none".
    """

    measure: Measure
    over: str
    margin: float | None = None


def claims(study: Study) -> tuple[Claim, ...]:
    """Return the endpoints that a study declares, the leading one first; none where it declares none."""
    measures = {one.name: one for one in MEASURES}
    made = []
    for one in study.endpoints:
        measure = measures[one.measure]
        margin = None if one.no_worse_by is None else one.no_worse_by / measure.scale
        made.append(Claim(measure, _over(study, one), margin))
    return tuple(sorted(made, key=lambda claim: claim.margin is not None or claim.over != MAIN))


def averages(study: Study) -> dict[str, tuple[str, ...]]:
    """Return the averages that a study's endpoints are over, beside those that every study has, by name."""
    lists = [one for one in study.endpoints if not isinstance(one.languages, str) and len(one.languages) > 1]
    return {_over(study, one): tuple(one.languages) for one in lists}


def _over(study: Study, one: Claimed) -> str:
    if isinstance(one.languages, str):
        return MAIN if one.languages == "other" else study.base
    return ", ".join(one.languages)


def verdict(
    found: Mapping[Measure, Findings], base: str, judged: bool, declared: Sequence[Claim] = ()
) -> Verdict | None:
    """Return the verdict on one base model's doses; ``None`` where no leading measure was measured.

    The default endpoints: held-out loss in the other languages better than none; fidelity there no worse by
    its margin; the loss in the base language no worse by its margin; and the score better than none, which
    then leads, where a model or people judge.

    Args:
        found: by measure.
        base: the base language's tag.
        judged: whether a model or people judge.
        declared: the study's own endpoints, instead of these; one that was not measured holds nowhere.
    """
    wanted = declared or [
        *([Claim(SCORE, MAIN)] if judged else []),
        Claim(LOSS, MAIN),
        *(
            Claim(measure, over, found[measure].margin)
            for measure, over in ((FIDELITY, MAIN), (LOSS, base))
            if measure in found
        ),
    ]
    there = [one for one in wanted if one.measure in found and one.over in found[one.measure].steps]
    lacking = [one for one in declared if one not in there]
    lines = [_line(found[one.measure], one.over, one.margin) for one in there]
    if not lines or lines[0].margin is not None:
        return None
    leading = found[lines[0].measure]
    doses = [dose for dose in leading.arms if dose]
    enough = tuple(
        dose
        for dose in doses
        if not lacking and all(line.standing.get(dose) is Standing.HOLDS for line in lines)
    )
    parts = [said for line in lines if (said := _said(line, doses))]
    parts += [f"{_about(one.measure, one.over)} was not measured" for one in lacking]
    rows = leading.rows[leading.largest]
    some = f"{_span(enough, doses, 'or')} of {rows}" if enough else ""
    if enough and leading.trainings > 1:
        short = f"{some} is enough"
        parts.append(f"enough and safe: {_span(enough, doses)}")
    elif enough:
        short = "Cannot tell yet"
        parts.append(f"{some} held every endpoint in this one training: another may tell otherwise")
    elif _nothing_helps(leading, lines[0]):
        short = "Nothing tried helps" if leading.trainings > 1 else "Nothing tried helped, this once"
    else:
        short = "Cannot tell yet"
    return Verdict(short, "; ".join(parts) + ".", enough, tuple(lines))


def _line(found: Findings, over: str, margin: float | None) -> EndpointLine:
    steps = found.steps[over]
    least = 0.0 if margin is None else -margin
    standing = {}
    for one in steps.ladder.effects:
        dose = int(one.dose)
        holds = dose in steps.told if margin is None else one.change.low > least
        fails = one.change.high < least
        stands = Standing.HOLDS if holds else Standing.FAILS if fails else Standing.OPEN
        standing[dose] = Standing.OPEN if steps.few else stands
    changes = {int(one.dose): found.change(one.change) for one in steps.ladder.effects}
    return EndpointLine(
        found.measure, over, steps.languages, margin, changes, standing, _told(steps, over == MAIN)
    )


def _told(steps: Steps, tested: bool) -> tuple[int, ...]:
    """Return doses whose interval leaves out no change and that, where doses were tested, were told so."""
    effects = [] if steps.few else steps.ladder.effects
    if tested:
        return tuple(int(one.dose) for one in effects if one.harms or one.dose in steps.told)
    return tuple(int(one.dose) for one in effects if one.change.low > 0 or one.change.high < 0)


def _nothing_helps(leading: Findings, line: EndpointLine) -> bool:
    """Tell whether no dose is better by as much as matters."""
    effects = leading.steps[line.over].ladder.effects
    return not leading.main.steps.few and all(one.change.high < leading.margin for one in effects)


def _said(line: EndpointLine, doses: list[int]) -> str:
    by = {state: [dose for dose in doses if line.standing.get(dose) is state] for state in Standing}
    verb = "is better at" if line.margin is None else "is no worse at"
    parts = []
    if by[Standing.HOLDS]:
        parts.append(f"{verb} {_span(by[Standing.HOLDS], doses)}")
    if by[Standing.FAILS]:
        worse = "is worse at" if line.margin is None else "is worse by more than its margin at"
        parts.append(f"{worse} {_span(by[Standing.FAILS], doses)}")
    if by[Standing.OPEN]:
        parts.append(f"cannot be told at {_span(by[Standing.OPEN], doses)}")
    return f"{_about(line.measure, line.over)} {', '.join(parts)}" if parts else ""


def _about(measure: Measure, over: str) -> str:
    if over == MAIN:
        return f"{measure.title} in the other languages"
    return f"{measure.title} in {', '.join(language(tag).name for tag in over.split(', '))}"


def _span(some: Sequence[int], doses: list[int], last_by: str = "and") -> str:
    """Say doses: as a range where no dose between them is left out, else one by one."""
    first, last = some[0], some[-1]
    if len(some) > 1 and list(some) == [dose for dose in doses if first <= dose <= last]:
        return f"{first} to {last}"
    rest = ", ".join(map(str, some[:-1]))
    return f"{rest} {last_by} {last}" if rest else str(last)
