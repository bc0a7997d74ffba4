"""polypinch compare, and the judges: list and show."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import Json
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError

if TYPE_CHECKING:
    from polypinch.judge import Backend, Judge, Orders
    from polypinch.stats import Estimate
    from polypinch.study.compare import Comparison

judge_app = typer.Typer(no_args_is_help=True, help="Judges: what they are asked, and what is known of them.")

JudgeName = Annotated[str, typer.Option("--judge", help="A built-in judge's name, or a folder.")]
JudgeModel = Annotated[str | None, typer.Option("--model", help="The judge's model, as its server names it.")]
BaseUrl = Annotated[
    str | None,
    typer.Option(help="An OpenAI-compatible server, up to /v1. [default: $OPENAI_BASE_URL, OpenAI]"),
]
LocalModel = Annotated[str | None, typer.Option("--local", help="A model for this process, as the judge.")]
Revision = Annotated[str | None, typer.Option(help="Of the model behind the server, for the record.")]
PriceTable = Annotated[
    Path | None, typer.Option("--prices", help="YAML: {MODEL: {input: $, output: $}}, a million tokens each.")
]
MaxCost = Annotated[float | None, typer.Option(help="Stop before spending more dollars; needs --prices.")]
MaxCalls = Annotated[int | None, typer.Option(min=1, help="Stop after so many calls.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Calls under way at a time.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Ask again where a call failed before.")]
StoreFile = Annotated[
    Path | None,
    typer.Option("--store", help="Verdicts paid for. [default: verdicts.sqlite in $POLYPINCH_HOME]"),
]


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
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what it would take, and stop before the first call.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two sets of answers by a judge, in both orders, by language, with 95 % intervals.

    Files hold item_id, language, text, and prompt unless --prompts names a pool; --judge reference needs
    references. Verdicts are kept: the same command goes on after a stop, and asks nothing twice.

    Example: polypinch compare tuned base --prompts pinch12 --judge pairwise --model gpt-4o-mini
    """
    from polypinch.files import write_table
    from polypinch.judge import (
        Limits,
        Spent,
        VerdictStore,
        choose_backend,
        estimate_pairs,
        judge_pairs,
        load_judge,
        load_prices,
    )
    from polypinch.models import home
    from polypinch.pool import open_pool
    from polypinch.study.compare import read_pairs, summarise_verdicts

    chosen = load_judge(judge)
    pairs = read_pairs(ours, theirs, open_pool(prompts) if prompts else None)
    if chosen.kind == "reference":
        _refuse_without_references(pairs["reference"].null_count, pairs.num_rows)
        backend = None
    else:
        backend = choose_backend(chosen, model=model, base_url=base_url, local=local, revision=revision)
    limits = Limits(concurrency, max_calls, max_cost)
    table = load_prices(prices) if prices else None
    orders: Orders = "sampled" if one_order else "both"
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
        verdicts = judge_pairs(
            pairs,
            chosen,
            backend,
            kept,
            arm=_name(ours, theirs),
            against=_name(theirs, ours),
            seed=None,
            orders=orders,
            limits=limits,
            prices=table,
            retry_failed=retry_failed,
            spent=spent,
        )
    if out is not None:
        write_table(out, verdicts)
    lines = summarise_verdicts(verdicts, orders)
    failures = [error for error in verdicts["error"].to_pylist() if error is not None]
    about = _about(chosen, backend, orders)
    if as_json:
        *languages, overall = [line.as_dict() for line in lines]
        counted = {error: failures.count(error) for error in sorted(set(failures))}
        files = {"a": str(ours), "b": str(theirs), "judge": about}
        print_json(
            {**files, "languages": languages, "all": overall, "errors": counted, "spent": spent.as_dict()}
        )
        return
    sides = f"{_name(ours, theirs)} against {_name(theirs, ours)}"
    title = f"{sides}, by {_said(about)} (95 % intervals; 50 is parity)"
    columns = ["language", "pairs", "score", "flips %", "first wins %", "longer wins %", "missing"]
    print_table(columns, [_cells(line) for line in lines], title)
    if backend is not None:
        typer.echo(f"this run: {spent}; {spent.failed} failed")
    for error in sorted(set(failures)):
        typer.echo(f"no verdict ×{failures.count(error)}: {error}")


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
        "kind": judge.kind,
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


def _cells(line: Comparison) -> list[str | int | None]:
    rates = [_span(rate, 100) for rate in (line.flips, line.firsts, line.longer)]
    return [line.language, line.score.n_items, _span(line.score, 1), *rates, line.missing]


def _span(found: Estimate, scale: float) -> str:
    if math.isnan(found.value):
        return "–"
    return f"{scale * found.value:.1f} ({scale * found.low:.0f}–{scale * found.high:.0f})"


@judge_app.command("list")
def list_command(as_json: Json = False) -> None:
    """List the built-in judges.

    Example: polypinch judge list
    """
    from polypinch.judge import built_in_judges, load_judge

    judges = [load_judge(name) for name in built_in_judges()]
    if as_json:
        print_json([_declared(judge) for judge in judges])
        return
    rows = [
        [judge.name, judge.kind, judge.version[:12], "yes" if judge.measured else "no"] for judge in judges
    ]
    print_table(["judge", "kind", "version", "validated"], rows)


@judge_app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A built-in judge's name, or a folder.")],
    as_json: Json = False,
) -> None:
    """Show a judge: its settings, its prompt, the schema of its reply, and what was measured of it.

    Example: polypinch judge show pairwise
    """
    import json

    import yaml

    from polypinch.judge import load_judge

    judge = load_judge(name)
    if as_json:
        print_json(_declared(judge) | {"prompt": judge.template, "translations": judge.translations})
        return
    typer.echo(f"{judge.name}, version {judge.version[:12]}, in {judge.path}\n")
    typer.echo(yaml.safe_dump(judge.settings.model_dump(mode="json"), sort_keys=False))
    for title, text in [("prompt", judge.template), *judge.translations.items()]:
        if text:
            typer.echo(f"— {title} —\n{text}")
    if judge.schema is not None:
        typer.echo(f"— reply —\n{json.dumps(judge.schema, indent=2)}\n")
    typer.echo(
        "not validated against people yet"
        if judge.measured is None
        else f"— measured —\n{yaml.safe_dump(judge.measured, sort_keys=False, allow_unicode=True)}"
    )


def _declared(judge: Judge) -> dict[str, Any]:
    return {
        "name": judge.name,
        "kind": judge.kind,
        "version": judge.version,
        "path": str(judge.path),
        "settings": judge.settings.model_dump(mode="json"),
        "schema": judge.schema,
        "measured": judge.measured,
    }
