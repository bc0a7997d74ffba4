"""What tuning gives at all, against the untuned base: Figure 10 of the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from polypinch.experiments.composition import Condition, alone
from polypinch.experiments.measured import LOSS, SCORE, Measured, ends
from polypinch.judge import ALL
from polypinch.stats import Array, Estimate, intervals
from polypinch.study import MONOLINGUAL, UNTUNED


@dataclass(frozen=True)
class Shares:
    """Wins, ties and losses against the untuned base, as shares of pairs: a row of ``tuned``."""

    model: str
    measure: str
    arm: str
    language: str
    win: float
    tie: float
    loss: float
    estimate: Estimate


@dataclass(frozen=True)
class Change:
    """The change of held-out loss against the untuned base: a row of ``tuned_loss``."""

    model: str
    measure: str
    arm: str
    language: str
    estimate: Estimate


TABLES = {"tuned": Shares, "tuned_loss": Change}
"""The rows of each exported table, by its name."""


@dataclass(frozen=True)
class Tuned:
    """What tuning gives.

    Attributes:
        model: the base model.
        against: what answers were compared with.
        shares: wins, ties and losses.
        changes: of held-out loss.
    """

    model: str
    against: str
    shares: tuple[Shares, ...]
    changes: tuple[Change, ...]


def measure(measured: Measured) -> Tuned | None:
    """Return wins, ties and losses against the untuned base, and the change of loss.

    Where a study compares with another arm, or with monolingual models, the untuned base was compared with
    that as well: it is then that opponent which stands here against the untuned base.
    """
    shares = [
        share for arm, outcome in _outcomes(measured).items() for share in _shares(measured, arm, outcome)
    ]
    if not shares:
        return None
    changes = _changes(measured, list(dict.fromkeys(share.arm for share in shares)))
    return Tuned(measured.model, measured.against, tuple(shares), tuple(changes))


def _outcomes(measured: Measured) -> dict[str, Array]:
    """Return (seeds, items, languages) outcomes of tuned models against the untuned base."""
    if measured.against == UNTUNED:
        outcomes = {name: arm.outcome for name, arm in measured.arms.items() if name != UNTUNED}
        return {name: outcome for name, outcome in outcomes.items() if outcome is not None}
    base = measured.arms[UNTUNED].outcome
    return {} if base is None else {measured.against: 1 - base}


def _shares(measured: Measured, arm: str, outcome: Array) -> list[Shares]:
    languages = measured.axes.languages
    scores = intervals(100 * outcome[None], [list(range(len(languages)))], ends(SCORE))
    rows = []
    for column, name in enumerate([*languages, ALL]):
        where = [column] if name != ALL else [at for at in range(len(languages)) if scores.n_items[0, at]]
        if not scores.n_items[0, column]:
            continue
        win, tie, loss = (
            float(np.mean([_share(outcome[..., at], value) for at in where])) for value in (1.0, 0.5, 0.0)
        )
        score = scores.estimate(0, column)
        rows.append(Shares(measured.model, SCORE, arm, name, win, tie, loss, score))
    return rows


def _share(outcome: Array, value: float) -> float:
    return float((outcome[np.isfinite(outcome)] == value).mean())


def _changes(measured: Measured, arms: Sequence[str]) -> list[Change]:
    languages = measured.axes.languages
    if measured.against == MONOLINGUAL:
        return _of_monolingual(measured, alone(measured.conditions))
    there = [arm for arm in arms if arm in measured.arms]
    values = measured.stacked(there, LOSS)
    if values is None:
        return []
    scores = intervals(values, [list(range(len(languages)))])
    return [
        Change(measured.model, LOSS, arm, name, scores.estimate(index, column))
        for index, arm in enumerate(there)
        for column, name in enumerate([*languages, ALL])
    ]


def _of_monolingual(measured: Measured, single: Mapping[str, Condition]) -> list[Change]:
    """Return each language's own model, in its own language alone: what its opponent is evaluated in."""
    languages = measured.axes.languages
    own = np.array([])
    for column, tag in enumerate(languages):
        values = measured.values(single[tag].arm, LOSS) if tag in single else None
        if values is None:
            continue
        if not own.size:
            own = np.full(values.shape, np.nan)
        own[..., column] = values[..., column]
    if not own.size:
        return []
    where = [column for column in range(len(languages)) if np.isfinite(own[..., column]).any()]
    scores = intervals(own[None], [where])
    columns = [*((column, languages[column]) for column in where), (len(languages), ALL)]
    return [
        Change(measured.model, LOSS, MONOLINGUAL, name, scores.estimate(0, column))
        for column, name in columns
    ]
