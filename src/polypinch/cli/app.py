"""All commands in one place, and how errors look."""

from __future__ import annotations

import gc
import logging
import os
import shlex
import signal
import sys
import warnings

import typer
from rich.console import Console

from polypinch import __version__
from polypinch.cli.comparing import compare_command
from polypinch.cli.exporting import export_model_command
from polypinch.cli.fidelity import fidelity_command
from polypinch.cli.judging import judge_app
from polypinch.cli.judging_export import export_command
from polypinch.cli.judging_validate import validate_command
from polypinch.cli.mixing import check_command, mix_command, schema_command
from polypinch.cli.models import answer_command, tune_command
from polypinch.cli.paper import paper_app
from polypinch.cli.pool import pool_app
from polypinch.cli.probing import advise_command, probe_command
from polypinch.cli.rating import rate_app
from polypinch.cli.season import season_command
from polypinch.cli.studies import demo_command, find_command, report_command, run_command, status_command
from polypinch.cli.tasks import tasks_app
from polypinch.cli.translating import translate_command
from polypinch.cli.viewing import view_command
from polypinch.errors import PinchError
from polypinch.openai_server import allow_key_variable
from polypinch.processes import world
from polypinch.terminal import printable

app = typer.Typer(
    name="polypinch",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="How little multilinguality is enough? Mixtures with a measured pinch of other languages, tuned,"
    " answered, checked and compared, with intervals.",
    epilog="Begin with: polypinch demo",
)
app.command("demo")(demo_command)
app.command("run")(run_command)
app.command("find")(find_command)
app.command("check")(check_command)
app.command("status")(status_command)
app.command("report")(report_command)
app.command("view")(view_command)
app.add_typer(pool_app, name="pool")
app.add_typer(paper_app, name="paper")
app.command("probe")(probe_command)
app.command("advise")(advise_command)
app.command("season")(season_command)
app.command("translate")(translate_command)
app.command("mix")(mix_command)
app.command("tune")(tune_command)
app.command("export")(export_model_command)
app.command("answer")(answer_command)
app.command("fidelity")(fidelity_command)
app.command("compare")(compare_command)
judge_app.command("validate")(validate_command)
judge_app.command("export")(export_command)
app.add_typer(judge_app, name="judge")
app.add_typer(tasks_app, name="tasks")
app.add_typer(rate_app, name="rate")
app.command("schema")(schema_command)


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
    api_key_env: list[str] = typer.Option(
        [],
        help="An environment variable that a judge's folder or a study may name as its key, beside"
        " OPENAI_API_KEY; may be given again.",
    ),
    run_model_code: bool = typer.Option(
        False,
        "--run-model-code",
        help="Run the Python code that a model's folder brings: it can do whatever you can. Without it such"
        " models are refused.",
    ),
    load_pickles: bool = typer.Option(
        False,
        "--load-pickles",
        help="Load weights that are no safetensors (.bin): pickles are programs. Else they are refused.",
    ),
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    for name in api_key_env:
        allow_key_variable(name)
    if run_model_code or load_pickles:
        from polypinch.models import trust_folders

        trust_folders(code=run_model_code, pickles=load_pickles)
    if world() > 1 and context.invoked_subcommand != "tune":
        raise PinchError("of all commands only tune can be shared out", fix="start it without torchrun")


_INTERRUPTED = 130


def main() -> None:
    """Run the command line; a user's mistake is one message and exit code 2, Ctrl-C or SIGTERM is 130."""
    # Imports and tokenizers make millions of objects, all of which stay: searching them for cycles again and
    # again, as Python does by default, takes a fifth of the time in which a command starts.
    gc.set_threshold(100_000, 50, 50)
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for name in ("transformers", "datasets", "accelerate"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # What a scheduler sends before it kills is Ctrl-C to us: work is ended cleanly, and goes on later.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except PinchError as error:
        Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True).print(
            printable(f"error: {error}")
        )
        sys.exit(2)
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            again = shlex.join(["polypinch", *sys.argv[1:]])
            Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True).print(
                f"stopped: what was finished is kept; to go on: {again}"
            )
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
