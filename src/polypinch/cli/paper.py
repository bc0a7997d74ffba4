"""polypinch paper list, show and write."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from polypinch.cli.options import DEFAULT_MODEL, Json, ModelName, PriceOfAnHour, SpeedOf, folded
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError

if TYPE_CHECKING:
    from polypinch.paper import Cost, Setup

paper_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The paper's experiments as studies, and those it leaves open.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="An experiment; polypinch paper list.")]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What an experiment is made for: model, pool, size and languages."""

    model: ModelName = DEFAULT_MODEL
    pool: Annotated[str, typer.Option(help="Built-in name, or a path.")] = "pinch12"
    heldout: Annotated[str | None, typer.Option(help="Another pool that is held out.")] = None
    size: Annotated[str, typer.Option(help="tiny, small or paper.")] = "tiny"
    tags: Annotated[
        str,
        typer.Option("--languages", help="Tags, with commas, the base among them. [default: the pool's]"),
    ] = ""
    family: Annotated[str, typer.Option(help="The branch of languages of the family study.")] = "Slavic"

    def set_up(self) -> Setup:
        """Open the pools, and choose languages and doses.

        Raises:
            PinchError: a pool cannot be read, or there is no such size, language or family.
        """
        from polypinch.paper import set_up, take_stock
        from polypinch.pool import open_pool

        held = open_pool(self.heldout) if self.heldout else None
        stock = take_stock(self.pool, open_pool(self.pool), self.heldout, held)
        named = [tag.strip() for tag in self.tags.split(",") if tag.strip()]
        return set_up(self.model, stock, self.size, named, self.family)


@paper_app.command("list")
def list_command(as_json: Json = False) -> None:
    """List the experiments.

    Example: polypinch paper list
    """
    from polypinch.paper import PRESETS

    if as_json:
        print_json([{"name": e.name, "where": e.where, "title": e.title} for e in PRESETS.values()])
        return
    print_table(["name", "where", "asks"], [[e.name, e.where, e.title] for e in PRESETS.values()])


@paper_app.command("write")
@folded
def write_command(
    name: Name,
    ground: Ground,
    as_json: Json = False,
) -> None:
    """Write an experiment as a study, to standard output.

    Example: polypinch paper write pinch --size tiny | polypinch run - --out pinch
    """
    from polypinch.paper import as_yaml, preset

    chosen = preset(name)
    setup = ground.set_up()
    study = chosen.make(setup)
    if as_json:
        print_json(study.model_dump(mode="json"))
    else:
        typer.echo(as_yaml(study, chosen, setup), nl=False)


@paper_app.command("show")
@folded
def show_command(
    name: Name,
    ground: Ground,
    speed: SpeedOf = None,
    price_per_hour: PriceOfAnHour = None,
    as_json: Json = False,
) -> None:
    """Say what the paper did, what is ours, what is unknown, and what it would cost.

    Example: polypinch paper show pinch --size tiny --tokens-per-second 500

    Example: polypinch paper show pinch --tokens-per-second "tuned: 900, scored: 3000, drawn: 200"
    --price-per-hour 2
    """
    from polypinch.paper import estimate_cost, everything, preset
    from polypinch.study import read_speed

    stated = read_speed(speed, price_per_hour)

    chosen = preset(name)
    setup, cost, why = None, None, None
    try:
        setup = ground.set_up()
        cost = estimate_cost(chosen.make(setup), stated, price_per_hour)
    except PinchError as error:
        why = str(error)
    said = everything(chosen, setup)
    if as_json:
        parts = {"cost": cost, "no_cost_because": why}
        print_json({"name": name, "where": chosen.where, "title": chosen.title, **said, **parts})
        return
    typer.echo(f"{name} ({chosen.where}): {chosen.title}")
    for heading, texts in said.items():
        if texts:
            typer.echo(f"\n{heading}")
        for text in texts:
            typer.echo(textwrap.fill(text, 100, initial_indent="- ", subsequent_indent="  "))
    typer.echo(f"\nat size {ground.size}, with {ground.model} on {ground.pool}")
    typer.echo(_cost_words(cost, speed) if cost else f"- cannot be told: {why}")


def _cost_words(cost: Cost, speed: str | None) -> str:
    from polypinch.study import duration

    tokens = cost.tokens
    lines = [
        f"{cost.arms} arms, {cost.seeds} seed{'s' * (cost.seeds > 1)}, {cost.tunings} tunings",
        f"tokens: {tokens['tuned']:,} tuned on, {tokens['scored']:,} scored,"
        f" at most {tokens['drawn']:,} drawn",
    ]
    if cost.seconds is not None:
        lines.append(
            f"about {duration(cost.seconds)} at {speed} tokens/s; polypinch check times your machine"
        )
    if cost.spending is not None:
        lines += cost.spending.lines()
    return "\n".join(f"- {line}" for line in [*lines, *cost.problems])
