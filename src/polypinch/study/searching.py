"""A study that stops when it knows: which of its trainings are wanted by now, look by look.

A look is a step like any other, made of the held-out losses of the trainings it looks at and named by them.
So its decision is kept, a search that was killed goes on with the same ones, and several processes agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from polypinch.errors import PinchError
from polypinch.stats import Decision, Ladder, search
from polypinch.study.arrays import Axes, axes, fill
from polypinch.study.artifacts import LOOK, MANIFEST, Kind
from polypinch.study.dosed import ladder
from polypinch.study.record import Record
from polypinch.study.runs import Graph, Looking, Tuned
from polypinch.study.spec import UNTUNED, Design, Study
from polypinch.study.store import Damaged, Stage, State, Store

Training = tuple[str, int]
"""An arm's name and a seed."""

RecordT = TypeVar("RecordT", bound=Record)


class DoseState(StrEnum):
    """What a look told of a dose, against none."""

    BETTER = "better"
    HARMS = "worse"
    OPEN = "not told"


@dataclass(frozen=True)
class DoseLook:
    """A dose above none at a look.

    Attributes:
        arm: its arm.
        dose: delivered examples that are not in the base language.
        seeds: trained by then.
        state: what was told of it.
    """

    arm: str
    dose: int
    seeds: int
    state: DoseState


@dataclass(frozen=True)
class Looked:
    """What a look saw and decided.

    Attributes:
        model: the base model.
        number: from 1.
        trainings: of the ladder, done by then.
        most: of the fixed ladder, which are never exceeded.
        error: that this look could spend, one-sided.
        decision: what is known.
        low: the smallest dose by which something works; ``None`` if not told.
        high: the smallest dose from there on that is itself better than none.
        isolated: doses told to be better although the largest is not.
        doses: those trained by then, ascending.
        untried: arms whose doses had no training by then.
        following: trainings that it asks for.
    """

    model: str
    number: int
    trainings: int
    most: int
    error: float
    decision: Decision
    low: int | None
    high: int | None
    isolated: tuple[int, ...]
    doses: tuple[DoseLook, ...]
    untried: tuple[str, ...]
    following: tuple[Training, ...]

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Looked:
        """Read it as it was kept."""
        doses = tuple(DoseLook(**{**one, "state": DoseState(one["state"])}) for one in kept["doses"])
        asked = tuple((arm, seed) for arm, seed in kept["following"])
        own: dict[str, Any] = {name: tuple(kept[name]) for name in ("isolated", "untried")}
        own["decision"] = Decision(kept["decision"])
        return cls(**{**kept, **own, "doses": doses, "following": asked})


def so_far(record: RecordT, graph: Graph, store: Store) -> tuple[RecordT, Graph]:
    """Return what a study wants by now: of an adaptive one the trainings that its looks have asked for.

    While a base model's search goes on, the graph's ``steps`` are those that the next look takes, and those
    done for base models before it; at the end it holds the arms and seeds that were trained, and so does the
    record's study. Other designs are returned as they are.

    Args:
        record: the study's.
        graph: all that it could take.
        store: where it is done.

    Raises:
        PinchError: the arms are no ladder of three different doses.
    """
    study = record.study
    if study.design is not Design.ADAPTIVE or graph.looks:
        return record, graph
    laid = axes(record)
    looks: list[Looking] = []
    kept: dict[int, Tuned] = {}
    for model in study.models:
        walk = _Walk(study, laid, graph, store, model)
        steps = walk.open_steps()
        looks += walk.looks
        if steps is not None:
            before = _wanted(graph, kept, looks).stages()
            return record, replace(graph, looks=tuple(looks), steps=tuple(dict.fromkeys([*before, *steps])))
        kept |= {id(run): run for run in walk.kept()}
    wanted = _wanted(graph, kept, looks)
    names = {run.arm for run in wanted.tuned}
    seeds = {run.seed for run in wanted.tuned}
    narrow = study.model_copy(
        update={
            "arms": tuple(arm for arm in study.arms if arm.name in names),
            "seeds": tuple(seed for seed in study.seeds if seed in seeds),
        }
    )
    return replace(record, study=narrow), wanted


def _wanted(graph: Graph, kept: Mapping[int, Tuned], looks: Sequence[Looking]) -> Graph:
    names = {(run.model, run.arm, run.seed) for run in kept.values()}
    compared = tuple(
        one
        for one in graph.compared
        if all((run.model, run.arm, run.seed) in names for run in (one.arm, *one.others))
    )
    return Graph(tuple(run for run in graph.tuned if id(run) in kept), compared, tuple(looks))


def read_looks(graph: Graph, store: Store) -> list[Looked]:
    """Return the looks of a study, in the order made; none where its design is fixed."""
    return [Looked.from_dict(store.read_json(one.stage, LOOK)) for one in graph.looks]


def arms_by_dose(study: Study, amounts: Mapping[str, int]) -> dict[int, str]:
    """Return the arms that are searched by their dose, none first; of two with one dose the first named.

    Args:
        study: the study.
        amounts: delivered examples that are not in the base language, by arm.

    Raises:
        PinchError: fewer than three doses.
    """
    baseline = next((arm.name for arm in study.arms if study.is_baseline(arm)), None)
    steps, _ = ladder(study, baseline)
    by_dose: dict[int, str] = {} if baseline is None else {0: baseline}
    for name in steps:
        if amounts[name] > 0:
            by_dose.setdefault(amounts[name], name)
    if len(by_dose) < 3:
        raise PinchError(
            f"design: adaptive searches among doses, and {study.name} has"
            f" {len(by_dose)} ({', '.join(by_dose.values()) or 'no arm without a dose'})",
            fix="give an arm without a dose and two or more that differ from it in their dose alone, or"
            " leave the design fixed",
        )
    return dict(sorted(by_dose.items()))


class _Walk:
    """One base model's search, as far as the store knows it."""

    def __init__(self, study: Study, laid: Axes, graph: Graph, store: Store, model: str) -> None:
        self._study, self._laid, self._graph, self._store, self._model = study, laid, graph, store, model
        self._runs = {(run.arm, run.seed): run for run in graph.tuned if run.model == model}
        self._control_of = {arm.name: arm.control_of for arm in study.arms if arm.control_of is not None}
        self._arms: dict[int, str] = {}
        self._asked: list[Training] = []
        self.looks: list[Looking] = []

    def open_steps(self) -> list[Stage] | None:
        """Return the steps that the next look takes; ``None`` where the search has ended."""
        mixtures = list(self._mixtures().values())
        amounts = {arm: self._amount(stage) for arm, stage in self._mixtures().items()}
        if None in amounts.values():
            return mixtures
        self._arms = arms_by_dose(self._study, {arm: at for arm, at in amounts.items() if at is not None})
        nothing = np.full((len(self._arms), len(self._study.seeds), 1, 1), np.nan)
        following = self._named(search(nothing, list(self._arms), self._study.loss_margin).following)
        while following:
            self._asked += following
            stage = self._look()
            self.looks.append(Looking(self._model, len(self.looks) + 1, stage))
            looked = self._read(stage)
            if looked is None:
                trained = [self._runs[training] for training in self._asked]
                own = [one for run in trained for one in (run.mixture, run.checkpoint, run.loss) if one]
                return [*mixtures, *own, *(look.stage for look in self.looks)]
            following = list(looked.following)
        return None

    def kept(self) -> Iterator[Tuned]:
        """Return what is wanted at the end: what was searched, and all else with the seeds that it took."""
        searched, seeds = set(self._arms.values()), {seed for _, seed in self._asked}
        for (arm, seed), run in self._runs.items():
            # What stands for a searched arm, as a control does, is wanted where that is.
            stands_for = self._control_of.get(arm, arm)
            if arm == UNTUNED or (
                (stands_for, seed) in self._asked if stands_for in searched else seed in seeds
            ):
                yield run

    def _mixtures(self) -> dict[str, Stage]:
        baseline = next((arm.name for arm in self._study.arms if self._study.is_baseline(arm)), None)
        names = ladder(self._study, baseline)[0]
        first = self._study.seeds[0]
        return {name: stage for name in names if (stage := self._runs[name, first].mixture) is not None}

    def _amount(self, mixture: Stage) -> int | None:
        """Return the delivered examples that are not in the base language; ``None`` if not made yet."""
        if self._store.state(mixture) is not State.DONE:
            return None
        try:
            lines = self._store.read_json(mixture, MANIFEST)["languages"]
        except Damaged:
            return None
        return sum(int(line["examples"]) for line in lines if line["language"] != self._study.base)

    def _named(self, tunings: Sequence[Any]) -> list[Training]:
        arms = list(self._arms.values())
        return [(arms[one.dose], self._study.seeds[one.seed]) for one in tunings]

    def _read(self, stage: Stage) -> Looked | None:
        if self._store.state(stage) is not State.DONE:
            return None
        try:
            return Looked.from_dict(self._store.read_json(stage, LOOK))
        except Damaged:
            return None

    def _look(self) -> Stage:
        number, asked = len(self.looks) + 1, tuple(self._asked)
        losses = [self._runs[training].loss for training in asked]
        needs = tuple(stage for stage in losses if stage is not None)
        if len(needs) < len(asked):
            raise PinchError(
                "design: adaptive decides by held-out loss, and the held-out items have no reference"
                " responses",
                fix="add reference responses, or leave the design fixed",
            )
        others = [self._laid.languages[at] for at in self._laid.groups["others"]]

        def work(directory: Path) -> None:
            LOOK.write(directory, asdict(self._decide(number, dict(zip(asked, needs, strict=True)))))

        spec = {
            "doses": [[dose, arm] for dose, arm in self._arms.items()],
            "seeds": list(self._study.seeds),
            "trainings": [list(training) for training in asked],
            "languages": others,
            "worth": self._study.loss_margin,
        }
        about = {"model": self._model, "look": number}
        return Stage.of(Kind.LOOK, f"{self._study.name}-look-{number}", spec, needs, work, about)

    def _decide(self, number: int, losses: Mapping[Training, Stage]) -> Looked:
        arms, seeds = list(self._arms.values()), self._study.seeds
        doses = list(self._arms)
        values = np.full((len(arms), len(seeds), len(self._laid.items), len(self._laid.languages)), np.nan)
        for (arm, seed), stage in losses.items():
            table = fill(self._laid, {None: self._store.read(stage)}, "bits_per_byte")
            values[arms.index(arm), seeds.index(seed)] = table[0]
        others = self._laid.groups["others"]
        found = search(values, doses, self._study.loss_margin, lower_is_better=True, languages=others)
        last = found.looks[-1]
        return Looked(
            self._model,
            number,
            last.tunings,
            found.most,
            last.error,
            found.decision,
            None if found.low is None else int(found.low),
            None if found.high is None else int(found.high),
            tuple(int(dose) for dose in last.ladder.isolated) if found.decision is Decision.ISOLATED else (),
            tuple(
                DoseLook(
                    self._arms[int(one.dose)],
                    int(one.dose),
                    sum(arm == self._arms[int(one.dose)] for arm, _ in losses),
                    _state(one.dose, last.ladder, found.low),
                )
                for one in last.ladder.effects
            ),
            tuple(arm for arm in arms if not any(arm == trained for trained, _ in losses)),
            tuple(self._named(found.following)),
        )


def _state(dose: float, told: Ladder, low: float | None) -> DoseState:
    effect = next(one for one in told.effects if one.dose == dose)
    if dose in told.isolated or (low is not None and dose >= low and effect.better):
        return DoseState.BETTER
    return DoseState.HARMS if effect.harms else DoseState.OPEN
