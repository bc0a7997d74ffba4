"""polypinch probe and advise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import DEFAULT_MODEL, Json
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    from polypinch.probe import Advice, LanguageProbe, Probe

_ITEMS = 24  # of pinch12 in twelve languages: about two minutes of gemma-3-270m on two slow cores

Similarity = Annotated[
    str, typer.Option(help="Where likeness of languages is from: tree, or uriel (an extra).")
]


def probe_command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Built-in name, folder or Hub id.")],
    text: Annotated[
        str,
        typer.Option(help="Parallel texts: a pool, or a CSV, TSV or JSONL file with a column a language."),
    ] = "pinch12",
    only: Annotated[
        str | None, typer.Option("--languages", help="Comma-separated tags; all by default.")
    ] = None,
    items: Annotated[int, typer.Option(help="Probe so many items.", min=2)] = _ITEMS,
    tokenizer_only: Annotated[bool, typer.Option(help="Count tokens; load no weights.")] = False,
    similarity: Similarity = "tree",
    out: Annotated[
        Path | None, typer.Option(help="A folder for probe.json, exposure.svg and exposure.html.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a probe that stands there.")] = False,
    as_json: Json = False,
) -> None:
    """Measure what each language costs a base model, and how well it is predicted, on parallel texts.

    Example: polypinch probe gemma-3-270m --out probe
    """
    from polypinch.files import artifact, is_done, write_json, write_text
    from polypinch.languages import named
    from polypinch.models import GEMMA_TERMS, find_model
    from polypinch.probe import PROBE_FILE, probe, read_texts
    from polypinch.publish import probe_chart, probe_html, probe_svg

    source = named(similarity)
    if out is not None and is_done(out) and not overwrite:
        raise PinchError(f"{out} exists already", fix="choose another folder, or pass --overwrite")
    if model == DEFAULT_MODEL:
        say(GEMMA_TERMS)
    texts = read_texts(text, items, _tags(only))
    found = probe(find_model(model), texts, tokenizer_only=tokenizer_only)
    if out is not None:
        spec = {
            "model": found.model_fingerprint,
            "text": found.text_fingerprint,
            "items": items,
            "languages": list(texts.languages),
            "tokenizer_only": tokenizer_only,
            "similarity": source,
        }
        chart = probe_chart(found)
        with artifact(out, spec, kind="probe", overwrite=overwrite) as folder:
            write_json(folder / PROBE_FILE, found.as_dict(source))
            write_text(folder / "exposure.svg", probe_svg(chart))
            write_text(folder / "exposure.html", probe_html(chart))
    if as_json:
        print_json(found.as_dict(source))
        return
    _print_probe(found)
    if out is not None:
        say(f"{out}: {PROBE_FILE}, exposure.svg, exposure.html")


def advise_command(
    probe: Annotated[
        Path | None, typer.Option(help="What polypinch probe made: its folder or its JSON; - reads it here.")
    ] = None,
    pool: Annotated[str | None, typer.Option(help="Where the mixture is to come from.")] = None,
    targets: Annotated[
        str | None, typer.Option(help="The languages to serve: fi,sw. With --study: all, by default.")
    ] = None,
    budget: Annotated[int | None, typer.Option(help="The mixture's size, in examples.")] = None,
    study: Annotated[
        Path | None, typer.Option(help="A study's folder: advise from what it measured, instead of a probe.")
    ] = None,
    similarity: Similarity = "tree",
    write: Annotated[Path | None, typer.Option(help="Write the mix plan here, for polypinch mix.")] = None,
    as_json: Json = False,
) -> None:
    """Say which languages to put into a pinch, how much, by what rule and why.

    Example: polypinch advise --probe probe --pool pinch12 --targets fi,sw,pt --budget 96 --write plan.yaml
    """
    import yaml

    from polypinch.files import write_text
    from polypinch.languages import named
    from polypinch.pool import open_pool
    from polypinch.probe import advise, read_probe
    from polypinch.publish import advise_from_study

    wanted = _tags(targets)
    if (probe is None) == (study is None):
        raise PinchError("advice is from a probe or from a study", fix="give one of --probe and --study")
    if study is not None:
        if pool is not None or budget is not None:
            raise PinchError("a study has its own pool and budget", fix="leave out --pool and --budget")
        advice = advise_from_study(study, wanted or ())
    elif probe is None or pool is None or wanted is None or budget is None:
        raise PinchError(
            "advice from a probe needs a pool, targets and a budget",
            fix="polypinch advise --probe PROBE --pool POOL --targets fi,sw --budget 96",
        )
    else:
        advice = advise(read_probe(probe), open_pool(pool), wanted, budget, named(similarity))
    plan = advice.as_dict()["plan"]
    if write is not None:
        if plan is None:
            raise PinchError(f"nothing to write: {advice.answer}", fix="see the advice without --write")
        write_text(write, yaml.safe_dump(plan, sort_keys=False, allow_unicode=True))
    if as_json:
        print_json(advice.as_dict())
        return
    _print_advice(advice)
    if write is not None:
        say(f"the plan: {write}")


def _print_advice(advice: Advice) -> None:
    typer.echo(advice.answer)
    for one in advice.languages:
        typer.echo(f"  {one.language} {one.examples}: {one.why}")
    sections = {
        "Targets": advice.targets,
        "Rule": (advice.rule,),
        "Likeness is from": (advice.source,) if advice.source else (),
        "What is known": advice.facts,
        "What this cannot tell": advice.limits,
    }
    for heading, lines in sections.items():
        if lines:
            typer.echo(f"\n{heading}")
        for line in lines:
            typer.echo(f"  {line}")


def _tags(given: str | None) -> list[str] | None:
    return [tag.strip() for tag in given.split(",") if tag.strip()] if given is not None else None


def _print_probe(found: Probe) -> None:
    from polypinch.probe import ESTIMATES, LIMITS, PROXY

    shown = [name for name in ESTIMATES if getattr(found.languages[0], name) is not None]
    titles = [name.replace("_", " ") for name in shown]
    rows = [
        [one.language, one.script, one.family, *(_cell(one, name) for name in shown)]
        for one in sorted(found.languages, key=lambda one: -one.exposure.value)
    ]
    title = f"{found.model} on {found.items} items of {found.text} (95 % interval over items)"
    print_table(["language", "script", "family", *titles], rows, title)
    if found.left_out:
        typer.echo(f"{found.left_out} items are too long in some language and were left out")
    typer.echo()
    for line in (PROXY[found.exposure_from], *LIMITS):
        typer.echo(line)


def _cell(one: LanguageProbe, name: str) -> str:
    estimate: Any = getattr(one, name)
    digits = 3 if name == "tokens_per_character" else 2
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f}–{estimate.high:.{digits}f})"
