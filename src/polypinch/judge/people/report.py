"""What a job's ratings say: results, agreement, attention, time, and what to look at again."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from polypinch.judge.people.drawing import adjudicator_list
from polypinch.judge.people.job import CHOICES, Choice, Job, Rated, Rater
from polypinch.judge.people.ratings import Ratings
from polypinch.judge.people.reading import Said, Vote, counted, decided, read_ratings, votes
from polypinch.stats import (
    Bounds,
    Coefficient,
    Statistic,
    cohen_kappa,
    estimate,
    exact,
    fleiss_kappa,
    interval,
    joint,
    joint_among,
    krippendorff_alpha,
    mean_agreement,
)

ALL = "all"
_PAIR_CODES = ("arm", "against", "tie", Choice.BOTH_BAD.value)


@dataclass(frozen=True)
class Result:
    """How one arm was rated in one language, each item counting once with the mean of its raters.

    Attributes:
        arm: whose.
        against: the other arm of pairs, or ``None``.
        language: a tag, or ``all``.
        ratings: how many.
        shares: of each choice, 0 to 1, with intervals over items.
        score: of pairs win 1, tie 0.5, loss 0, in percent; ``None`` for single answers.
    """

    arm: str
    against: str | None
    language: str
    ratings: int
    shares: dict[str, Coefficient]
    score: Coefficient | None


@dataclass(frozen=True)
class Agreement:
    """How far a language's raters agree; intervals resample items.

    Attributes:
        language: a tag.
        raters: who rated.
        several: items that two raters or more rated.
        same: share of pairs of ratings that are the same.
        fleiss: Fleiss' kappa.
        krippendorff: Krippendorff's alpha, nominal.
    """

    language: str
    raters: tuple[str, ...]
    several: int
    same: Coefficient
    fleiss: Coefficient
    krippendorff: Coefficient


@dataclass(frozen=True)
class OfRater:
    """One rater's work.

    Attributes:
        rater: who.
        language: whose answers.
        adjudicates: whether they decide where others disagree.
        done: places rated.
        places: of the list.
        known: known answers told right, and how many were rated.
        repeats: repeats that were judged alike, and how many were rated.
        first: share of choices that fell on the answer shown first, ties aside; ``None`` without any.
        seconds: median time in view; ``None`` where it is not known.
        flags: how often each was set.
        comments: how many.
    """

    rater: str
    language: str
    adjudicates: bool
    done: int
    places: int
    known: tuple[int, int]
    repeats: tuple[int, int]
    first: float | None
    seconds: float | None
    flags: dict[str, int]
    comments: int


@dataclass(frozen=True)
class Disagreement:
    """What raters see otherwise.

    Attributes:
        task: its name in the job.
        item_id: the item.
        language: its language.
        arm: whose answer.
        against: the other of a pair, or ``None``.
        choices: by rater.
        comments: by rater, where there is one.
    """

    task: str
    item_id: str
    language: str
    arm: str
    against: str | None
    choices: dict[str, str]
    comments: dict[str, str]


@dataclass(frozen=True)
class JobReport:
    """All of it.

    Attributes:
        source: where the answers are from.
        rated: pairs or answers.
        fewer: what was left out of the job, by reason.
        results: by arm and language.
        agreement: by language.
        raters: by name.
        disagreements: by language and item.
    """

    source: str
    rated: str
    fewer: dict[str, int]
    results: list[Result] = field(default_factory=list)
    agreement: list[Agreement] = field(default_factory=list)
    raters: list[OfRater] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)


def job_report(job: Job) -> JobReport:
    """Read a job's ratings, while it goes on or afterwards."""
    said = read_ratings(job)
    with Ratings(job.ratings_file) as kept:
        raters = kept.raters()
        places = Counter(place.rater for place in kept.lists())
    own = [one for one in counted(said) if not one.adjudicates]
    return JobReport(
        job.facts.source,
        job.facts.rated.value,
        {reason: count for reason, count in job.facts.fewer.items() if count},
        _results(job, own),
        [_agreement(job, tag, own) for tag in job.facts.languages],
        [_of_rater(rater, [one for one in said if one.rater == rater.name], places) for rater in raters],
        disagreements(said),
    )


@dataclass(frozen=True)
class WithJudge:
    """How a judge's verdicts on one arm agree with what people decided together, in one language.

    Attributes:
        arm: whose score it is.
        against: what it is compared with.
        language: a tag.
        compared: pairs of answers that both judged.
        same: share of them with one outcome; the interval is that of every share.
        kappa: Cohen's, which takes off what chance alone would give; the interval resamples items.
        people: mean score that people gave the arm, win 1, tie 0.5, loss 0, in percent.
        judge: the judge's of the same pairs, each an outcome: above a half it won.
    """

    arm: str
    against: str
    language: str
    compared: int
    same: Coefficient
    kappa: Coefficient
    people: float
    judge: float


PairKey = tuple[str, str, int | None, str, str]
"""Arm, against, seed, item, language."""


def with_judge(job: Job, scores: Mapping[PairKey, float]) -> list[WithJudge]:
    """Hold a judge's scores against what people decided, arm by arm and language by language.

    Args:
        job: with its ratings; where answers were graded alone, pairs are made of the grades.
        scores: of the judge by pair: win 1, tie 0.5, loss 0; above a half the arm won. Whichever way round
            people were shown a pair, its outcome is told of the arm that the judge scored.
    """
    together: dict[PairKey, list[Vote]] = defaultdict(list)
    for vote in votes(job):
        together[vote.arm, vote.against, vote.seed, vote.item_id, vote.language].append(vote)
    judged: dict[tuple[str, str, str], list[tuple[str, int, int]]] = defaultdict(list)
    for (arm, against, seed, item, tag), group in together.items():
        people = _OUTCOMES.index(
            decided(
                [one.choice for one in group if not one.adjudicates],
                [one.choice for one in group if one.adjudicates],
            )
        )
        key = arm, against, seed, item, tag
        if key not in scores:
            key, people = (against, arm, seed, item, tag), len(_OUTCOMES) - 1 - people
        if key in scores:
            outcome = int(np.sign(scores[key] - 0.5)) + 1
            judged[key[0], key[1], tag].append((item, people, outcome))
    order = {tag: place for place, tag in enumerate(job.facts.languages)}
    keys = sorted(judged, key=lambda key: (key[0], key[1], order[key[2]]))
    return [_agreeing(*key, judged[key]) for key in keys]


_OUTCOMES = ("against", "tie", "arm")


def _agreeing(arm: str, against: str, tag: str, rows: Sequence[tuple[str, int, int]]) -> WithJudge:
    same: dict[tuple[str, str], list[float]] = defaultdict(list)
    for item, people, judge in rows:
        same[item, tag].append(float(people == judge))
    codes = np.array([row[1:] for row in rows], dtype=np.int64)
    both = joint(codes[:, 0], codes[:, 1], len(_OUTCOMES))
    means = 50.0 * codes.mean(axis=0)
    return WithJudge(
        arm,
        against,
        tag,
        len(rows),
        _mean(same, 1.0),
        estimate(cohen_kappa(both), [row[0] for row in rows]),
        float(means[0]),
        float(means[1]),
    )


def disagreements(said: Sequence[Said]) -> list[Disagreement]:
    """Return the tasks on which raters, adjudicators aside, chose differently."""
    by_task: dict[str, list[Said]] = defaultdict(list)
    for one in counted(said):
        if not one.adjudicates:
            by_task[one.task.task].append(one)
    unlike = [group for group in by_task.values() if len({one.choice for one in group}) > 1]
    return [
        Disagreement(
            group[0].task.task,
            group[0].task.item_id,
            group[0].task.language,
            group[0].task.arm,
            group[0].task.against,
            {one.rater: one.choice for one in group},
            {one.rater: one.comment for one in group if one.comment},
        )
        for group in sorted(
            unlike, key=lambda group: (group[0].task.language, group[0].task.item_id, group[0].task.pair)
        )
    ]


def _codes(job: Job) -> tuple[str, ...]:
    return _PAIR_CODES if job.facts.rated is Rated.PAIRS else CHOICES[job.facts.rated]


def _results(job: Job, said: Sequence[Said]) -> list[Result]:
    names = _codes(job)
    groups: dict[tuple[str, str | None], list[Said]] = defaultdict(list)
    for one in said:
        groups[one.task.arm, one.task.against].append(one)
    results = []
    for (arm, against), group in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        for tag in (*job.facts.languages, ALL):
            own = [one for one in group if tag in (ALL, one.task.language)]
            if not own or (tag == ALL and len(job.facts.languages) == 1):
                continue
            shares = {name: _share(own, {name: 1.0}) for name in names}
            score = None
            if job.facts.rated is Rated.PAIRS:
                score = _share(own, {"arm": 100.0, "tie": 50.0, Choice.BOTH_BAD.value: 50.0}, 100.0)
            results.append(Result(arm, against, tag, len(own), shares, score))
    return results


def _share(said: Sequence[Said], worth: dict[str, float], most: float = 1.0) -> Coefficient:
    """Return the mean worth of choices: over an item's raters first, then over items and languages.

    The interval is that of every score (:mod:`polypinch.stats.means`): where all are of one mind, a few items
    still leave room.
    """
    of_task: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in said:
        of_task[one.task.item_id, one.task.language].append(worth.get(one.choice, 0.0))
    return _mean(of_task, most)


def _mean(worth: Mapping[tuple[str, str], Sequence[float]], most: float) -> Coefficient:
    """Return the mean of values between 0 and ``most``, given by item and language, each language alike."""
    items = list(dict.fromkeys(item for item, _ in worth))
    tags = list(dict.fromkeys(tag for _, tag in worth))
    values = np.full((1, len(items), len(tags)), np.nan)
    for (item, tag), each in worth.items():
        values[0, items.index(item), tags.index(tag)] = statistics.fmean(each)
    found = interval(values, bounds=Bounds(0.0, most))
    return Coefficient(found.value, found.low, found.high, found.n_items)


def _agreement(job: Job, tag: str, said: Sequence[Said]) -> Agreement:
    own = [one for one in said if one.task.language == tag]
    raters = tuple(sorted({one.rater for one in own}))
    tasks = {task: place for place, task in enumerate(dict.fromkeys(one.task.task for one in own))}
    names = _codes(job)
    codes = np.full((len(tasks), max(1, len(raters))), -1, dtype=np.int64)
    for one in own:
        codes[tasks[one.task.task], raters.index(one.rater)] = names.index(one.choice)
    clusters = [job.tasks[task].item_id for task in tasks]

    def of(statistic: Statistic) -> Coefficient:
        return estimate(statistic, clusters)

    return Agreement(
        tag,
        raters,
        int(((codes >= 0).sum(axis=1) >= 2).sum()),
        of(mean_agreement(joint_among(codes, len(names)), exact(len(names)))),
        of(fleiss_kappa(codes, len(names))),
        of(krippendorff_alpha(codes, len(names))),
    )


def _of_rater(rater: Rater, said: Sequence[Said], places: Counter[str]) -> OfRater:
    known = [one.choice == one.task.expected for one in said if one.task.expected is not None]
    before = {one.task.task: one.choice for one in said if not one.repeat}
    again = [before[one.task.task] == one.choice for one in said if one.repeat and one.task.task in before]
    sided = [one for one in said if one.choice in ("arm", "against") and one.task.expected is None]
    firsts = [(one.choice == "arm") == one.arm_first for one in sided]
    seconds = [one.seconds for one in said if one.seconds is not None]
    return OfRater(
        rater.name,
        rater.language,
        rater.adjudicates,
        len(said),
        places[rater.name],
        (sum(known), len(known)),
        (sum(again), len(again)),
        statistics.fmean(firsts) if firsts else None,
        statistics.median(seconds) if seconds else None,
        dict(Counter(flag.partition(":")[2] for one in said for flag in one.flags)),
        sum(bool(one.comment) for one in said),
    )


def adjudicate(job: Job) -> dict[str, int]:
    """Give the disagreements of each language to a further rater, who decides them.

    Called again, it adds those that arose since.

    Returns:
        How many places were added, by the adjudicator's name.
    """
    unlike = disagreements(read_ratings(job))
    added = {}
    with Ratings(job.ratings_file) as kept:
        lists = kept.lists()
        for tag in job.facts.languages:
            rater = Rater(f"{tag}-adjudicator", tag, adjudicates=True)
            there = [place for place in lists if place.rater == rater.name]
            names = {place.task for place in there}
            new = [one.task for one in unlike if one.language == tag and one.task not in names]
            if new:
                kept.add([rater], adjudicator_list(job, rater, new, len(there)))
                added[rater.name] = len(new)
    return added
