"""What people said, as tables: ratings with their sides resolved, verdicts of a judge, labels."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.files import fingerprint
from polypinch.judge.labels import LABEL_SCHEMA
from polypinch.judge.people.job import Choice, Job, Rated, Task
from polypinch.judge.people.ratings import Ratings
from polypinch.judge.protocol import ORDERS, VERDICT_SCHEMA, Sides

NAME = "people"
_GRADE = {Choice.EXCELLENT: 2, Choice.PASS: 1, Choice.FAIL: 0}


@dataclass(frozen=True)
class Said:
    """A rating with what it was of.

    Attributes:
        task: what was shown.
        rater: who.
        adjudicates: whether they decide where others disagree.
        repeat: whether they had it before.
        arm_first: whether the arm's answer was shown first; ``None`` for single answers.
        choice: of a pair ``arm``, ``against``, ``tie`` or ``both_bad``; of an answer ``excellent``,
            ``pass`` or ``fail``.
        flags: as ``arm:unsafe``.
        comment: in the rater's words.
        seconds: that it was in view, or ``None``.
        time: when it was stored, in UTC.
        position: in the rater's list.
    """

    task: Task
    rater: str
    adjudicates: bool
    repeat: bool
    arm_first: bool | None
    choice: str
    flags: tuple[str, ...]
    comment: str
    seconds: float | None
    time: str
    position: int

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of a table of ratings, without the texts."""
        task = self.task
        about = {
            "item_id": task.item_id,
            "language": task.language,
            "arm": task.arm,
            "against": task.against,
            "seed": task.seed,
            "expected": task.expected,
        }
        own = {name: value for name, value in asdict(self).items() if name != "task"}
        return {**about, **own, "flags": " ".join(self.flags)}


def read_ratings(job: Job) -> list[Said]:
    """Return all that was said in a job, by rater and place."""
    with Ratings(job.ratings_file) as kept:
        deciding = {rater.name for rater in kept.raters() if rater.adjudicates}
        places = {(place.rater, place.position): place for place in kept.lists()}
        ratings = kept.ratings()
    said = []
    for rating in ratings:
        place = places[rating.rater, rating.position]
        if place.task not in job.tasks:
            raise PinchError(
                f"{job.ratings_file} rates what is not in the job", fix="restore the job's files"
            )
        said.append(
            Said(
                job.tasks[place.task],
                rating.rater,
                rating.rater in deciding,
                place.repeat,
                place.arm_first,
                _resolved(rating.choice, place.arm_first),
                tuple(_whose(flag, place.arm_first) for flag in rating.flags),
                rating.comment,
                rating.seconds,
                rating.time,
                rating.position,
            )
        )
    return said


def _resolved(choice: str, arm_first: bool | None) -> str:
    if choice not in (Choice.FIRST, Choice.SECOND) or arm_first is None:
        return choice
    return "arm" if (choice == Choice.FIRST) == arm_first else "against"


def _whose(flag: str, arm_first: bool | None) -> str:
    side, _, what = flag.partition(":")
    return f"{'arm' if (side == 'first') == (arm_first is not False) else 'against'}:{what}"


def counted(said: Sequence[Said]) -> list[Said]:
    """Return the ratings that results are made of: without repeats and known answers."""
    return [one for one in said if not one.repeat and one.task.expected is None]


@dataclass(frozen=True)
class Vote:
    """Whom one rater chose, of two arms on one item.

    Attributes:
        arm: whose score it is.
        against: the other.
        seed: the training seed, or ``None``.
        item_id: the item.
        language: its language.
        rater: who.
        adjudicates: whether they decide.
        choice: ``arm``, ``against`` or ``tie``.
        texts: prompt, the arm's answer, the other's.
    """

    arm: str
    against: str
    seed: int | None
    item_id: str
    language: str
    rater: str
    adjudicates: bool
    choice: str
    texts: tuple[str, str, str]


def votes(job: Job, against: str | None = None) -> list[Vote]:
    """Return whom each rater chose; where answers were graded alone, whom they graded higher.

    Args:
        job: with its ratings.
        against: of single answers, the arm that the others are held against; by default all pairs of arms,
            in the order of their names.
    """
    said = counted(read_ratings(job))
    if job.facts.rated is Rated.PAIRS:
        return [
            Vote(
                one.task.arm,
                one.task.against or "",
                one.task.seed,
                one.task.item_id,
                one.task.language,
                one.rater,
                one.adjudicates,
                "tie" if one.choice in (Choice.TIE, Choice.BOTH_BAD) else one.choice,
                (one.task.prompt, one.task.arm_text, one.task.against_text or ""),
            )
            for one in said
        ]
    by_place: dict[tuple[str, str, str], list[Said]] = defaultdict(list)
    for one in said:
        by_place[one.rater, one.task.item_id, one.task.language].append(one)
    return [vote for group in by_place.values() for vote in _graded(group, against)]


def _graded(group: Sequence[Said], against: str | None) -> list[Vote]:
    made = []
    for one in group:
        for other in group:
            seeds = {one.task.seed, other.task.seed} - {None}
            fits = other.task.arm == against if against is not None else one.task.arm < other.task.arm
            if one.task.arm == other.task.arm or not fits or len(seeds) > 1:
                continue
            ours, theirs = (_GRADE[Choice(side.choice)] for side in (one, other))
            choice = "tie" if ours == theirs else "arm" if ours > theirs else "against"
            texts = (one.task.prompt, one.task.arm_text, other.task.arm_text)
            made.append(
                Vote(
                    one.task.arm,
                    other.task.arm,
                    next(iter(seeds), None),
                    one.task.item_id,
                    one.task.language,
                    one.rater,
                    one.adjudicates,
                    choice,
                    texts,
                )
            )
    return made


def decided(choices: Sequence[str], deciding: Sequence[str] = ()) -> str:
    """Return what raters chose together: what most chose, and a tie where several choices share the lead.

    Args:
        choices: of the raters; one at least, unless ``deciding`` has one.
        deciding: of adjudicators, which count where the raters are not of one mind.
    """
    counting = deciding if deciding and len(set(choices)) != 1 else choices
    (choice, most), *others = Counter(counting).most_common(2)
    return "tie" if others and others[0][1] == most else choice


def job_identity(job: Job) -> str:
    """Return 64 hex digits of all that the job's verdicts depend on."""
    lines = sorted(
        [one.task.pair, one.task.item_id, one.task.language, one.rater, one.adjudicates, one.choice]
        for one in counted(read_ratings(job))
    )
    same = sorted([task.pair, task.item_id, task.language] for task in job.tasks.values() if task.identical)
    return fingerprint([job.facts.rated.value, lines, same])


def verdicts(job: Job, sides: Sides, texts: Mapping[tuple[str, str], Sequence[str]]) -> pa.Table:
    """Return people's verdicts on an arm's answers.

    Each item's is the choice of most of its raters; no order is seen, as raters see both among them, so its
    two orders agree. Items that nobody rated have no row.

    Args:
        job: with its ratings.
        sides: whose answers are compared; a job of untrained answers has no seed.
        texts: by (item, language) the two answers as they are now; a rating of other texts is refused.

    Returns:
        Rows in :data:`~polypinch.judge.VERDICT_SCHEMA`; ``raw`` holds who chose what, as JSON.

    Raises:
        PinchError: the answers that were rated are not these.
    """
    groups: dict[tuple[str, str], list[Vote]] = defaultdict(list)
    arm, against, seed = sides.arm, sides.against, sides.seed
    for vote in votes(job, against):
        if (vote.arm, vote.against) == (arm, against) and vote.seed in (seed, None):
            _refuse_other_texts(job, vote, texts)
            groups[vote.item_id, vote.language].append(vote)
    rows = []
    for (item, tag), group in sorted(groups.items()):
        chosen = [vote.choice for vote in group if not vote.adjudicates]
        result = decided(chosen, [vote.choice for vote in group if vote.adjudicates])
        shares = Counter(chosen)
        rows += _both_orders(
            {"arm": arm, "against": against, "seed": seed, "item_id": item, "language": tag},
            result,
            texts[item, tag],
            raw=json.dumps({vote.rater: vote.choice for vote in group}, ensure_ascii=False),
            reason=", ".join(f"{shares[name]} of {len(chosen)} chose {name}" for name in sorted(shares)),
        )
    for task in job.tasks.values():
        if task.identical and (task.arm, task.against) == (arm, against) and task.seed in (seed, None):
            key = (task.item_id, task.language)
            about = {"arm": arm, "against": against, "seed": seed, "item_id": key[0], "language": key[1]}
            if key in texts:
                rows += _both_orders(about, "tie", texts[key], raw=None, reason="the answers are identical")
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)


def _refuse_other_texts(job: Job, vote: Vote, texts: Mapping[tuple[str, str], Any]) -> None:
    now = texts.get((vote.item_id, vote.language))
    if now is None or tuple(now) != vote.texts[1:]:
        raise PinchError(
            f"{job.folder}: item {vote.item_id!r} in {vote.language!r} was rated on other answers than"
            f" {vote.arm} and {vote.against} have now",
            fix="make a job from this study (polypinch rate make), or name the study that the job is from",
        )


def _both_orders(
    about: dict[str, Any], choice: str, texts: Sequence[str], raw: str | None, reason: str
) -> list[dict[str, Any]]:
    rows = []
    for order in ORDERS:
        winner = (
            "tie" if choice == "tie" else "first" if (choice == "arm") == (order == ORDERS[0]) else "second"
        )
        lengths = {"arm_length": len(texts[0]), "against_length": len(texts[1])}
        rows.append(
            {
                **about,
                "order": order,
                "judge": NAME,
                "winner": winner,
                "raw": raw,
                "reason": reason,
                **lengths,
            }
        )
    return rows


def job_labels(job: Job) -> pa.Table:
    """Return a job's ratings as labels: ``first`` is the arm's answer, translations of an item one cluster.

    Raises:
        PinchError: nothing is rated yet.
    """
    rows = []
    for vote in votes(job):
        if not vote.adjudicates:
            pair = "/".join(str(part) for part in (vote.item_id, vote.arm, vote.against, vote.seed) if part)
            prompt, one, other = vote.texts
            rows.append(
                {
                    "item_id": pair,
                    "language": vote.language,
                    "annotator": vote.rater,
                    "prompt": prompt,
                    "one_text": one,
                    "other_text": other,
                    "winner": {"arm": "first", "against": "second"}.get(vote.choice, "tie"),
                    "source": job.folder.name,
                    "cluster": vote.item_id,
                }
            )
    if not rows:
        raise PinchError(f"{job.folder}: no pair is rated yet", fix="polypinch rate serve lets people rate")
    return pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)
