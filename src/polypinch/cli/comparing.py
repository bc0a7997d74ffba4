"""polypinch compare."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.judging import (
    BaseUrl,
    Concurrency,
    JudgeModel,
    JudgeName,
    LocalModel,
    MaxCalls,
    MaxCost,
    PriceTable,
    RetryFailed,
    Revision,
    StoreFile,
)
from polypinch.cli.options import Json
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError

if TYPE_CHECKING:
    from pyarrow import Table

    from polypinch.judge import Backend, Fidelities, Judge, SideBySide
    from polypinch.stats import Estimate


def compare_command(
    ours: Annotated[
        Path, typer.Argument(metavar="A", help="Answers: Parquet, CSV, JSON Lines, or a folder.")
    ],
    theirs: Annotated[Path, typer.Argument(metavar="B", help="The answers that A's are compared with.")],
    *,
    judge: JudgeName = "pairwise",
    model: JudgeModel = None,
    base_url: BaseUrl = None,
    local: LocalModel = None,
    revision: Revision = None,
    prompts: Annotated[
        str | None, typer.Option(help="The pool that was answered. [default: the files' column prompt]")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Of AlpacaEval's and FastChat's answers that do not say theirs.")
    ] = None,
    one_order: Annotated[
        bool, typer.Option("--one-order", help="Judge each pair in one drawn order, at half the cost.")
    ] = False,
    prices: PriceTable = None,
    max_cost: MaxCost = None,
    max_calls: MaxCalls = None,
    concurrency: Concurrency = 16,
    retry_failed: RetryFailed = False,
    store: StoreFile = None,
    out: Annotated[Path | None, typer.Option(help="Write the verdicts there, as Parquet.")] = None,
    adaptive: Annotated[
        bool, typer.Option("--adaptive", help="Judge each language only until its score is settled.")
    ] = False,
    half_width: Annotated[
        float, typer.Option(min=0, max=0.5, help="With --adaptive: narrow enough; 0.05 is 5 points of score.")
    ] = 0.05,
    error: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="With --adaptive: of all languages together.")
    ] = 0.05,
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
    from polypinch.judge import (
        Limits,
        Spent,
        VerdictStore,
        choose_backend,
        estimate_pairs,
        judge_adaptively,
        judge_pairs,
        load_judge,
        load_prices,
        read_pairs,
        summarise_verdicts,
    )
    from polypinch.models import home
    from polypinch.pool import open_pool

    chosen = load_judge(judge)
    pairs = read_pairs(ours, theirs, open_pool(prompts) if prompts else None, language)
    if adaptive and not chosen.kind.asks_model:
        raise PinchError("the judge reference asks nobody: --adaptive saves nothing", fix="leave it out")
    if not chosen.kind.asks_model:
        _refuse_without_references(pairs["reference"].null_count, pairs.num_rows)
        backend = None
    else:
        backend = choose_backend(chosen, model=model, base_url=base_url, local=local, revision=revision)
    limits = Limits(concurrency, max_calls, max_cost)
    table = load_prices(prices) if prices else None
    orders = chosen.kind.orders("sampled" if one_order else "both")
    spent = Spent()
    with VerdictStore(store or home() / "verdicts.sqlite") as kept:
        if estimate and backend is not None:
            found = estimate_pairs(
                pairs,
                chosen,
                backend,
                kept,
                orders=orders,
                limits=limits,
                prices=table,
                retry_failed=retry_failed,
            )
            _print_estimate(found.as_dict(), str(found), as_json)
            return
        ask = partial(
            judge_pairs,
            judge=chosen,
            backend=backend,
            store=kept,
            arm=_name(ours, theirs),
            against=_name(theirs, ours),
            seed=None,
            orders=orders,
            limits=limits,
            prices=table,
            retry_failed=retry_failed,
            spent=spent,
            quiet=adaptive,
        )
        adapted = None
        if adaptive:
            adapted = judge_adaptively(
                pairs,
                ask,
                orders=orders,
                half_width=half_width,
                error=error,
                at_a_time=concurrency,
                label="judge",
            )
        verdicts = adapted.verdicts if adapted else ask(pairs)
    if out is not None:
        write_table(out, verdicts)
    lines = summarise_verdicts(
        verdicts,
        orders,
        adapted.languages if adapted else None,
        _fidelities(pairs),
        ordered=chosen.kind.sees_order,
    )
    failures = Counter(why for why in verdicts["error"].to_pylist() if why is not None)
    about = _about(chosen, backend, orders)
    if as_json:
        *languages, overall = [line.as_dict() for line in lines]
        found_all = {"languages": languages, "all": overall, "errors": dict(sorted(failures.items()))}
        saved = {"error": error, "half_width": half_width, "saved": adapted.saved} if adapted else None
        files = {"a": str(ours), "b": str(theirs), "judge": about}
        print_json({**files, **found_all, "adaptive": saved, "spent": spent.as_dict()})
        _fail_without_verdicts(verdicts, failures)
        return
    sides = f"{_name(ours, theirs)} against {_name(theirs, ours)}"
    _print_lines(lines, f"{sides}, by {_said(about)} (95 % intervals; 50 is parity)", adapted is not None)
    if adapted:
        typer.echo(
            f"{adapted.saved:,} calls not made: the rest had settled it. Intervals of scores speak of all"
            f" pairs that could have been judged; with {1 - error:.0%} they hold together, whenever it stops"
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


def _print_estimate(found: dict[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        typer.echo(words)


def _name(path: Path, other: Path) -> str:
    return path.stem if path.stem != other.stem else str(path)


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
