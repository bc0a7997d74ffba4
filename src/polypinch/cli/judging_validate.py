"""polypinch judge validate: people first, then each judge against them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.judging import BaseUrl, Calls, LocalModel
from polypinch.cli.options import Json, folded
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError

if TYPE_CHECKING:
    import pyarrow as pa

    from polypinch.judge import Backend, Judge, People, Validation, WithPeople
    from polypinch.judge.labels import Judged
    from polypinch.stats import Coefficient


@dataclass(frozen=True, kw_only=True)
class PeoplesLabels:
    """What people chose."""

    labels: Annotated[
        Path,
        typer.Option(metavar="FILE", help="What people chose: PandaLM, Auto-J, CSV … or a job of ratings."),
    ]
    layout: Annotated[
        str | None,
        typer.Option(help="pandalm, arena, menlo, wmt, table … (docs/validation.md); else detected."),
    ] = None
    language: Annotated[str | None, typer.Option(help="Of rows that do not say theirs.")] = None
    limit: Annotated[int | None, typer.Option(min=1, help="Take so many pairs, drawn by --seed.")] = None
    seed: Annotated[int, typer.Option(help="Of the sample and of the intervals.")] = 0

    def read(self) -> pa.Table:
        """Read them, and draw the sample."""
        from polypinch.judge.labels import read_labels, sample

        people = read_labels(self.labels, self.layout, self.language)
        return people if self.limit is None else sample(people, self.limit, self.seed)


@dataclass(frozen=True, kw_only=True)
class Judges:
    """Who is held against them."""

    judge: Annotated[
        list[str] | None, typer.Option(help="A judge to ask: built-in name or folder; may be repeated.")
    ] = None
    model: Annotated[
        list[str] | None, typer.Option(help="Its model, as the server names it; each one is a judge.")
    ] = None
    base_url: BaseUrl = None
    local: LocalModel = None
    verdicts: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Verdicts given elsewhere: ours, FastChat, AlpacaEval …"),
    ] = None
    jury: Annotated[str | None, typer.Option(help="Seat all judges as one more: by majority or mean.")] = None

    def backends(self, judge: Judge) -> list[Backend]:
        """Return whom a judge asks, one by one."""
        from polypinch.judge import choose_backend

        named: list[str | None] = [*self.model] if self.model else [None]
        return [choose_backend(judge, model=name, base_url=self.base_url, local=self.local) for name in named]


@folded
def validate_command(
    people: PeoplesLabels,
    others: Judges,
    calls: Calls,
    write_measured: Annotated[
        bool, typer.Option("--write-measured", help="Keep the figures in the judge's folder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Hold judges against people: may a judge be trusted, language by language?

    Says first how far people agree with each other, with or without a judge. Intervals resample prompts.

    Example: polypinch judge validate --labels testset-v1.json --judge pairwise --model gpt-4o-mini
    """
    from polypinch.judge import load_judge, validate
    from polypinch.judge.interchange import read_judged

    if others.jury not in (None, "majority", "mean"):
        raise PinchError(f"--jury {others.jury}: no such rule", fix="use majority or mean")
    labels = people.read()
    judges: dict[str, Judged] = {}
    for path in others.verdicts or []:
        _add(judges, read_judged(path, None, people.language), str(path))
    asked: dict[str, Judge] = {}
    for judge in [load_judge(name) for name in others.judge or []]:
        for judged in _ask(_to_judge(labels, judge), judge, others.backends(judge), calls):
            _add(judges, judged, judge.name)
            asked |= dict.fromkeys(judged, judge)
    if others.jury is not None:
        _add(judges, _jury(judges, others.jury), "the jury")
    done = validate(labels, judges, people.seed)
    if write_measured:
        _keep(done, asked, people.labels)
    if as_json:
        from polypinch.judge import RULE

        about = {"labels": str(people.labels), "limit": people.limit, "seed": people.seed, "rule": RULE}
        print_json({**about, **vars(done)})
        return
    _print(done, people.labels)


def _add(judges: dict[str, Judged], found: dict[str, Judged], where: str) -> None:
    twice = sorted(judges.keys() & found.keys())
    if twice:
        raise PinchError(f"{where}: the judge {', '.join(twice)} is there already", fix="give each once")
    judges |= found


def _to_judge(people: pa.Table, judge: Judge) -> pa.Table:
    from polypinch.judge.labels import pair_rows

    if not judge.kind.asks_model:
        raise PinchError("labels have no references to compare with", fix="name another judge")
    pairs = pair_rows(people)
    if not pairs.num_rows:
        raise PinchError("the labels hold no texts to judge", fix="give --verdicts instead of --judge")
    return pairs


def _ask(pairs: pa.Table, judge: Judge, backends: list[Backend], calls: Calls) -> Iterator[dict[str, Judged]]:
    """Ask a judge about every pair, once for each model."""
    from polypinch.judge import Sides, Spent, judge_pairs
    from polypinch.judge.labels import judged

    how, spent, sides = calls.terms(), Spent(), Sides("one", "other")
    with calls.kept() as kept:
        for backend in backends:
            yield judged(judge_pairs(pairs, judge, backend, kept, sides, how, spent=spent))


def _jury(judges: dict[str, Judged], rule: Any) -> dict[str, Judged]:
    from polypinch.judge import jury
    from polypinch.judge.labels import judged

    without = [name for name, one in judges.items() if one.verdicts is None]
    if without:
        raise PinchError(
            f"no jury with {', '.join(without)}: only its choices are known, not its verdicts order by order",
            fix="give verdicts of ours or FastChat's judgments of pairs",
        )
    try:
        return judged(jury([one.verdicts for one in judges.values()], rule))
    except ValueError as error:
        raise PinchError(
            str(error), fix="give two judges or more with --judge, --model or --verdicts"
        ) from error


def _keep(done: Validation, asked: dict[str, Judge], labels: Path) -> None:
    from polypinch.judge import keep_measured

    if not asked:
        raise PinchError("--write-measured: no judge was asked", fix="name one with --judge")
    for name, judge in asked.items():
        figures = {one.language: asdict(one) for one in done.judges if one.judge == name}
        keep_measured(judge, name, labels, figures)


def _print(done: Validation, labels: Path) -> None:
    rows = [line for one in done.people for line in _people_lines(one)]
    if rows:
        print_table(["language", "people", "value", "95 %"], rows, labels.name)
    for one in done.people:
        if not one.n_several:
            typer.echo(
                f"{one.language}: {one.n_pairs:,} pairs with one label each: people's agreement unknown"
            )
        else:
            who = ", ".join(one.annotators) if one.between else f"{len(one.annotators)} people"
            typer.echo(f"{one.language}: {one.n_labels:,} labels on {one.n_pairs:,} pairs by {who}")
    if not done.judges:
        typer.echo("no judge was named: --judge or --verdicts holds one against these labels")
        return
    typer.echo()
    for name in dict.fromkeys(judged.judge for judged in done.judges):
        lines = [line for judged in done.judges if judged.judge == name for line in _judge_lines(judged)]
        print_table(["language", name, "value", "95 %"], lines)
        typer.echo()
    for pair in done.among_judges:
        value, span = _number(pair.kappa)
        typer.echo(f"{pair.one} and {pair.other}: Cohen's κ {value} ({span})")
    for judged in done.judges:
        typer.echo(f"{judged.decision}: in {judged.language}, {judged.judge} {judged.sentence}")


def _people_lines(one: People) -> list[list[str]]:
    if not one.n_several:
        return []
    between = [(f"Cohen's κ, {pair.one} and {pair.other}", _number(pair.kappa)) for pair in one.between]
    lines = [
        *between,
        *([("Cohen's κ, mean", _number(one.cohen))] if len(between) > 1 else []),
        ("Fleiss' κ", _number(one.fleiss)),
        ("Krippendorff's α", _number(one.krippendorff)),
        ("the same choice, %", _percent(one.exact)),
        ("agreement as LIMA, %", _percent(one.tie_discounted)),
        ("with the others' majority, %", _percent(one.ceiling)),
    ]
    return [[one.language, what, *figures] for what, figures in lines]


def _judge_lines(one: WithPeople) -> list[list[str]]:
    missing = f", {one.n_missing:,} missing" if one.n_missing else ""
    lines = [
        (f"pairs decided{missing}", (f"{one.n_pairs:,}", "")),
        ("Cohen's κ with people", _number(one.kappa)),
        ("the same choice, %", _percent(one.exact)),
        ("agreement as LIMA, %", _percent(one.tie_discounted)),
        ("with the majority, %", _percent(one.majority)),
        ("that less people's, points", _percent(one.shortfall)),
        ("flips with the order, %", _percent(one.flip_rate)),
        ("chooses the first, %", _percent(one.first_position)),
    ]
    return [[one.language, what, *figures] for what, figures in lines if figures != ("–", "–")]


def _percent(found: Coefficient | None) -> tuple[str, str]:
    return _figures(found, 100, 1)


def _number(found: Coefficient | None) -> tuple[str, str]:
    return _figures(found, 1, 3)


def _figures(found: Coefficient | None, scale: float, digits: int) -> tuple[str, str]:
    if found is None or math.isnan(found.value):
        return "–", "–"
    value, low, high = (f"{scale * x:.{digits}f}" for x in (found.value, found.low, found.high))
    return value.replace("-", "−"), f"{low} to {high}".replace("-", "−")
