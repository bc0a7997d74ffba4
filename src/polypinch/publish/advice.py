"""Advice on a pinch from what a study measured, read from its record and its findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.files import read_json
from polypinch.findings import MAIN
from polypinch.languages import language, languages
from polypinch.measure import MEASURES, Measure
from polypinch.probe import FACTS, Advice, Advised
from polypinch.report import FINDINGS
from polypinch.results import AVERAGES
from polypinch.specs import validate
from polypinch.stats import FEWEST_ITEMS
from polypinch.study import Study, ladder

_ALONE = " Only arms that differ from the one without a dose in their dose alone are compared."
RULE_OF_REPORT = (
    "The smallest dose that the study's report tells to be better than none by itself, on {} averaged over"
    " all languages but the base: each dose against none, with an error shared by all doses." + _ALONE
)
RULE_OF_TARGETS = (
    "The smallest dose whose 95 % interval of the change of {} lies on the better side of 0 in every target."
    " Doses are tested from the largest down, stopping at the first that fails, which keeps the family-wise"
    " error (Westfall and Krishen 2001); every target has to pass at once, which needs no correction (an"
    " intersection-union test, Berger 1982)." + _ALONE
)


@dataclass(frozen=True)
class _Change:
    measure: Measure
    value: float
    low: float
    high: float
    n_items: int
    alone: bool

    def __str__(self) -> str:
        value, low, high = map(self.measure.signed, (self.value, self.low, self.high))
        return f"{value} {self.measure.unit} (95 % interval {low} to {high})"

    @property
    def helps(self) -> bool:
        """Whether the whole interval is better than no change, and of enough items for one language alone."""
        if self.alone and self.n_items < FEWEST_ITEMS:
            return False
        return min(self.measure.better(self.low), self.measure.better(self.high)) > 0


@dataclass(frozen=True)
class _Measured:
    """What a study's ``findings.json`` tells of one base model by its leading measure.

    Attributes:
        measure: which.
        changes: against the arm without a dose, by arm and language or average.
        told: doses told to be better than none over all languages but the base.
        delivered: examples by arm and language.
    """

    measure: Measure
    changes: dict[tuple[str, str], _Change]
    told: tuple[int, ...]
    delivered: dict[str, dict[str, int]]


def advise_from_study(directory: Path, targets: Sequence[str] = ()) -> Advice:
    """Advise the smallest dose that a study showed to help, with its intervals.

    Args:
        directory: a folder that ``polypinch run`` made, with its report's ``findings.json``.
        targets: languages to serve, of those the study evaluated; where none is named, what the report tells
            of all but the base.

    Raises:
        PinchError: there is no study, it measured no change, or it did not evaluate a target.
    """
    record = directory / "study.json"
    if not record.is_file():
        raise PinchError(f"{directory} holds no study", fix="name a folder that polypinch run made")
    study = validate(read_json(record)["study"], Study, str(record))
    model = study.models[0]
    measured = _measured(directory, model)
    by, changes, delivered = measured.measure, measured.changes, measured.delivered
    wanted = [tag for tag in languages(list(targets)) if tag != study.base]
    unknown = sorted(set(wanted) - set(study.evaluated))
    if unknown:
        raise PinchError(
            f"{directory}: the study did not evaluate {', '.join(unknown)}",
            fix=f"it evaluated {', '.join(study.evaluated)}; --probe advises on other languages by a rule",
        )
    keys = wanted or [MAIN]
    baseline = next((arm.name for arm in study.arms if study.is_baseline(arm)), None)
    names, _ = ladder(study, baseline)
    doses = {
        name: sum(count for tag, count in delivered[name].items() if tag != study.base)
        for name in names
        if all((name, key) in changes for key in keys)
    }
    if not doses:
        raise PinchError(
            f"{directory}: no arm with a dose was compared with one without, on {by.title}",
            fix=f"a study needs an arm without doses, and {by.needs}",
        )
    falling = sorted(doses, key=lambda name: -doses[name])
    if wanted:
        helps = {name: all(changes[name, key].helps for key in keys) for name in falling}
    else:
        helps = {name: doses[name] in measured.told for name in falling}
    passed = list(takewhile(helps.__getitem__, falling)) if wanted else [*filter(helps.__getitem__, falling)]
    shown = passed[-1] if passed else falling[0]
    rows = sum(delivered[shown].values())
    others = {tag: count for tag, count in delivered[shown].items() if tag != study.base and count}
    lines = tuple(
        f"{_said(key)}: {changes[shown, key]} against {baseline}, {_role(study, key, others)}" for key in keys
    )
    size = f"{doses[shown]} of {rows} examples in {', '.join(others)}"
    if passed:
        answer = f"Your study {study.name}: {size} {by.improved} {by.title} of {model}: {'; '.join(lines)}."
    else:
        answer = (
            f"Your study {study.name} cannot tell a dose that helps {model} from none: with the largest,"
            f" {size}, {'; '.join(lines)}."
        )
    arm = next(arm for arm in study.arms if arm.name == shown)
    told = dict.fromkeys(others, f"in arm {shown} of the study")
    return Advice(
        "study",
        answer,
        tuple(Advised(tag, count, told[tag]) for tag, count in others.items()) if passed else (),
        doses[shown] if passed else 0,
        rows,
        lines,
        (RULE_OF_TARGETS if wanted else RULE_OF_REPORT).format(by.title),
        "",
        FACTS[:2],
        _limits(study, doses, shown, bool(passed), by),
        study.plan(arm, study.seeds[0]) if passed else None,
    )


def _limits(study: Study, doses: dict[str, int], shown: str, passed: bool, by: Measure) -> tuple[str, ...]:
    notes = [by.caveat] if by.caveat else []
    if len(study.seeds) < 3:
        notes.append(f"{len(study.seeds)} training seed(s): another run may come out otherwise.")
    if passed and doses[shown] == min(doses.values()):
        notes.append("It is the smallest dose that the study tried; a smaller one may do.")
    if not passed:
        notes.append("More held-out items, more seeds or a larger dose could tell.")
    if len(study.models) > 1:
        notes.append(f"Of the study's base models, only {study.models[0]} is read here.")
    return tuple(notes)


def _said(key: str) -> str:
    return "the average over the other languages" if key == MAIN else f"{language(key).name} ({key})"


def _role(study: Study, key: str, dosed: dict[str, int]) -> str:
    if key == MAIN:
        return f"{len(study.evaluated) - 1} languages"
    return "which was in the pinch" if key in dosed else "which was not in the pinch"


def _measured(directory: Path, model: str) -> _Measured:
    path = directory / FINDINGS
    if not path.is_file():
        raise PinchError(f"{path}: no such file", fix=f"polypinch report {directory} writes it")
    try:
        findings = read_json(path)
        measure = next(one for one in MEASURES if one.name == findings["leading"])
        own = next(one for one in findings["models"] if one["model"] == model)["measures"][measure.name]
        changes = {
            (arm, name): _Change(
                measure,
                float(change["value"]),
                float(change["low"]),
                float(change["high"]),
                int(change["n_items"]),
                name not in AVERAGES,
            )
            for arm, by_name in own["changes"].items()
            for name, change in by_name.items()
        }
        groups = own.get("groups", {})
        told = tuple(groups[MAIN]["effects"]["told"]) if MAIN in groups else ()
        return _Measured(measure, changes, told, findings["delivered"])
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        raise PinchError(
            f"{path} is not what this version writes",
            fix=f"polypinch report {directory} writes it anew",
        ) from error
