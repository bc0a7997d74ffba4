"""The judges, list and show, and the options of all commands that ask one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import Json
from polypinch.cli.show import print_json, print_table

if TYPE_CHECKING:
    from polypinch.judge import Judge, Orders, Terms, VerdictStore

judge_app = typer.Typer(no_args_is_help=True, help="Judges: what they are asked, and what is known of them.")

BaseUrl = Annotated[
    str | None,
    typer.Option(help="An OpenAI-compatible server, up to /v1. [default: $OPENAI_BASE_URL, OpenAI]"),
]
LocalModel = Annotated[str | None, typer.Option("--local", help="A model for this process, as the judge.")]


@dataclass(frozen=True, kw_only=True)
class Calls:
    """How many calls a judge's model may get, at what price, and where its verdicts are kept."""

    prices: Annotated[
        Path | None, typer.Option(help="YAML: {MODEL: {input: $, output: $}}, a million tokens each.")
    ] = None
    max_cost: Annotated[
        float | None, typer.Option(help="Stop before spending more dollars; needs --prices.")
    ] = None
    max_calls: Annotated[int | None, typer.Option(min=1, help="Stop after so many calls.")] = None
    concurrency: Annotated[int, typer.Option(min=1, help="Calls under way at a time.")] = 16
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again where a call failed before.")
    ] = False
    store: Annotated[
        Path | None, typer.Option(help="Verdicts paid for. [default: verdicts.sqlite in $POLYPINCH_HOME]")
    ] = None

    def terms(self, orders: Orders = "both") -> Terms:
        """Return how the judge is asked.

        Raises:
            PinchError: the prices cannot be read.
        """
        from polypinch.judge import Limits, Terms, load_prices

        prices = load_prices(self.prices) if self.prices else None
        limits = Limits(self.concurrency, self.max_calls, self.max_cost)
        return Terms(orders, limits, prices, self.retry_failed)

    def kept(self) -> VerdictStore:
        """Open the store of verdicts."""
        from polypinch.judge import VerdictStore
        from polypinch.models import home

        return VerdictStore(self.store or home() / "verdicts.sqlite")


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
