"""What people said of a study's answers: a part of the page, as the paper has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from polypinch.judge import Orders, outcomes
from polypinch.judge.people import ALL, Job, PairKey, Rated, WithJudge, job_report, with_judge
from polypinch.languages import language
from polypinch.report import Cells, Numbers, Part
from polypinch.stats import Coefficient
from polypinch.study import Graph, Store

RATINGS = "ratings"
"""The CSV file's name."""
PEOPLE_AND_JUDGE = "people_and_judge"
"""That of their agreement."""

_SAID = {"arm": "better", "against": "worse", "tie": "tie", "both_bad": "both bad"}


@dataclass(frozen=True)
class RatedRow:
    """How often people chose something of an arm's answers.

    Attributes:
        job: the ratings' folder.
        arm: whose answers.
        against: the arm that they were shown beside; empty where they were graded alone.
        language: a tag, or ``all``.
        choice: excellent, pass, fail; or better, worse, tie, both bad.
        value: its share, 0 to 1, each item counting once with the mean of its raters.
        low: lower end of the 95 % interval.
        high: upper end.
        ratings: all of the arm in the language.
    """

    job: str
    arm: str
    against: str
    language: str
    choice: str
    value: float
    low: float
    high: float
    ratings: int


@dataclass(frozen=True)
class AgreementRow:
    """How a study's judge agrees with people on one arm in one language.

    Attributes:
        job: the ratings' folder.
        arm: whose score it is.
        against: what it is compared with.
        language: a tag.
        compared: pairs of answers that both judged.
        same: share with one outcome (won, tie, lost).
        same_low: lower end of its 95 % interval.
        same_high: upper end.
        kappa: Cohen's kappa.
        kappa_low: lower end of its 95 % interval.
        kappa_high: upper end.
        people: mean score that people gave the arm, in percent.
        judge: the judge's of the same pairs.
    """

    job: str
    arm: str
    against: str
    language: str
    compared: int
    same: float
    same_low: float
    same_high: float
    kappa: float
    kappa_low: float
    kappa_high: float
    people: float
    judge: float


def rated_part(job: Job, scores: dict[PairKey, float], judge: str) -> Part | None:
    """Return the part of the page that shows a job's ratings; ``None`` where nobody has rated yet.

    Args:
        job: of the study's answers.
        scores: the study's judge's by pair, see :func:`judge_scores`.
        judge: it, in words.
    """
    found = job_report(job)
    if not found.results:
        return None
    name = job.folder.name
    rows = [
        RatedRow(
            name,
            one.arm,
            one.against or "",
            one.language,
            _SAID.get(choice, choice),
            share.value,
            share.low,
            share.high,
            one.ratings,
        )
        for one in found.results
        for choice, share in one.shares.items()
    ]
    beside = with_judge(job, scores)
    raters = [one for one in found.raters if not one.adjudicates and one.done]
    lead = (
        f"{len(raters)} people {'compared two answers' if found.rated == Rated.PAIRS else 'graded answers'},"
        f" blind to what made them, {sum(one.done for one in raters)} times. Shares in percent."
    )
    notes = [
        f"{_named(one.language)}: raters agree in {_percent(one.same)} %, Krippendorff's alpha"
        f" {_two(one.krippendorff)}."
        for one in found.agreement
        if one.several
    ]
    tables = [_shares_table(rows)]
    if beside:
        notes.append(f"The judge that is held against people: {judge}.")
        tables.append(_agreement_table(beside))
    return Part(
        f"What do people say? ({name})",
        f"ratings-{name}",
        lead,
        tuple(notes),
        (),
        {RATINGS: rows, PEOPLE_AND_JUDGE: [_agreement_row(name, one) for one in beside]},
        tuple(tables),
    )


def judge_scores(graph: Graph, store: Store, orders: Orders) -> dict[PairKey, float]:
    """Return the outcome of each pair of answers that a study's judge compared: win 1, tie 0.5, loss 0."""
    columns = ("arm", "against", "seed", "item_id", "language", "outcome")
    found: dict[PairKey, float] = {}
    for compared in graph.compared:
        table = outcomes(store.read(compared.verdicts), orders)
        for arm, against, seed, item, tag, outcome in zip(
            *(table[name].to_pylist() for name in columns), strict=True
        ):
            if outcome is not None:
                found[arm, against, seed, item, tag] = outcome
    return found


def _shares_table(rows: Sequence[RatedRow]) -> Numbers:
    choices = list(dict.fromkeys(row.choice for row in rows))
    lines: dict[tuple[str, str, str], Cells] = {}
    for row in rows:
        key = row.arm, row.against, row.language
        cell = {"value": f"{100 * row.value:.0f}", "span": f"{100 * row.low:.0f} to {100 * row.high:.0f}"}
        lines.setdefault(key, []).append(cell)
    shown = [(_line(arm, against, tag), cells) for (arm, against, tag), cells in lines.items()]
    return Numbers("Shares of what people said", ("arm and language", *choices), shown)


def _agreement_table(rows: Sequence[WithJudge]) -> Numbers:
    def cells(one: WithJudge) -> Iterator[dict[str, str]]:
        yield {"value": str(one.compared), "span": ""}
        yield {"value": f"{100 * one.same.value:.0f} %", "span": _span(one.same, 100, 0)}
        yield {"value": f"{one.kappa.value:.2f}".replace("-", "−"), "span": _span(one.kappa, 1, 2)}
        yield {"value": f"{one.people:.0f}", "span": ""}
        yield {"value": f"{one.judge:.0f}", "span": ""}

    judged = ("score by people", "score by the judge")
    head = ("arm and language", "pairs", "same outcome", "Cohen's kappa", *judged)
    lines: list[tuple[str, Cells]] = [
        (_line(one.arm, one.against, one.language), list(cells(one))) for one in rows
    ]
    return Numbers("People and the judge", head, lines)


def _agreement_row(job: str, one: WithJudge) -> AgreementRow:
    return AgreementRow(
        job,
        one.arm,
        one.against,
        one.language,
        one.compared,
        one.same.value,
        one.same.low,
        one.same.high,
        one.kappa.value,
        one.kappa.low,
        one.kappa.high,
        one.people,
        one.judge,
    )


def _line(arm: str, against: str, tag: str) -> str:
    return f"{arm}{f' against {against}' if against else ''}, {_named(tag)}"


def _named(tag: str) -> str:
    return "all languages" if tag == ALL else language(tag).name


def _percent(share: Coefficient) -> str:
    return f"{100 * share.value:.0f} ({_span(share, 100, 0)})"


def _two(found: Coefficient) -> str:
    return f"{found.value:.2f} ({_span(found, 1, 2)})".replace("-", "−")


def _span(found: Coefficient, by: float, digits: int) -> str:
    return f"{by * found.low:.{digits}f} to {by * found.high:.{digits}f}".replace("-", "−")
