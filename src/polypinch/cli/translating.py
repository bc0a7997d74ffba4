"""polypinch translate."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polypinch.cli.options import Json
from polypinch.cli.show import print_json, print_table
from polypinch.cli.translators import local_translator, server_translator
from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    from polypinch.translate import ServerTranslator, Translated, Try, Wanted


def translate_command(
    what: Annotated[
        str,
        typer.Argument(metavar="PLAN.yaml|POOL", help="A plan, whose lacking rows are made; or a pool."),
    ],
    out: Annotated[Path, typer.Option(help="The folder of the translations: pool.parquet, tries.jsonl.")],
    to: Annotated[str | None, typer.Option(help="Languages, as de,fr; of a pool.")] = None,
    items: Annotated[
        int | None, typer.Option(min=1, help="How many items of a pool, into each language; all by default.")
    ] = None,
    base: Annotated[str, typer.Option(help="The language that a pool's items are translated from.")] = "en",
    model: Annotated[str | None, typer.Option(help="The translating model, as its server names it.")] = None,
    base_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible server, up to /v1; key: $OPENAI_API_KEY.")
    ] = None,
    translator: Annotated[
        str | None,
        typer.Option(help="A translation model's folder or Hub id, run here: NLLB, MADLAD, or Marian."),
    ] = None,
    prompt: Annotated[str, typer.Option(help="A folder with a prompt of your own.")] = "plain",
    glossary: Annotated[
        Path | None, typer.Option(help="A YAML file of terms: {de: {term: translation}}.")
    ] = None,
    by_hand: Annotated[
        Path | None,
        typer.Option(
            help="A sheet for people, CSV or XLIFF (.xlf): written, or read if it is there. {language} in its"
            " name makes a sheet for each language."
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Calls under way at that server.")] = 16,
    prices: Annotated[Path | None, typer.Option(help="A file: {model: {input: $, output: $}}.")] = None,
    max_cost: Annotated[float | None, typer.Option(help="Dollars to spend at most, in all runs.")] = None,
    estimate: Annotated[bool, typer.Option(help="Say the rows, calls and dollars, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Translate exactly the rows that a plan lacks, or a pool's first items, checked row by row.

    Example: polypinch translate plan.yaml --out pinch --model gpt-4o-mini

    What a check doubts is tried again, up to three times, then left out and told. Run again, it goes on.
    """
    from polypinch.translate import finish, translate_rows

    source, wanted = _wanted(what, to, items, base)
    if not wanted:
        say("nothing is lacking: every row that is wanted is there")
        return
    if by_hand is not None:
        made = _by_hand(by_hand, wanted, source)
        if made is not None:
            print_translated(finish(wanted, made, out), out, as_json)
        return
    if translator is not None:
        here = local_translator(translator, source, sorted({row.language for row in wanted}))
        if estimate:
            say(f"{len(wanted):,} rows, translated here: no calls, no dollars")
            return
        print_translated(translate_rows(wanted, here, source, out, concurrency=1), out, as_json)
        return
    if model is None:
        raise PinchError(
            f"{len(wanted)} rows are to be translated, and nobody is named who could",
            fix="--model and --base-url for a server, --translator for a model here, or --by-hand"
            " sheet.csv for people",
        )
    server = server_translator(model, base_url, prompt, source, glossary, prices)
    if max_cost is not None and server.price is None:
        raise PinchError(
            f"the cost is limited, and there is no price for {model}", fix="--prices prices.yaml"
        )
    if estimate:
        _print_estimate(wanted, server, as_json)
        return
    done = translate_rows(wanted, server, source, out, concurrency=concurrency, max_cost=max_cost)
    print_translated(done, out, as_json)
    if left := sum(line.open for line in done.lines):
        why = "the server did not answer" if max_cost is None else "the limit was reached, or nobody answered"
        raise PinchError(
            f"{left} rows are not settled: {why}",
            fix="run the same command again, which goes on"
            + (", with a higher --max-cost" if max_cost else ""),
        )


def _wanted(what: str, to: str | None, items: int | None, base: str) -> tuple[str, list[Wanted]]:
    from polypinch.languages import language
    from polypinch.mix import MixPlan
    from polypinch.pool import open_pool
    from polypinch.specs import load_yaml
    from polypinch.translate import wanted_by_plan, wanted_of_pool

    if what.endswith((".yaml", ".yml")):
        if to is not None or items is not None:
            raise PinchError(
                "a plan says itself into which languages, and how much", fix="leave out --to, --items"
            )
        plan = load_yaml(Path(what), MixPlan)
        return plan.base, wanted_by_plan(plan, open_pool(plan.pool))
    if to is None:
        raise PinchError("into which languages?", fix="--to de,fr")
    tags = [tag.strip() for tag in to.split(",") if tag.strip()]
    return language(base).tag, wanted_of_pool(open_pool(what), language(base).tag, tags, items)


def _by_hand(pattern: Path, wanted: list[Wanted], source: str) -> dict[tuple[str, str], list[Try]] | None:
    """Write the sheets that are not there; of those that are, return what people filled in."""
    from polypinch.translate import Checker, read_sheet, sheets, write_sheet

    there: dict[Path, list[Wanted]] = {}
    for sheet, rows in sheets(pattern, wanted).items():
        if sheet.exists():
            there[sheet] = rows
            continue
        write_sheet(rows, source, sheet)
        say(f"{len(rows)} rows: fill in the targets of {sheet}, then run this again")
    if not there:
        return None
    checker = Checker(source, sorted({row.language for row in wanted}))
    by_key = {(row.item_id, row.language): row for row in wanted}
    filled = {key: one for sheet, rows in there.items() for key, one in read_sheet(sheet, rows).items()}
    return {key: [checker.check(by_key[key], one)] for key, one in filled.items()}


def _print_estimate(wanted: list[Wanted], translator: ServerTranslator, as_json: bool) -> None:
    tokens = sum(translator.prompt_tokens(row) for row in wanted)
    most = sum(translator.prompt.most_tokens(row.messages) for row in wanted)
    cost = sum(map(translator.most, wanted)) if translator.price else None
    if as_json:
        print_json({"rows": len(wanted), "prompt_tokens": tokens, "completion_tokens": most, "cost": cost})
        return
    money = "at a price not known" if cost is None else f"for at most ${cost:.2f}"
    typer.echo(
        f"{len(wanted):,} rows, a call each and up to two more where a check doubts it: {tokens:,} tokens in,"
        f" at most {most:,} out, {money} in the first round (tokens by bytes)"
    )


def print_translated(done: Translated, out: Path, as_json: bool) -> None:
    """Print what translating came to, language by language."""
    if as_json:
        print_json({"pool": str(out / "pool.parquet"), "languages": [asdict(line) for line in done.lines]})
        return
    print_table(
        ["language", "wanted", "translated", "left out", "open", "tries", "tokens", "doubted"],
        [
            [
                line.language,
                line.wanted,
                line.translated,
                line.left_out,
                line.open,
                line.tries,
                line.tokens,
                ", ".join(f"{name} {count}" for name, count in line.doubts.items()),
            ]
            for line in done.lines
        ],
    )
    for one in done.left_out[:_SHOWN]:
        typer.echo(f"left out: {one.item_id} ({one.language}): {one.error or '; '.join(one.doubts)}")
    if len(done.left_out) > _SHOWN:
        typer.echo(f"… and {len(done.left_out) - _SHOWN} more, in {out / 'tries.jsonl'}")
    say(f"{done.rows.num_rows} rows in {out / 'pool.parquet'}")


_SHOWN = 10
