"""polypinch tasks run, export and import."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import DEFAULT_MODEL, Json, folded
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    from polypinch.chat import ChatFormat
    from polypinch.models import Model
    from polypinch.tasks import TaskSet

tasks_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Held-out sets whose answers can be checked; and lm-evaluation-harness, there and back.",
)


class Layout(StrEnum):
    """Layouts that tasks are published in."""

    mgsm = "mgsm"
    xcopa = "xcopa"
    xquad = "xquad"


StudyFolder = Annotated[Path, typer.Argument(metavar="STUDY_OUT", help="A study's folder.")]
ArmName = Annotated[str, typer.Option(help="Whose: an arm of the study, or untuned.")]
Seed = Annotated[int | None, typer.Option(help="Its training seed; none for untuned.")]
StudyModel = Annotated[str | None, typer.Option(help="Its base model, where the study has several.")]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which task, and how much of it."""

    layout: Annotated[Layout | None, typer.Option(help="Of the files under --path.")] = None
    path: Annotated[
        str | None, typer.Option(help="A folder with one file for each language, or one such file.")
    ] = None
    pool: Annotated[
        str | None, typer.Option(help="Or a pool, whose held-out responses are the right answers.")
    ] = None
    only: Annotated[str | None, typer.Option("--languages", help="Comma-separated tags; all by default.")] = (
        None
    )
    items: Annotated[int | None, typer.Option(help="So many, the same in every language.")] = None
    metric: Annotated[str | None, typer.Option(help="Another than the layout's usual one.")] = None
    prompts: Annotated[
        Path | None, typer.Option(help="Your own wordings: YAML, a text by language or default.")
    ] = None
    max_new_tokens: Annotated[int | None, typer.Option(help="An answer is cut off here.")] = None

    def open(self) -> TaskSet:
        """Read the task.

        Raises:
            PinchError: the settings, the wordings or the files are wrong.
        """
        from polypinch.specs import validate
        from polypinch.tasks import Task, open_task

        spec = {
            "name": self.layout.value if self.layout else "pool",
            "layout": self.layout.value if self.layout else None,
            "path": self.path,
            "pool": self.pool,
            "languages": [tag.strip() for tag in self.only.split(",") if tag.strip()] if self.only else [],
            "items": self.items,
            "metric": self.metric,
            "max_new_tokens": self.max_new_tokens,
            "prompts": _prompts(self.prompts),
        }
        return open_task(validate(spec, Task, "task"))


@tasks_app.command("run")
@folded
def run_command(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="What polypinch tune made, a built-in name, folder or Hub id."),
    ],
    chosen: Choice,
    out: Annotated[Path | None, typer.Option(help="Keep scores and answers in this folder.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace scores that stand there.")] = False,
    as_json: Json = False,
) -> None:
    """Score one model on a task, by language with 95 % intervals over items.

    Example: polypinch tasks run tuned --layout mgsm --path mgsm --languages en,es,sw
    """
    from polypinch.answer import ANSWERS_FILE, Sampling
    from polypinch.files import artifact
    from polypinch.models import GEMMA_TERMS, used
    from polypinch.tasks import CHOICES_FILE, SCORES_FILE, run_task, summarise
    from polypinch.tune import load_tuned

    tasks = chosen.open()
    base, tuned, chat, mark = _model(model)
    if base.name == DEFAULT_MODEL:
        say(GEMMA_TERMS)
    sampling = Sampling(max_new_tokens=tasks.task.longest or 1)
    whole = {"task": tasks.fingerprint, "metrics": list(tasks.metrics), "model": base.fingerprint,
             "tuned": mark, "sampling": sampling.model_dump(mode="json")}  # fmt: skip
    place = (
        artifact(out, whole, kind="task", overwrite=overwrite, used=lambda: used("auto"))
        if out is not None
        else TemporaryDirectory()
    )
    with place as folder:
        scores = run_task(tasks, load_tuned(base, tuned), chat, sampling, Path(folder), label=tasks.name)
    found = summarise(tasks, scores)
    if as_json:
        print_json({"model": model, "task": tasks.name, "items": len(tasks.item_ids),
                    "left_out": tasks.left_out, "wording": dict(tasks.wording), "scores": found})  # fmt: skip
        return
    _print_scores(model, tasks, found)
    if out is not None:
        say(f"{out}: {SCORES_FILE}, {CHOICES_FILE if tasks.is_choice else ANSWERS_FILE}")


def _prompts(path: Path | None) -> dict[str, Any]:
    from polypinch.files import read_bytes
    from polypinch.specs import parse_yaml

    if path is None:
        return {}
    found = parse_yaml(read_bytes(path), str(path))
    if not isinstance(found, dict):
        raise PinchError(f"{path}: holds no wordings by language", fix='write for example en: "{question}"')
    return found


def _model(name: str) -> tuple[Model, Path | None, ChatFormat, str | None]:
    """Find a model, or the base of a tuning, with the chat format it was tuned in."""
    from polypinch.chat import ChatFormat
    from polypinch.files import is_done, read_json
    from polypinch.models import find_model
    from polypinch.tune import SUMMARY_FILE

    folder = Path(name)
    if not (folder / SUMMARY_FILE).is_file():
        base = find_model(name)
        return base, None, ChatFormat.load(base), None
    if not is_done(folder):
        raise PinchError(f"{name} is no finished tuning", fix="name a folder that polypinch tune made")
    summary = read_json(folder / SUMMARY_FILE)
    base = find_model(summary["base"]["name"])
    if summary["base"]["fingerprint"] != base.fingerprint:
        raise PinchError(
            f"{name} was tuned from another {base.name} than the one here",
            fix="put back the weights it was tuned from",
        )
    chat = ChatFormat.of_tuned(base, **summary["chat_template"])
    return base, folder, chat, str(read_json(folder / "done.json")["fingerprint"])


def _print_scores(model: str, tasks: TaskSet, found: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(row["language"] for row in found))
    cells = {(row["language"], row["metric"]): _percent(row) for row in found}
    rows = [[name, *(cells[name, metric] for metric in tasks.metrics)] for name in names]
    title = f"{model} on {tasks.name}, {len(tasks.item_ids)} items, % (95 % interval over items)"
    print_table(["language", *(metric.replace("_", " ") for metric in tasks.metrics)], rows, title)
    if tasks.chance is not None:
        typer.echo(f"guessing finds {tasks.chance:.0%}")
    if tasks.left_out:
        typer.echo(f"{tasks.left_out} items are not in all of these languages and were left out")
    neutral = [tag for tag, origin in tasks.wording.items() if origin == "neutral"]
    if neutral:
        typer.echo(f"without any wording around the item: {', '.join(neutral)} (none is built in)")


def _percent(row: dict[str, Any]) -> str:
    return f"{100 * row['value']:.1f} ({100 * row['low']:.1f}–{100 * row['high']:.1f})"


@tasks_app.command("export")
def export_command(
    study: StudyFolder,
    *,
    arm: ArmName,
    seed: Seed = None,
    out: Annotated[Path, typer.Option(help="Gets the tokenizer, the adapter and command.sh.")],
    model: StudyModel = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Write whole weights instead of the adapter.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Hand a tuned arm to lm-evaluation-harness, and print the command that scores it there.

    Put the harness's tasks in place of TASKS; polypinch tasks import brings the results back.

    Example: polypinch tasks export study --arm pinch-8 --seed 1 --out handed
    """
    from polypinch.results import export_arm
    from polypinch.study import build, open_inputs, read_study

    spec, store = read_study(study)
    inputs = open_inputs(spec)
    command = export_arm(inputs, build(inputs, store), store, (model, arm, seed), out, merge)
    if as_json:
        print_json({"out": str(out), "command": command})
        return
    say(f"{out}: to be scored with")
    typer.echo(command)


@tasks_app.command("import")
def import_command(
    study: StudyFolder,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="results_….json, or the harness's --output_path.")
    ],
    *,
    arm: ArmName,
    seed: Seed = None,
    model: StudyModel = None,
    named: Annotated[
        list[str] | None,
        typer.Option("--language", help="TASK=TAG, where a task's name does not say it; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring results of lm-evaluation-harness into a study, and write its report again.

    Samples (--log_samples) are read where they lie beside the results: then arms are compared item by item.

    Example: polypinch tasks import study handed/results --arm pinch-8 --seed 1
    """
    from polypinch.cli.studies import recorded
    from polypinch.publish import report
    from polypinch.results import import_results

    inputs, graph, store = recorded(study)
    spec = inputs.study
    found, left_out = import_results(spec, graph, study, files, (model, arm, seed), _tags(named or []))
    page = report(inputs, graph, store, study)
    if as_json:
        shown = [{**one, "samples": len(one["samples"] or {})} for one in found]
        print_json({"scores": shown, "left_out": left_out, "report": str(page)})
        return
    rows = [
        [one["task"], one["language"], one["metric"], one["value"], one["stderr"], len(one["samples"] or {})]
        for one in found
    ]
    print_table(["task", "language", "metric", "value", "standard error", "samples"], rows)
    for words in left_out:
        typer.echo(f"left out: {words}")
    say(f"the report: {page}")


def _tags(given: list[str]) -> dict[str, str]:
    from polypinch.languages import language

    found = {}
    for one in given:
        name, equals, tag = one.rpartition("=")
        if not equals or not name:
            raise PinchError(f"--language {one}: not TASK=TAG", fix="write for example --language arc_fi=fi")
        found[name] = language(tag).tag
    return found
