"""polypinch season."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.mixing import print_manifest
from polypinch.cli.options import DEFAULT_MODEL
from polypinch.cli.show import echo, print_json, print_table
from polypinch.cli.translating import print_translated
from polypinch.cli.translators import is_address, translator_of
from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    from polypinch.season import Outlook, Request, Season, Tuning
    from polypinch.translate import Translator


def season_command(
    rows: Annotated[
        str, typer.Argument(metavar="ROWS", help="Your rows: a file or folder, a pool, or hub:OWNER/NAME.")
    ],
    *,
    languages: Annotated[str, typer.Option(help="Languages to put in, as de,fr,ja.")],
    out: Annotated[Path, typer.Option(help="The folder of all that comes out.")],
    language: Annotated[str, typer.Option(help="The language of your rows.")] = "en",
    count: Annotated[
        int | None, typer.Option(min=1, help="Examples in other languages, in total. [default: advised]")
    ] = None,
    translator: Annotated[
        str | None,
        typer.Option(
            help="Who translates: an OpenAI-compatible server's address up to /v1, or a translation model's"
            " folder or Hub id."
            " Without it, the built-in pool's own items are put in."
        ),
    ] = None,
    translator_model: Annotated[
        str | None, typer.Option(help="The translating model, where its server has several.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="A folder with a translation prompt of your own.")] = "plain",
    glossary: Annotated[
        Path | None, typer.Option(help="A YAML file of terms: {de: {term: translation}}.")
    ] = None,
    prices: Annotated[Path | None, typer.Option(help="A file: {model: {input: $, output: $}}.")] = None,
    max_cost: Annotated[float | None, typer.Option(help="Dollars to spend at most, in all runs.")] = None,
    model: Annotated[
        str | None, typer.Option(help="The base model: its chat format goes with the rows; --tune tunes it.")
    ] = None,
    tune: Annotated[
        bool, typer.Option("--tune", help="Tune the model, and show it before and after.")
    ] = False,
    tuning: Annotated[
        Path | None, typer.Option(help="A YAML file with settings of the tuning (polypinch schema recipe).")
    ] = None,
    heldout_items: Annotated[int, typer.Option(min=4, help="Held-out items that it is measured on.")] = 24,
    layout: Annotated[
        str | None, typer.Option(help="messages, sharegpt, alpaca, prompt or fastchat; else detected.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="lima, oasst1, oasst2, aya, bactrian-x or dolly.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Column that holds each row's id.")] = None,
    licence: Annotated[str | None, typer.Option(help="The rows' licence, as an SPDX id.")] = None,
    skip_bad: Annotated[bool, typer.Option(help="Leave out rows that can't be used, and list them.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Selects the rows.")] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say rows, calls, money and minutes, and stop.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: one JSON document.")] = False,
) -> None:
    """English rows in: a training file with a pinch of other languages out, and with --tune the tuned model.

    Example: polypinch season rows.jsonl --languages de,fr --out seasoned --translator http://127.0.0.1:8000/v1

    After Ctrl-C, run it again: what was translated, paid for and tuned is kept. Each step also stands alone:
    pool import, translate, mix, tune, answer, report.
    """
    from polypinch.season import Request, asked_languages

    base, others = asked_languages(rows, languages, language)
    _refuse_early(model, tune, tuning)
    # What follows loads libraries; what could be refused without them has been.
    from polypinch.pool import ImportOptions
    from polypinch.season import begin, look_ahead, mix_season, translate_season

    reading = ImportOptions(
        language=base if recipe is None else None,
        layout=layout,
        recipe=recipe,
        key=key,
        licence=licence,
        skip_bad=skip_bad,
    )
    asked = Request(rows, others, out, reading, base, count, seed)
    who = _translator(translator, translator_model, asked, prompt, glossary, prices, max_cost)
    season = begin(asked, who, _tuning(model, tuning, heldout_items) if tune else None)
    _say_found(season)
    if dry_run:
        _print_outlook(look_ahead(season, _CONCURRENCY), as_json)
        return
    translated = translate_season(season, model, max_cost)
    if translated is not None:
        print_translated(translated, asked.out / "pinch", False)
    seasoned = mix_season(season, model)
    print_manifest(seasoned.mixture.manifest)
    for note in seasoned.notes:
        echo(f"note: {note}")
    say(
        f"{seasoned.mixture.table.num_rows:,} rows in {out / 'train.jsonl'}, with entries for TRL,"
        " LLaMA-Factory and Axolotl; README.md says what they are, plan.yaml makes them again"
    )
    if tune:
        from polypinch.season import tune_season

        tuned, page = tune_season(season, seasoned, max_cost)
        say(f"the tuned model: {tuned}\nbefore and after: {page}")


_CONCURRENCY = 16


def _refuse_early(model: str | None, tune: bool, settings: Path | None) -> None:
    if model is None and tune:
        raise PinchError("which model is to be tuned?", fix=f"--model {DEFAULT_MODEL}, a folder or a Hub id")
    if model is not None and model != DEFAULT_MODEL:
        from polypinch.models import refuse_missing_folder

        refuse_missing_folder(model)
    if settings is not None and not settings.is_file():
        raise PinchError(f"{settings}: no such file", fix="polypinch schema recipe says what it may hold")


def _tuning(model: str | None, settings: Path | None, items: int) -> Tuning:
    from polypinch.season import Tuning
    from polypinch.specs import load_yaml
    from polypinch.tune import TuneRecipe

    recipe = load_yaml(settings, TuneRecipe) if settings else TuneRecipe()
    return Tuning(model or DEFAULT_MODEL, recipe, items, max(4, items // 2))


def _translator(
    name: str | None,
    model: str | None,
    asked: Request,
    prompt: str,
    glossary: Path | None,
    prices: Path | None,
    max_cost: float | None,
) -> Translator | None:
    if name is None:
        if model is not None:
            raise PinchError("a translating model is named, and no server", fix="--translator ADDRESS")
        return None
    made = translator_of(
        name, model, asked.base, asked.languages, prompt=prompt, glossary=glossary, prices=prices
    )
    if max_cost is not None and is_address(name) and getattr(made, "price", None) is None:
        raise PinchError(
            "the cost is limited, and the model's price is not known", fix="--prices prices.yaml"
        )
    return made


def _say_found(season: Season) -> None:
    pinch, gathered = season.pinch, season.gathered
    echo(f"{gathered.examples:,} rows in {season.asked.base}")
    for note in gathered.notes:
        echo(f"note: {note}")
    echo(f"pinch: {pinch.count} examples in {', '.join(pinch.languages)} ({pinch.why})")
    if pinch.lacking:
        echo(
            f"not put in: {', '.join(pinch.lacking)}, which the built-in pool lacks; --translator makes them"
        )
    if pinch.confounded:
        echo(f"note: {pinch.confounded}")


def _print_outlook(found: Outlook, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    money = (
        "at a price not known (--prices)" if found.cost is None else f"${found.cost:.2f} for one call each"
    )
    lines: list[list[Any]] = [
        ["rows", f"{found.rows:,}, {found.pinch:,} of them in other languages"],
        ["calls", f"{found.to_translate:,}, at most {found.most_calls:,} where checks doubt"],
        ["money", money if found.to_translate else "none"],
        ["minutes translating", f"{found.minutes_translating:.1f}"],
    ]
    if found.minutes_tuning is not None:
        lines.append(["minutes tuning and measuring", f"{found.minutes_tuning:.1f}"])
    print_table(["", "it would take"], lines)
