"""polypinch mix, check and schema."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import DEFAULT_MODEL, Json, PriceOfAnHour, SpeedOf
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    from polypinch.chat import ChatFormat
    from polypinch.mix import MixPlan


def mix_command(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.yaml", help="The mix plan.")],
    out: Annotated[Path, typer.Option(help="The mixture's folder.")],
    model: Annotated[
        str,
        typer.Option(help="Whom it is for: its tokens count, its chat format goes with the rows."),
    ] = DEFAULT_MODEL,
    chat_template: Annotated[
        str | None, typer.Option(help="Another format: a built-in template's name, or a Jinja file.")
    ] = None,
    max_length: Annotated[int, typer.Option(help="Rows beyond count as truncated, in tokens.")] = 1024,
    overwrite: Annotated[bool, typer.Option(help="Replace a mixture that stands there.")] = False,
    as_json: Json = False,
) -> None:
    """Make a mixture: mixture.parquet, manifest.json, and export/ for TRL, LLaMA-Factory and Axolotl.

    Example: polypinch mix plan.yaml --out mixture
    """
    from polypinch.chat import count_tokens, notices
    from polypinch.files import artifact, write_json, write_table
    from polypinch.mix import MANIFEST_FILE, MIXTURE_FILE, MixPlan, export, make_mixture
    from polypinch.pool import open_pool
    from polypinch.specs import load_yaml

    plan = load_yaml(plan_file, MixPlan)
    pool = open_pool(plan.pool)
    chat = _chat(plan, model, chat_template)
    counter = count_tokens(chat, max_length) if chat else None
    mixture = make_mixture(plan, pool, counter, [open_pool(name) for name in plan.heldout])
    for notice in notices(chat, mixture.table, "rows") if chat else ():
        say(f"{notice.message}\n  {notice.fix}")
    spec = {
        "plan": plan.model_dump(mode="json"),
        "pool": pool.fingerprint,
        "model": model,
        "max_length": max_length,
        **({"chat_template": chat.template} if chat and chat_template else {}),
    }
    with artifact(out, spec, kind="mixture", overwrite=overwrite) as folder:
        write_table(folder / MIXTURE_FILE, mixture.table)
        write_json(folder / MANIFEST_FILE, mixture.manifest)
        export(mixture.table, folder / "export", chat.for_trainers() if chat else None)
    if as_json:
        print_json(mixture.manifest)
        return
    print_manifest(mixture.manifest)
    say(f"{mixture.table.num_rows} rows in {out}")


def _chat(plan: MixPlan, model: str, template: str | None) -> ChatFormat | None:
    from polypinch.chat import ChatFormat
    from polypinch.models import find_model

    needed = plan.budget.unit != "examples" or any(
        dose.quota(plan.budget)[0] != "examples" for dose in plan.doses
    )
    try:
        return ChatFormat.load(find_model(model), template)
    except PinchError:
        if needed or model != DEFAULT_MODEL:
            raise
        say(f"{DEFAULT_MODEL} is not installed, so tokens are not counted; name a model with --model")
        return None


def print_manifest(manifest: dict[str, Any], title: str | None = None) -> None:
    """Print a manifest: by language, requested against delivered."""
    from polypinch.mix import amount_text

    rows = []
    for line in manifest["languages"]:
        requested = line["requested"]
        rows.append(
            [
                line["language"],
                f"{amount_text(requested['amount'])} {requested['unit']}" if requested else "the rest",
                line["examples"],
                f"{line['share']:.1%}",
                line["tokens"],
                line["supervised_tokens"],
                line["truncated"],
                line["duplicates"],
            ]
        )
    columns = [
        "language",
        "requested",
        "examples",
        "share",
        "tokens",
        "supervised",
        "truncated",
        "duplicates",
    ]
    print_table(columns, rows, title)


def check_command(
    study_file: Annotated[
        Path, typer.Argument(metavar="STUDY.yaml", help="The study; - reads standard input.")
    ],
    out: Annotated[Path, typer.Option(help="Where the study would write, for the space there.")] = Path(),
    time_it: Annotated[
        bool, typer.Option("--time/--no-time", help="Time each base model for a few seconds.")
    ] = True,
    speed: SpeedOf = None,
    price_per_hour: PriceOfAnHour = None,
    as_json: Json = False,
) -> None:
    """Check a study before anything is spent: masks, truncation, leakage, tokens, time, money and disk.

    Exits with 1 if something would stop the study. Time is this machine's, or that of the stated speed.

    Example: polypinch check study.yaml

    Example: polypinch check study.yaml --tokens-per-second "tuned: 9000, scored: 30000, drawn: 2000"
    --price-per-hour 2
    """
    from polypinch.specs import load_yaml
    from polypinch.study import (
        Spending,
        Study,
        duration,
        judging_line,
        open_inputs,
        preflight,
        read_speed,
        trainings_line,
    )

    stated = read_speed(speed, price_per_hour, time_it)
    found = preflight(open_inputs(load_yaml(study_file, Study)), out, time_it and stated is None)
    seconds = stated.seconds(found.tokens) if stated else found.seconds_for
    spending = Spending.of(seconds, price_per_hour) if seconds else None
    errors = [problem for problem in found.problems if problem.level == "error"]
    if as_json:
        print_json({**vars(found), "spending": spending})
    else:
        for name, manifest in found.mixtures.items():
            print_manifest(manifest, f"\narm {name}")
        typer.echo()
        for problem in found.problems:
            typer.echo(f"{problem.level}: {problem.where}: {problem.message}\n  fix: {problem.fix}")
        for task in found.tasks:
            typer.echo(
                f"task {task['name']}: {task['items']} items in {', '.join(task['languages'])},"
                f" {task['metric'].replace('_', ' ')}"
            )
        tokens = found.tokens
        typer.echo(
            f"tokens: {tokens['tuned']:,} tuned on, {tokens['scored']:,} scored,"
            f" at most {tokens['drawn']:,} drawn"
        )
        typer.echo(f"trainings: {trainings_line(found.trainings)}")
        if found.judging is not None:
            typer.echo(f"judge: {judging_line(found.judging)}")
        if spending is not None:
            by = f"at {speed} tokens/s" if stated else "on this machine"
            typer.echo(f"time: about {duration(sum(seconds.values()))} {by}")
            for line in spending.lines():
                typer.echo(line)
        typer.echo(f"disk: about {found.disk_bytes / 1e9:.1f} GB, {found.disk_free / 1e9:.1f} GB are free")
        typer.echo("nothing stops this study" if not errors else f"{len(errors)} errors stop this study")
    if errors:
        raise typer.Exit(1)


class _SpecName(StrEnum):
    study = "study"
    plan = "plan"
    recipe = "recipe"
    judge = "judge"


def schema_command(spec: Annotated[_SpecName, typer.Argument(help="Which file's schema.")]) -> None:
    """Print the JSON Schema of a YAML file, for editors that complete and check as you type.

    Example: polypinch schema study > study.schema.json
    """
    from polypinch.judge import JudgeSettings
    from polypinch.mix import MixPlan
    from polypinch.specs import Spec, json_schema
    from polypinch.study import Study
    from polypinch.tune import TuneRecipe

    kinds: dict[str, type[Spec]] = {
        "study": Study,
        "plan": MixPlan,
        "recipe": TuneRecipe,
        "judge": JudgeSettings,
    }
    print_json(json_schema(kinds[spec.value], spec.value))
