"""polypinch compare."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.judging import BaseUrl, Calls, LocalModel
from polypinch.cli.options import Json, folded
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError

if TYPE_CHECKING:
    from pyarrow import Table

    from polypinch.judge import Backend, Fidelities, Forecast, Judge, SideBySide
    from polypinch.stats import Estimate


@dataclass(frozen=True, kw_only=True)
class AnswerFiles:
    """The answers that are compared, and their prompts."""

    ours: Annotated[Path, typer.Argument(metavar="A", help="Answers: Parquet, CSV, JSON Lines, or a folder.")]
    theirs: Annotated[Path, typer.Argument(metavar="B", help="The answers that A's are compared with.")]
    prompts: Annotated[
        str | None, typer.Option(help="The pool that was answered. [default: the files' column prompt]")
    ] = None
    language: Annotated[
        str | None, typer.Option(help="Of AlpacaEval's and FastChat's answers that do not say theirs.")
    ] = None

    def pairs(self) -> Table:
        """Read them, as :func:`~polypinch.judge.read_pairs`."""
        from polypinch.judge import read_pairs
        from polypinch.pool import open_pool

        return read_pairs(
            self.ours, self.theirs, open_pool(self.prompts) if self.prompts else None, self.language
        )

    def names(self) -> tuple[str, str]:
        """Return short names of the two."""
        if self.ours.stem == self.theirs.stem:
            return str(self.ours), str(self.theirs)
        return self.ours.stem, self.theirs.stem


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which judge is asked, by which model, in which orders."""

    judge: Annotated[str, typer.Option(help="A built-in judge's name, or a folder.")] = "pairwise"
    model: Annotated[str | None, typer.Option(help="The judge's model, as its server names it.")] = None
    base_url: BaseUrl = None
    local: LocalModel = None
    revision: Annotated[str | None, typer.Option(help="Of the model behind the server, for the record.")] = (
        None
    )
    one_order: Annotated[
        bool, typer.Option("--one-order", help="Judge each pair in one drawn order, at half the cost.")
    ] = False

    def backend(self, judge: Judge) -> Backend | None:
        """Return whom the judge asks, ``None`` where it asks nobody."""
        from polypinch.judge import choose_backend

        if not judge.kind.asks_model:
            return None
        return choose_backend(
            judge, model=self.model, base_url=self.base_url, local=self.local, revision=self.revision
        )


@dataclass(frozen=True, kw_only=True)
class Adaptive:
    """Whether, and until when, each language is judged."""

    adaptive: Annotated[
        bool, typer.Option("--adaptive", help="Judge each language only until its score is settled.")
    ] = False
    half_width: Annotated[
        float, typer.Option(min=0, max=0.5, help="With --adaptive: narrow enough; 0.05 is 5 points of score.")
    ] = 0.05
    error: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="With --adaptive: of all languages together.")
    ] = 0.05


@folded
def compare_command(
    files: AnswerFiles,
    asked: Asked,
    calls: Calls,
    until: Adaptive,
    out: Annotated[Path | None, typer.Option(help="Write the verdicts there, as Parquet.")] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what it would take, and stop before the first call.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two sets of answers by a judge, in both orders, by language, with 95 % intervals.

    Files hold item_id, language, text, and prompt unless --prompts names a pool; --judge reference needs
    references. AlpacaEval's model_outputs.json and FastChat's model_answer files are read too. Verdicts are
    kept: the same command goes on after a stop, and asks nothing twice.

    Example: polypinch compare tuned base --prompts pinch12 --judge pairwise --model gpt-4o-mini
    """
    from polypinch.files import write_table
    from polypinch.judge import Sides, Spent, estimate_pairs, judge_adaptively, judge_pairs, load_judge
    from polypinch.judge import summarise_verdicts as summarise

    judge, pairs = load_judge(asked.judge), files.pairs()
    if not judge.kind.asks_model:
        if until.adaptive:
            raise PinchError("the judge reference asks nobody: --adaptive saves nothing", fix="leave it out")
        _refuse_without_references(pairs["reference"].null_count, pairs.num_rows)
    backend = asked.backend(judge)
    how = calls.terms(judge.kind.orders("sampled" if asked.one_order else "both"))
    arm, against = files.names()
    spent = Spent()
    with calls.kept() as kept:
        if estimate and backend is not None:
            expected = estimate_pairs(pairs, judge, backend, kept, how)
            _print_estimate(expected, as_json)
            return
        ask = partial(
            judge_pairs,
            judge=judge,
            backend=backend,
            store=kept,
            sides=Sides(arm, against),
            how=how,
            spent=spent,
            label=None if until.adaptive else "judge",
        )
        adapted = None
        if until.adaptive:
            adapted = judge_adaptively(
                pairs,
                ask,
                orders=how.orders,
                half_width=until.half_width,
                error=until.error,
                at_a_time=calls.concurrency,
                label="judge",
            )
        verdicts = adapted.verdicts if adapted else ask(pairs)
    if out is not None:
        write_table(out, verdicts)
    lines = summarise(
        verdicts,
        how.orders,
        adapted.languages if adapted else None,
        _fidelities(pairs),
        ordered=judge.kind.sees_order,
    )
    failures = Counter(why for why in verdicts["error"].to_pylist() if why is not None)
    about = _about(judge, backend, how.orders)
    if as_json:
        *languages, overall = lines
        found_all = {"languages": languages, "all": overall, "errors": dict(sorted(failures.items()))}
        saved = (
            {"error": until.error, "half_width": until.half_width, "saved": adapted.saved}
            if adapted
            else None
        )
        of = {"a": str(files.ours), "b": str(files.theirs), "judge": about}
        print_json({**of, **found_all, "adaptive": saved, "spent": spent})
        _fail_without_verdicts(verdicts, failures)
        return
    _print_lines(
        lines,
        f"{arm} against {against}, by {_said(about)} (95 % intervals; 50 is parity)",
        adapted is not None,
    )
    if adapted:
        typer.echo(
            f"{adapted.saved:,} calls not made: the rest had settled it. Intervals of scores speak of all"
            f" pairs that could have been judged; with {1 - until.error:.0%} they hold together,"
            " whenever it stops"
        )
    if backend is not None:
        typer.echo(f"this run: {spent}; {spent.failed} failed")
    for why, count in sorted(failures.items()):
        typer.echo(f"no verdict ×{count}: {why}")
    _fail_without_verdicts(verdicts, failures)


def _fail_without_verdicts(verdicts: Table, failures: Counter[str]) -> None:
    """End with a failure where the judge came to no verdict at all; where some lack, their count is told."""
    if verdicts["winner"].null_count == verdicts.num_rows:
        raise PinchError(
            f"no verdict could be had: {failures.most_common(1)[0][0] if failures else 'there is no pair'}",
            fix="name another model or judge, or see to what it says, then run the same with --retry-failed",
        )


def _fidelities(pairs: Table) -> Fidelities:
    from polypinch.judge import fidelities
    from polypinch.progress import say

    try:
        return fidelities(pairs)
    except PinchError as untold:  # scores can be had without
        say(f"the languages of the answers are not told: {untold.message}")
        return {}, {}


def _refuse_without_references(missing: int, rows: int) -> None:
    if missing:
        raise PinchError(
            f"the judge reference compares with references, and {missing} of {rows} pairs have none",
            fix="name a pool that has them (--prompts), add a column reference, or name another judge",
        )


def _print_estimate(expected: Forecast, as_json: bool) -> None:
    if as_json:
        print_json(expected)
    else:
        typer.echo(str(expected))


def _about(judge: Judge, backend: Backend | None, orders: str) -> dict[str, Any]:
    return {
        "name": judge.name,
        "kind": judge.kind.name,
        "version": judge.version,
        "model": backend.model if backend else None,
        "revision": backend.revision if backend else None,
        "orders": orders,
        "measured": judge.measured,
    }


def _said(about: dict[str, Any]) -> str:
    if about["model"] is None:
        return f"the judge {about['name']} (fidelity × chrF, no LLM judge)"
    orders = "both orders" if about["orders"] == "both" else "one drawn order"
    return f"the judge {about['name']}, model {about['model']}, {orders}"


def _print_lines(lines: list[SideBySide], title: str, adaptive: bool) -> None:
    columns = ["language", "pairs", "score", "at equal length", "both in language", "language losses %"]
    more = ["not asked, settled", "settled"] if adaptive else []
    print_table([*columns, "missing", *more], [_scores(line, adaptive) for line in lines], title)
    if any(not math.isnan(rate.value) for line in lines for rate in (line.flips, line.firsts, line.longer)):
        rates = [[line.language, *map(_share, (line.flips, line.firsts, line.longer))] for line in lines]
        typer.echo()
        print_table(["language", "flips %", "first wins %", "longer wins %"], rates, "the judge")


def _scores(line: SideBySide, adaptive: bool) -> list[str | int | None]:
    scores = [_span(score, 1) for score in (line.score, line.length_controlled, line.both_right)]
    more = [line.not_asked, line.decided] if adaptive else []
    losses = _share(line.wrong_language_losses)
    return [line.language, line.score.n_items, *scores, losses, line.missing, *more]


def _share(found: Estimate) -> str:
    return _span(found, 100)


def _span(found: Estimate, scale: float) -> str:
    if math.isnan(found.value):
        return "–"
    return f"{scale * found.value:.1f} ({scale * found.low:.0f}–{scale * found.high:.0f})"
