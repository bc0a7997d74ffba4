"""The judges, list and show, and the options of all commands that ask one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import Json
from polypinch.cli.show import print_json, print_table

if TYPE_CHECKING:
    from polypinch.judge import Judge

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
        [judge.name, judge.kind.name, judge.version[:12], "yes" if judge.measured else "no"]
        for judge in judges
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
        "kind": judge.kind.name,
        "version": judge.version,
        "path": str(judge.path),
        "settings": judge.settings.model_dump(mode="json"),
        "schema": judge.schema,
        "measured": judge.measured,
    }
