"""What a study's arms allow to be shown: told from what their mixtures delivered, never from their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from scipy.optimize import linear_sum_assignment

from polypinch.study import Arm, Study

_ALIKE = 0.05  # sizes of mixtures that count as one budget: token budgets and truncation move them
_EVEN = 0.1


@dataclass(frozen=True)
class Condition:
    """What an arm was tuned on, and how.

    Attributes:
        arm: its name.
        counts: delivered examples by language, none without any.
        base: the language of all but the doses.
        placement: ``replace`` or ``add``; ``replace`` without doses.
        items: ``parallel`` or ``disjoint``; ``parallel`` without doses.
        times: how often each dosed row stands in the mixture.
        tuning: what it changes in the study's tuning, or its base model, in words; empty for nothing.
    """

    arm: str
    counts: Mapping[str, int]
    base: str
    placement: str = "replace"
    items: str = "parallel"
    times: int = 1
    tuning: str = ""

    @property
    def rows(self) -> int:
        """All delivered examples."""
        return sum(self.counts.values())

    @property
    def languages(self) -> frozenset[str]:
        """What it was tuned on."""
        return frozenset(self.counts)

    @property
    def dosed(self) -> frozenset[str]:
        """What it was tuned on beside its base."""
        return self.languages - {self.base}

    @property
    def dose(self) -> int:
        """Delivered examples that are not in its base."""
        return self.rows - self.counts.get(self.base, 0)

    @property
    def way(self) -> tuple[str, str, int, str]:
        """How a dose is put in and tuned on."""
        return self.placement, self.items, self.times, self.tuning

    @property
    def is_even(self) -> bool:
        """Whether its languages have about as many examples each."""
        return max(self.counts.values()) <= (1 + _EVEN) * min(self.counts.values()) + 1


def conditions(study: Study, mixtures: Iterable[Mapping[str, object]]) -> list[Condition]:
    """Return every arm's condition.

    Args:
        study: how arms are put in and tuned.
        mixtures: rows with ``arm``, ``language`` and ``examples``, as delivered.
    """
    counts: dict[str, dict[str, int]] = {}
    for line in mixtures:
        examples = line["examples"]
        if isinstance(examples, int) and examples:
            counts.setdefault(str(line["arm"]), {})[str(line["language"])] = examples
    return [_condition(study, arm, counts[arm.name]) for arm in study.arms if arm.name in counts]


def _condition(study: Study, arm: Arm, counts: Mapping[str, int]) -> Condition:
    base = arm.base or study.base
    usual = study.tuning.model_dump()
    changed = {
        name: value for name, value in study.recipe(arm).model_dump().items() if usual.get(name) != value
    }
    if arm.model is not None:
        changed = {"model": arm.model, **changed}
    if arm.control_of is not None:
        changed = {"control of": arm.control_of, **changed}
    words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in changed.items())
    if not set(counts) - {base}:
        return Condition(arm.name, counts, base, tuning=words)
    times = max((dose.times for dose in arm.doses), default=1)
    return Condition(arm.name, counts, base, arm.placement, arm.items, times, words)


def alone(found: Sequence[Condition]) -> dict[str, Condition]:
    """Return the arms of one language alone, by language, all tuned alike; empty with fewer than two.

    Of several ways of tuning the one with the most languages is taken, the first in the study's order.
    """
    by_tuning: dict[str, dict[str, Condition]] = {}
    for one in found:
        if len(one.counts) == 1:
            by_tuning.setdefault(one.tuning, {}).setdefault(next(iter(one.counts)), one)
    most = max(by_tuning.values(), key=len, default={})
    return most if len(most) > 1 else {}


def orderings(found: Sequence[Condition]) -> dict[int, list[Condition]]:
    """Return even mixtures of one budget along growing sets of languages.

    Each number of languages has one arm for each ordering, in the orderings' order; an arm that several
    orderings lead to (all languages) stands in each. Empty with fewer than three numbers of languages.
    """
    even = [one for one in found if one.is_even]
    groups: dict[tuple[str, int, str], list[Condition]] = {}
    for one in even:
        groups.setdefault((one.items, one.times, one.tuning), []).append(one)
    best: dict[int, list[Condition]] = {}
    for members in groups.values():
        chains = _chains(_of_one_size(members))
        if chains and (len(chains) > 2) and (len(chains), _width(chains)) > (len(best), _width(best)):
            best = chains
    return best


def _width(chains: Mapping[int, list[Condition]]) -> int:
    return len(next(iter(chains.values()), []))


def _of_one_size(members: Sequence[Condition]) -> list[Condition]:
    middle = float(np.median([one.rows for one in members]))
    return [one for one in members if abs(one.rows - middle) <= _ALIKE * middle]


def _chains(members: Sequence[Condition]) -> dict[int, list[Condition]]:
    """Link sets of k languages to sets of the next number that hold them, each to one, as many as can be."""
    ordered = sorted(members, key=lambda one: len(one.counts))
    levels = {count: list(group) for count, group in groupby(ordered, key=lambda one: len(one.counts))}
    paths: list[list[Condition]] = []
    for at, level in enumerate(levels.values()):
        if at == 0:
            paths = [[one] for one in level]
            continue
        if len(level) == 1:
            paths = [[*path, level[0]] for path in paths if path[-1].languages <= level[0].languages]
            continue
        fits = np.array(
            [[path[-1].languages < one.languages for one in level] for path in paths], dtype=float
        )
        if not fits.size:
            return {}
        pairs = zip(*linear_sum_assignment(-fits), strict=True)
        paths = [[*paths[row], level[column]] for row, column in pairs if fits[row, column]]
    return {count: [path[at] for path in paths] for at, count in enumerate(levels) if paths}


def pairs(found: Sequence[Condition]) -> list[tuple[Condition, Condition, Condition]]:
    """Return even mixtures of two languages, each with the two arms of one of them alone, of one size."""
    single = {(one.tuning, next(iter(one.counts))): one for one in reversed(found) if len(one.counts) == 1}
    both = []
    for one in found:
        if len(one.counts) != 2 or not one.is_even:
            continue
        parts = [single.get((one.tuning, tag)) for tag in one.counts]
        if parts[0] and parts[1] and len(_of_one_size([one, parts[0], parts[1]])) == 3:
            both.append((one, parts[0], parts[1]))
    return both


def growing(found: Sequence[Condition], base: str) -> list[Condition]:
    """Return arms that differ in how much of the same languages they hold beside the base, by share.

    The base alone comes first where it was tuned alike. Empty with fewer than two shares above 0.
    """
    groups: dict[object, list[Condition]] = {}
    for one in found:
        if one.base == base and one.dosed:
            groups.setdefault((one.way, one.dosed), []).append(one)
    best: list[Condition] = max(groups.values(), key=len, default=[])
    if len({round(one.dose / one.rows, 6) for one in best}) < 2:
        return []
    start = [one for one in found if one.languages == {base} and one.tuning == best[0].tuning][:1]
    return [*start, *sorted(best, key=lambda one: one.dose / one.rows)]


@dataclass(frozen=True)
class Twins:
    """Two arms with the same dose in the same languages that differ in one thing.

    Attributes:
        plain: the one nearer to the study's defaults.
        other: the other one.
        what: ``placement``, ``items``, ``times`` or ``tuning``.
    """

    plain: Condition
    other: Condition
    what: str


def twins(found: Sequence[Condition]) -> list[Twins]:
    """Return arms that put the same dose in, or tune on it, in two ways, by dose."""
    groups: dict[object, list[Condition]] = {}
    for one in found:
        if one.dosed:
            groups.setdefault((one.base, one.dosed, one.dose), []).append(one)
    both = []
    for members in groups.values():
        plain = min(members, key=_apart)
        for other in members:
            differing = [
                name
                for name in ("placement", "items", "times", "tuning")
                if getattr(plain, name) != getattr(other, name)
            ]
            if len(differing) == 1:
                both.append(Twins(plain, other, differing[0]))
    return sorted(both, key=lambda one: (one.what, one.other.way, one.plain.dose))


def _apart(one: Condition) -> int:
    return sum((one.placement != "replace", one.items != "parallel", one.times != 1, one.tuning != ""))


def with_baselines(found: Sequence[Condition]) -> list[tuple[Condition, Condition]]:
    """Return each dosed arm that has an arm of its base alone, tuned alike, and that arm."""
    bare = {(one.base, one.tuning): one for one in reversed(found) if not one.dosed}
    dosed = [one for one in found if one.dosed and (one.base, one.tuning) in bare]
    return [(one, bare[one.base, one.tuning]) for one in dosed]
