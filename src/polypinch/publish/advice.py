"""Advice on a pinch from what a study measured, read from its record and its report's tables."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import read_json
from polypinch.findings import ladder
from polypinch.languages import language, languages
from polypinch.probe import FACTS, Advice, Advised
from polypinch.specs import validate
from polypinch.study import Study

_ALONE = " Only arms that differ from the one without a dose in their dose alone are compared."
RULE_OF_REPORT = (
    "The minimum effective dose that the study's report names, on held-out loss averaged over all languages"
    " but the base: a step-down trend test, which keeps the family-wise error." + _ALONE
)
RULE_OF_TARGETS = (
    "The smallest dose whose 95 % interval of the change of held-out loss lies below 0 in every target. Doses"
    " are tested from the largest down, stopping at the first that fails, which keeps the family-wise error"
    " (Westfall and Krishen 2001); every target has to pass at once, which needs no correction (an"
    " intersection-union test, Berger 1982)." + _ALONE
)


@dataclass(frozen=True)
class _Change:
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        said = f"{self.value:+.3f} bits per byte (95 % interval {self.low:+.3f} to {self.high:+.3f})"
        return said.replace("-", "−")


def advise_from_study(directory: Path, targets: Sequence[str] = ()) -> Advice:
    """Advise the smallest dose that a study showed to help, with its intervals.

    Args:
        directory: a folder that ``polypinch run`` made, with its report's tables.
        targets: languages to serve, of those the study evaluated; where none is named, what the report tells
            of all but the base.

    Raises:
        PinchError: there is no study, it measured no change of loss, or it did not evaluate a target.
    """
    record = directory / "study.json"
    if not record.is_file():
        raise PinchError(f"{directory} holds no study", fix="name a folder that polypinch run made")
    study = validate(read_json(record)["study"], Study, str(record))
    model = study.models[0]
    changes, delivered = _changes(directory, model), _delivered(directory)
    wanted = [tag for tag in languages(list(targets)) if tag != study.base]
    unknown = sorted(set(wanted) - set(study.evaluated))
    if unknown:
        raise PinchError(
            f"{directory}: the study did not evaluate {', '.join(unknown)}",
            fix=f"it evaluated {', '.join(study.evaluated)}; --probe advises on other languages by a rule",
        )
    keys = wanted or ["others"]
    baseline = next((arm.name for arm in study.arms if study.is_baseline(arm)), None)
    names, _ = ladder(study, baseline)
    doses = {
        name: sum(count for tag, count in delivered[name].items() if tag != study.base)
        for name in names
        if all((name, key) in changes for key in keys)
    }
    if not doses:
        raise PinchError(
            f"{directory}: no arm with a dose was compared with one without, on held-out loss",
            fix="a study needs an arm without doses, and held-out items with reference responses",
        )
    falling = sorted(doses, key=lambda name: -doses[name])
    if wanted:
        helps = {name: all(changes[name, key].high < 0 for key in keys) for name in falling}
    else:
        least = _told(directory, model)
        helps = {name: least is not None and doses[name] >= least for name in falling}
    passed = list(takewhile(helps.__getitem__, falling))
    shown = passed[-1] if passed else falling[0]
    rows = sum(delivered[shown].values())
    others = {tag: count for tag, count in delivered[shown].items() if tag != study.base and count}
    lines = tuple(
        f"{_said(key)}: {changes[shown, key]} against {baseline}, {_role(study, key, others)}" for key in keys
    )
    size = f"{doses[shown]} of {rows} examples in {', '.join(others)}"
    if passed:
        answer = f"Your study {study.name}: {size} lowered held-out loss of {model}: {'; '.join(lines)}."
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
        RULE_OF_TARGETS if wanted else RULE_OF_REPORT,
        "",
        FACTS[:2],
        _limits(study, doses, shown, bool(passed)),
        study.plan(arm, study.seeds[0]) if passed else None,
    )


def _limits(study: Study, doses: dict[str, int], shown: str, passed: bool) -> tuple[str, ...]:
    found = [
        "Held-out loss tells how well good responses are predicted; a lower loss is not yet a better answer."
    ]
    if len(study.seeds) < 3:
        found.append(f"{len(study.seeds)} training seed(s): another run may come out otherwise.")
    if passed and doses[shown] == min(doses.values()):
        found.append("It is the smallest dose that the study tried; a smaller one may do.")
    if not passed:
        found.append("More held-out items, more seeds or a larger dose could tell.")
    if len(study.models) > 1:
        found.append(f"Of the study's base models, only {study.models[0]} is read here.")
    return tuple(found)


def _said(key: str) -> str:
    return "the average over the other languages" if key == "others" else f"{language(key).name} ({key})"


def _role(study: Study, key: str, dosed: dict[str, int]) -> str:
    if key == "others":
        return f"{len(study.evaluated) - 1} languages"
    return "which was in the pinch" if key in dosed else "which was not in the pinch"


def _table(directory: Path, name: str) -> list[dict[str, Any]]:
    path = directory / "tables" / f"{name}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise PinchError(f"{path}: no such file", fix=f"polypinch report {directory} writes it") from error


def _changes(directory: Path, model: str) -> dict[tuple[str, str], _Change]:
    return {
        (row["arm"], row["language"]): _Change(*(float(row[end]) for end in ("value", "low", "high")))
        for row in _table(directory, "loss_change")
        if row["model"] == model and row["value"]
    }


def _told(directory: Path, model: str) -> int | None:
    """Return the minimum effective dose that the report names, ``None`` where it can tell none."""
    for row in _table(directory, "doses"):
        key = (row["model"], row["language"], row["question"], row["smallest"])
        if key == (model, "others", "effective", "True"):
            return int(row["dose"])
    return None


def _delivered(directory: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in _table(directory, "mixtures"):
        found.setdefault(row["arm"], {})[row["language"]] = int(row["examples"])
    return found
