"""polypinch tune and answer: the two steps that need a model."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import DEFAULT_MODEL, Json, ModelName, folded
from polypinch.cli.show import print_json
from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    import pyarrow as pa

    from polypinch.answer import Sampling
    from polypinch.pool import Pool


def tune_command(
    mixture: Annotated[Path, typer.Argument(metavar="MIXTURE", help="A folder that polypinch mix made.")],
    out: Annotated[Path, typer.Option(help="Where the adapter, or the model, goes.")],
    model: ModelName = DEFAULT_MODEL,
    recipe_file: Annotated[Path | None, typer.Option("--recipe", help="Settings as YAML.")] = None,
    seed: Annotated[int, typer.Option(help="Orders rows and initialises adapters.")] = 1,
    as_json: Json = False,
) -> None:
    """Tune a model on a mixture, with the loss on responses only; killed, it resumes where it was.

    A model that one GPU cannot hold is shared out over several by torchrun:
    torchrun --nproc-per-node 4 -m polypinch.cli tune mixture --out tuned --model Qwen/Qwen3-14B-Base

    Example: polypinch tune mixture --out tuned --model Qwen/Qwen3-0.6B-Base
    """
    from polypinch.files import artifact, file_sha256, fingerprint, partial, read_json, read_table
    from polypinch.mix import MIXTURE_FILE
    from polypinch.models import find_model, used
    from polypinch.processes import is_main, leave, main_first
    from polypinch.specs import load_yaml
    from polypinch.tracking import TrackedRun, require_trackers
    from polypinch.tune import SUMMARY_FILE, TuneRecipe, tune

    rows = read_table(mixture / MIXTURE_FILE)
    recipe = load_yaml(recipe_file, TuneRecipe) if recipe_file else TuneRecipe()
    require_trackers(recipe.report_to)
    with main_first():
        base = find_model(model)
    spec = {
        "mixture": file_sha256(mixture / MIXTURE_FILE),
        "recipe": recipe.model_dump(mode="json"),
        "model": base.fingerprint,
        "model_name": model,
        "seed": seed,
    }
    made = artifact(out, spec, kind="tuning", used=lambda: used(recipe.precision))
    with made if is_main() else nullcontext(partial(out)) as folder:
        named = TrackedRun("polypinch", out.resolve().name, "tune", fingerprint(spec)[:8], spec)
        tune(rows, base, recipe, seed, folder, run=named)
    leave()
    if not is_main():
        return
    summary = read_json(out / SUMMARY_FILE)
    if as_json:
        print_json({**summary, "path": str(out)})
    else:
        say(f"{summary['steps']} steps over {summary['tokens']:,} tokens in {summary['seconds']} s: {out}")


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """What is answered."""

    prompts: Annotated[
        str,
        typer.Argument(metavar="PROMPTS", help="A pool, or a file that pool import reads (JSONL, CSV …)."),
    ]
    language: Annotated[str | None, typer.Option(help="Of all rows, where PROMPTS is no pool.")] = None
    language_column: Annotated[str | None, typer.Option(help="Or the column that holds it.")] = None
    only: Annotated[str | None, typer.Option("--languages", help="Comma-separated tags.")] = None
    items: Annotated[int | None, typer.Option(help="Answer the first so many items.")] = None


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How answers are drawn."""

    max_new_tokens: Annotated[int, typer.Option(help="An answer is cut off here.")] = 256
    temperature: Annotated[float, typer.Option(help="0 is greedy.")] = 0.0
    top_p: Annotated[float, typer.Option(help="The nucleus' mass.")] = 1.0
    samples: Annotated[int, typer.Option(help="Answers to each prompt.")] = 1
    seed: Annotated[int, typer.Option(help="Of the sampling.")] = 0
    engine: Annotated[str, typer.Option(help="In this process: transformers, or vllm (an extra).")] = (
        "transformers"
    )


@dataclass(frozen=True, kw_only=True)
class Server:
    """Who answers, if not this process."""

    base_url: Annotated[
        str | None,
        typer.Option(
            help="An OpenAI-compatible server, up to /v1, that has the model; key: $OPENAI_API_KEY."
        ),
    ] = None
    concurrency: Annotated[int, typer.Option(min=1, help="Answers under way at that server.")] = 16


@folded
def answer_command(
    asked: Prompts,
    out: Annotated[Path, typer.Option(help="Where answers.parquet goes.")],
    drawing: Drawing,
    server: Server,
    model: ModelName = DEFAULT_MODEL,
    tuned: Annotated[
        Path | None, typer.Option(help="What polypinch tune made; without it the base answers.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let a model answer a pool's held-out prompts (all rows, if none is held out).

    Example: polypinch answer pinch12 --out answers --tuned tuned --languages en,fi,sw
    """
    from polypinch.answer import ANSWERS_FILE, HttpEngine, Sampling
    from polypinch.answer import answer as draw
    from polypinch.files import artifact, read_table
    from polypinch.specs import validate

    source = _open(asked)
    rows = _prompts(source, asked.only, asked.items)
    sampling = validate(vars(drawing), Sampling, "answer")
    spec = {
        "sampling": sampling.model_dump(mode="json"),
        "rows": rows.select(["item_id", "language"]).to_pylist(),
        "prompts": source.fingerprint,
    }
    if server.base_url is None:
        _answer_here(rows, model, tuned, sampling, spec, out)
    elif tuned is not None:
        raise PinchError("a tuning is answered with in this process", fix="leave out --tuned or --base-url")
    else:
        engine = HttpEngine(model, server.base_url, concurrency=server.concurrency)
        with artifact(out, {**spec, "model": model, "server": server.base_url}, kind="answers") as folder:
            draw(rows, engine, None, sampling, folder)
    withheld = read_table(out / ANSWERS_FILE)["text"].null_count
    if as_json:
        print_json(read_table(out / ANSWERS_FILE).to_pylist())
    else:
        say(f"{rows.num_rows * sampling.samples - withheld} answers: {out / ANSWERS_FILE}")
    if withheld:
        say(f"{withheld} prompts have none: the server withheld it (see finish_reason)")
        raise typer.Exit(3)


def _answer_here(
    rows: pa.Table, model: str, tuned: Path | None, sampling: Sampling, spec: dict[str, Any], out: Path
) -> None:
    from polypinch.answer import answer as draw
    from polypinch.answer import open_engine, require_engine
    from polypinch.chat import ChatFormat, notices
    from polypinch.files import DONE, artifact, is_done, read_json
    from polypinch.models import find_model, used
    from polypinch.tune import SUMMARY_FILE, load_tuned

    require_engine(sampling.engine)
    base = find_model(model)
    if tuned is not None and not is_done(tuned):
        raise PinchError(f"{tuned} is no finished tuning", fix="name a folder that polypinch tune made")
    summary = read_json(tuned / SUMMARY_FILE) if tuned else None
    if summary and summary["base"]["fingerprint"] != base.fingerprint:
        raise PinchError(
            f"{tuned} was tuned from {summary['base']['name']}, and {model} is another model",
            fix=f"--model {summary['base']['name']}",
        )
    chat = ChatFormat.of_tuned(base, **summary["chat_template"]) if summary else ChatFormat.load(base)
    spec = {
        **spec,
        "model": base.fingerprint,
        "tuned": read_json(tuned / DONE)["fingerprint"] if tuned else None,
    }
    for notice in notices(chat, rows, "prompts"):
        say(f"{notice.message}\n  {notice.fix}")
    with artifact(out, spec, kind="answers", used=lambda: used("auto")) as folder:
        engine = open_engine(sampling, base, tuned, chat, lambda: load_tuned(base, tuned))
        draw(rows, engine, chat, sampling, folder)


def _open(asked: Prompts) -> Pool:
    """Open a pool, or read a file of prompts as one."""
    from polypinch.files import read_table
    from polypinch.pool import ImportOptions, Pool, import_pool, open_pool

    if asked.language is None and asked.language_column is None:
        return open_pool(asked.prompts)
    options = ImportOptions(language=asked.language, language_column=asked.language_column, split="heldout")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.parquet"
        import_pool([asked.prompts], path, options)
        return Pool.from_table(read_table(path), asked.prompts)


def _prompts(pool: Pool, only: str | None, items: int | None) -> pa.Table:
    import pyarrow.compute as pc

    from polypinch.languages import languages

    where = pc.field("split") == "heldout" if "heldout" in pool.split_languages() else None
    if only:
        chosen = pc.field("language").isin(languages([tag.strip() for tag in only.split(",")]))
        where = chosen if where is None else where & chosen
    rows = pool.select(["item_id", "language", "messages"], where)
    if items is not None:
        rows = rows.filter(pc.is_in(rows["item_id"], value_set=rows["item_id"].unique().slice(0, items)))
    if not rows.num_rows:
        raise PinchError(
            f"pool {pool.name} has no prompt in {only}", fix=f"it has {', '.join(pool.languages())}"
        )
    return rows
