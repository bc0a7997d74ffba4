"""People's labels and judges' verdicts joined: how far people agree, and how far a judge agrees with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from polypinch.errors import PinchError
from polypinch.judge.labels import TIE, WINNERS, Judged, Panel, panel
from polypinch.judge.protocol import outcomes
from polypinch.judge.trust import Decision, decide, leaning
from polypinch.stats import (
    MISSING,
    Array,
    Codes,
    Coefficient,
    cohen_kappa,
    difference,
    estimate,
    exact,
    fleiss_kappa,
    joint,
    joint_among,
    krippendorff_alpha,
    majority_of_others,
    mean_agreement,
    mean_cohen_kappa,
    ratio,
    tie_discounted,
)

K = len(WINNERS)
LISTED = 6
"""Up to so many annotators, each pair of them gets a kappa of its own."""


@dataclass(frozen=True)
class Between:
    """Two raters' Cohen's kappa on the pairs that both labelled."""

    one: str
    other: str
    kappa: Coefficient


@dataclass(frozen=True)
class People:
    """How far people agree with each other in a language.

    Attributes:
        language: its tag.
        n_pairs: labelled pairs of answers.
        n_labels: labels on them.
        annotators: their names.
        n_several: pairs with two labels or more; without any, nothing can be said about agreement, and the
            coefficients are ``None``.
        between: each two annotators, where there are few.
        cohen: mean of those kappas.
        fleiss: Fleiss' kappa.
        krippendorff: Krippendorff's alpha.
        exact: the share of two labels that are the same.
        tie_discounted: the same as LIMA counts it.
        ceiling: a person with the majority of all others, tie-discounted.
    """

    language: str
    n_pairs: int
    n_labels: int
    annotators: tuple[str, ...]
    n_several: int
    between: tuple[Between, ...] = ()
    cohen: Coefficient | None = None
    fleiss: Coefficient | None = None
    krippendorff: Coefficient | None = None
    exact: Coefficient | None = None
    tie_discounted: Coefficient | None = None
    ceiling: Coefficient | None = None


@dataclass(frozen=True)
class WithPeople:
    """How far a judge agrees with people in a language.

    Attributes:
        judge: its name.
        language: the tag.
        n_pairs: labelled pairs that it decided.
        n_missing: labelled pairs that it did not, whatever the reason.
        kappa: Cohen's kappa against every label.
        exact: the share of labels that its choice equals.
        tie_discounted: the same as LIMA counts it, and, by the half points in its figures, the paper too.
        majority: the judge with the majorities that each person is held against; tie-discounted.
        shortfall: ``majority`` less what people reach with the same majorities, paired.
        flip_rate: the share of pairs on which the same position won in both orders.
        first_position: the share of its choices, ties aside, that went to the answer shown first.
        decision: see :data:`~polypinch.judge.trust.RULE`.
        sentence: what to do, in words.
    """

    judge: str
    language: str
    n_pairs: int
    n_missing: int
    kappa: Coefficient
    exact: Coefficient
    tie_discounted: Coefficient
    majority: Coefficient | None
    shortfall: Coefficient | None
    flip_rate: Coefficient | None
    first_position: Coefficient | None
    decision: Decision
    sentence: str


@dataclass(frozen=True)
class Validation:
    """What a validation found.

    Attributes:
        people: by language.
        judges: by judge and language.
        among_judges: each two judges on the labelled pairs, all languages together.
    """

    people: tuple[People, ...]
    judges: tuple[WithPeople, ...]
    among_judges: tuple[Between, ...]


def validate(labels: pa.Table, judges: Mapping[str, Judged] | None = None, seed: int = 0) -> Validation:
    """Hold judges against people, language by language.

    Intervals resample clusters of labels (pairs of answers to one prompt), the same for every judge.

    Args:
        labels: people's, in :data:`~polypinch.judge.labels.LABEL_SCHEMA`.
        judges: by name; none tells about people alone.
        seed: of the resampling.

    Raises:
        PinchError: a judge decided no labelled pair.
    """
    judges = judges or {}
    whole = panel(labels)
    chosen = {name: _aligned(whole, judged, name) for name, judged in judges.items()}
    people, found = [], []
    for tag in sorted({key[1] for key in whole.keys}):
        rows = np.array([key[1] == tag for key in whole.keys])
        part = _part(whole, rows)
        people.append(_people(tag, part, seed))
        found += [
            _with_people(name, tag, part, chosen[name][rows], judged, seed) for name, judged in judges.items()
        ]
    among = []
    for one, other in combinations(judges, 2):
        kappa = cohen_kappa(joint(chosen[one], chosen[other], K))
        among.append(Between(one, other, estimate(kappa, whole.clusters, seed=seed)))
    return Validation(tuple(people), tuple(found), tuple(among))


def _aligned(people: Panel, judged: Judged, name: str) -> Codes:
    """Return the judge's choice on each of the people's pairs."""
    own = panel(judged.labels)
    codes = dict(zip(own.keys, own.codes[:, 0].tolist(), strict=True)) if own.keys else {}
    found = np.array([codes.get(key, MISSING) for key in people.keys], dtype=np.int64)
    if not any(key in codes for key in people.keys):
        example = f", such as {people.keys[0][0]} ({people.keys[0][1]})" if people.keys else ""
        raise PinchError(
            f"{name} decided none of the {len(people.keys)} labelled pairs",
            fix=f"its item_id and language have to be those of the labels{example}",
        )
    return found


def _part(whole: Panel, rows: npt.NDArray[np.bool_]) -> Panel:
    kept = np.flatnonzero(rows)
    codes = whole.codes[kept]
    active = np.flatnonzero((codes != MISSING).any(axis=0))
    return Panel(
        tuple(whole.keys[i] for i in kept),
        tuple(whole.clusters[i] for i in kept),
        tuple(whole.annotators[j] for j in active),
        codes[:, active],
    )


def _people(tag: str, part: Panel, seed: int) -> People:
    codes, clusters = part.codes, part.clusters
    rated = (codes != MISSING).sum(axis=1)
    counted = People(tag, int((rated > 0).sum()), int(rated.sum()), part.annotators, int((rated > 1).sum()))
    if not counted.n_several:
        return counted
    few = len(part.annotators) <= LISTED
    names = enumerate(part.annotators)
    between = [
        Between(one, other, estimate(cohen_kappa(joint(codes[:, i], codes[:, j], K)), clusters, seed=seed))
        for (i, one), (j, other) in (combinations(names, 2) if few else ())
    ]
    pairs = joint_among(codes, K)
    others = joint(codes, majority_of_others(codes, K), K)
    return People(
        *(counted.language, counted.n_pairs, counted.n_labels, counted.annotators, counted.n_several),
        between=tuple(between),
        cohen=estimate(mean_cohen_kappa(codes, K), clusters, seed=seed) if few else None,
        fleiss=estimate(fleiss_kappa(codes, K), clusters, seed=seed),
        krippendorff=estimate(krippendorff_alpha(codes, K), clusters, seed=seed),
        exact=estimate(mean_agreement(pairs, exact(K)), clusters, seed=seed),
        tie_discounted=estimate(mean_agreement(pairs, _LIMA), clusters, seed=seed),
        ceiling=estimate(mean_agreement(others, _LIMA), clusters, seed=seed),
    )


_LIMA = tie_discounted(K, TIE)


def _with_people(name: str, tag: str, part: Panel, own: Codes, judged: Judged, seed: int) -> WithPeople:
    codes, clusters = part.codes, part.clusters
    labelled = (codes != MISSING).any(axis=1)
    decided = int((labelled & (own != MISSING)).sum())
    pairs = joint(own, codes, K)
    kappa = estimate(cohen_kappa(pairs), clusters, seed=seed)
    majority = shortfall = None
    if ((codes != MISSING).sum(axis=1) > 1).any():
        # Both sides only where the judge decided, so that they are held against the same majorities.
        others = np.where((own == MISSING)[:, None], MISSING, majority_of_others(codes, K))
        ours = mean_agreement(joint(own, others, K), _LIMA)
        theirs = mean_agreement(joint(codes, others, K), _LIMA)
        majority = estimate(ours, clusters, seed=seed)
        shortfall = difference(ours, theirs, clusters, seed=seed)
    flips, firsts = _bias(judged, part, tag, seed)
    decision, sentence = decide(kappa, shortfall, decided)
    leans = None if firsts is None else leaning(firsts)
    return WithPeople(
        judge=name,
        language=tag,
        n_pairs=decided,
        n_missing=int(labelled.sum()) - decided,
        kappa=kappa,
        exact=estimate(mean_agreement(pairs, exact(K)), clusters, seed=seed),
        tie_discounted=estimate(mean_agreement(pairs, _LIMA), clusters, seed=seed),
        majority=majority,
        shortfall=shortfall,
        flip_rate=flips,
        first_position=firsts,
        decision=decision,
        sentence=f"{sentence}; {leans}" if leans else sentence,
    )


def _bias(judged: Judged, part: Panel, tag: str, seed: int) -> tuple[Coefficient | None, Coefficient | None]:
    """Return the flip rate, ``None`` for one order alone, and the first-position rate."""
    if judged.verdicts is None:
        return None, None
    verdicts = judged.verdicts.filter(pc.field("language") == tag)
    flipped = {
        (row["item_id"], tag): [float(row["flipped"])]
        for row in outcomes(verdicts, judged.orders).to_pylist()
        if row["flipped"] is not None
    }
    firsts: dict[tuple[str, str], list[float]] = defaultdict(list)
    for item, winner in zip(verdicts["item_id"].to_pylist(), verdicts["winner"].to_pylist(), strict=True):
        if winner in ("first", "second"):
            firsts[item, tag].append(float(winner == "first"))
    rates = [
        estimate(ratio(_sum(part, values), _count(part, values)), part.clusters, seed=seed)
        for values in (flipped, firsts)
    ]
    return (rates[0] if judged.orders == "both" else None), rates[1]


def _sum(part: Panel, values: Mapping[tuple[str, str], Sequence[float]]) -> Array:
    return np.array([sum(values.get(key, ())) for key in part.keys], dtype=np.float64)


def _count(part: Panel, values: Mapping[tuple[str, str], Sequence[float]]) -> Array:
    return np.array([len(values.get(key, ())) for key in part.keys], dtype=np.float64)
