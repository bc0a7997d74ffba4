"""What tuning gives at all, against the untuned base: Figure 10 of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from polypinch.experiments.composition import Condition
from polypinch.experiments.measured import LOSS, SCORE, Measured
from polypinch.report import Experiment
from polypinch.stats import Array, score_arms
from polypinch.study import ALL, MONOLINGUAL, UNTUNED


def tuned(measured: Measured, single: Mapping[str, Condition]) -> Experiment | None:
    """Return wins, ties and losses against the untuned base, and the change of loss.

    Where a study compares with another arm, or with monolingual models, the untuned base was compared with
    that as well: it is then that opponent which stands here against the untuned base.

    Args:
        measured: the arms' measures.
        single: arms by the one language that they were tuned on: the monolingual models, if they are arms.
    """
    shares = []
    for arm, outcome in _outcomes(measured).items():
        shares += _shares(measured, arm, outcome)
    if not shares:
        return None
    changes = _changes(measured, [str(row["arm"]) for row in shares], single)
    facts = {"against": measured.against}
    return Experiment("tuned", measured.model, {"tuned": shares, "tuned_loss": changes}, facts)


def _outcomes(measured: Measured) -> dict[str, Array]:
    """Return (seeds, items, languages) outcomes of tuned models against the untuned base."""
    if measured.against == UNTUNED:
        found = {name: one.outcome for name, one in measured.arms.items() if name != UNTUNED}
        return {name: one for name, one in found.items() if one is not None}
    base = measured.arms[UNTUNED].outcome
    return {} if base is None else {measured.against: 1 - base}


def _shares(measured: Measured, arm: str, outcome: Array) -> list[dict[str, Any]]:
    languages = measured.axes.languages
    scores = score_arms(100 * outcome[None], [list(range(len(languages)))])
    rows = []
    for column, name in enumerate([*languages, ALL]):
        where = [column] if name != ALL else [at for at in range(len(languages)) if scores.n_items[0, at]]
        if not scores.n_items[0, column]:
            continue
        parts = {
            word: float(np.mean([_share(outcome[..., at], value) for at in where]))
            for word, value in (("win", 1.0), ("tie", 0.5), ("loss", 0.0))
        }
        about = {"arm": arm, "language": name, **parts}
        rows.append(measured.level(scores.estimate(0, column), SCORE, **about))
    return rows


def _share(outcome: Array, value: float) -> float:
    return float((outcome[np.isfinite(outcome)] == value).mean())


def _changes(measured: Measured, arms: list[str], single: Mapping[str, Condition]) -> list[dict[str, Any]]:
    languages = measured.axes.languages
    columns = [*languages, ALL]
    if measured.against == MONOLINGUAL:
        return _of_monolingual(measured, single)
    there = [arm for arm in dict.fromkeys(arms) if arm in measured.arms]
    values = measured.stacked(there, LOSS)
    if values is None:
        return []
    found = score_arms(values, [list(range(len(languages)))])
    return [
        measured.row(found.estimate(index, column), LOSS, arm=arm, language=name)
        for index, arm in enumerate(there)
        for column, name in enumerate(columns)
    ]


def _of_monolingual(measured: Measured, single: Mapping[str, Condition]) -> list[dict[str, Any]]:
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
    found = score_arms(own[None], [where])
    rows = [
        measured.row(found.estimate(0, column), LOSS, arm=MONOLINGUAL, language=languages[column])
        for column in where
    ]
    return [*rows, measured.row(found.estimate(0, len(languages)), LOSS, arm=MONOLINGUAL, language=ALL)]
