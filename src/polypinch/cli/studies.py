"""polypinch run, status, report and demo."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polypinch.cli.options import DEFAULT_MODEL, Json
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    from polypinch.study import Graph, Inputs, Preflight, Record, Store, Study

StoreFolder = Annotated[
    str | None,
    typer.Option(
        help="Artifacts, shared by studies that name the same: a folder, or s3://bucket/folder."
        " [default: OUT/store]"
    ),
]

Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Processes here that divide the steps. [default: one a GPU]"),
]

On = Annotated[
    str | None,
    typer.Option(
        metavar="ray|ray://HOST:PORT",
        help="Make the steps on a Ray cluster: this machine's, one begun here, or the one named.",
    ),
]

Asked = Annotated[
    str | None,
    typer.Option(help="What steps ask of it, over the study's resources: 'tune: {gpus: 1, memory_gb: 40}'."),
]


@dataclass(frozen=True)
class _Where:
    """Where a study's steps are made, and kept."""

    store: str | None = None
    workers: int | None = None
    on: str | None = None
    resources: str | None = None

    def refuse_what_does_not_fit(self) -> None:
        """Refuse options that would change nothing, or cannot be read, before anything is opened."""
        if self.on is None and self.resources is not None:
            raise PinchError("--resources: no cluster is asked", fix="add --on ray, or leave it out")
        if self.on is not None and self.workers is not None:
            raise PinchError("--workers: a cluster makes the steps", fix="leave out --workers or --on")
        if self.resources is not None:
            from polypinch.study import read_resources

            read_resources(self.resources)


def _run(study: Study, out: Path, where: _Where) -> None:
    from polypinch.models import GEMMA_TERMS, gpus
    from polypinch.publish import report
    from polypinch.study import (
        State,
        build,
        duration,
        open_inputs,
        open_store,
        preflight,
        run_study,
        so_far,
        work_together,
        write_record,
    )

    started = time.monotonic()
    where.refuse_what_does_not_fit()
    chosen = where.store or os.environ.get("POLYPINCH_STORE") or str(out / "store")
    if DEFAULT_MODEL in study.every_model:
        say(GEMMA_TERMS)
    store = open_store(chosen, out / "store")
    say(f"opening what {study.name} reads")
    inputs = open_inputs(study)
    graph = build(inputs, store)
    write_record(out, inputs, graph, store)
    if any(store.state(stage) is State.TO_DO for stage in so_far(inputs, graph, store)[1].stages()):
        _refuse_early(preflight(inputs, out, time_it=False))
    # Each tuning ends with a search for cycles, which need not go through all that is loaded by now.
    gc.freeze()
    count = where.workers or max(1, gpus())
    try:
        if where.on is not None:
            _on_ray(where, inputs, graph, store, out)
        elif count > 1:
            work_together(out, count, gpus())
        inputs, graph = run_study(inputs, graph, store, out)
    except KeyboardInterrupt:
        states = Counter(store.state(stage) for stage in so_far(inputs, graph, store)[1].stages())
        kept = f"{states[State.DONE]} of {states.total()} steps are kept in {store}"
        say(kept + (", and what was done of the one under way" if states[State.BEGUN] else ""))
        raise
    page = report(inputs, graph, store, out)
    say(f"done in {duration(time.monotonic() - started)}; the report: {page}")


def _on_ray(where: _Where, inputs: Inputs, graph: Graph, store: Store, out: Path) -> None:
    from polypinch.study import read_resources, run_on_ray

    asked = read_resources(where.resources) if where.resources else {}
    run_on_ray(inputs, graph, store, out, None if where.on == "ray" else where.on, asked)


def _refuse_early(found: Preflight) -> None:
    """Say the warnings; stop at an error, before the first step."""
    for problem in found.problems:
        if problem.level == "error":
            raise PinchError(f"{problem.where}: {problem.message}", fix=problem.fix)
        say(f"{problem.level}: {problem.where}: {problem.message}")
    if "expected" in found.trainings:
        from polypinch.study import trainings_line

        say(f"trainings: {trainings_line(found.trainings)}")
    if found.judging is not None:
        from polypinch.study import judging_line

        say(f"judge: {judging_line(found.judging)}")


def run_command(
    study_file: Annotated[
        Path, typer.Argument(metavar="STUDY.yaml", help="The study; - reads standard input.")
    ],
    out: Annotated[Path, typer.Option(help="The study's folder: report, tables, figures.")],
    store: StoreFolder = None,
    workers: Workers = None,
    on: On = None,
    resources: Asked = None,
) -> None:
    """Run a study to its report. Finished steps are skipped, so after Ctrl-C run it again.

    Started several times with one store, here or on machines that share it, it divides the steps.

    Example: polypinch run study.yaml --out study

    Example: polypinch run study.yaml --out study --store s3://bucket/study --on ray
    """
    from polypinch.specs import load_yaml
    from polypinch.study import Study

    _run(load_yaml(study_file, Study), out, _Where(store, workers, on, resources))


def find_command(
    study_file: Annotated[
        Path, typer.Argument(metavar="STUDY.yaml", help="The study; - reads standard input.")
    ],
    out: Annotated[Path, typer.Option(help="The study's folder: report, tables, figures.")],
    store: StoreFolder = None,
    workers: Workers = None,
    on: On = None,
    resources: Asked = None,
) -> None:
    """Find the smallest dose that works with no more trainings than that takes, whatever the file's design.

    None, a middle and the largest dose are trained first, then what is still open, until it is known.

    Example: polypinch find study.yaml --out study
    """
    from polypinch.specs import load_yaml, validate
    from polypinch.study import Design, Study

    study = load_yaml(study_file, Study)
    adaptive = {**study.model_dump(), "design": Design.ADAPTIVE}
    _run(validate(adaptive, Study, str(study_file)), out, _Where(store, workers, on, resources))


def demo_command(
    out: Annotated[Path, typer.Option(help="The study's folder.")] = Path("demo"), store: StoreFolder = None
) -> None:
    """Run the built-in study: gemma-3-270m on pinch12, a dose-response picture in minutes on two cores.

    Example: polypinch demo --out demo
    """
    from polypinch.specs import load_yaml
    from polypinch.study import Study

    with as_file(files("polypinch.study") / "demo.yaml") as path:
        _run(load_yaml(path, Study), out, _Where(store, 1))


def recorded(out: Path) -> tuple[Record, Graph, Store]:
    """Return a study that was begun, its steps, and its artifacts.

    What the folder keeps is enough; where an older release made it, the study's inputs are opened.

    Raises:
        PinchError: the folder holds none.
    """
    from polypinch.study import read_record, read_study

    try:
        return read_record(out)
    except PinchError:
        study, store = read_study(out)
        from polypinch.study import build, open_inputs, so_far

        inputs = open_inputs(study)
        return *so_far(inputs, build(inputs, store), store), store


def status_command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A study's folder.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every file with the hash it was made with.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what of a study is done, what is damaged, and who works on it.

    Example: polypinch status study
    """
    from polypinch.study import workers

    _, graph, store = recorded(out)
    damaged = {error.stage.fingerprint: error for error in store.verify(graph.stages())} if verify else {}
    rows = [
        {
            "kind": stage.kind.value,
            "name": stage.name,
            "state": "damaged" if stage.fingerprint in damaged else store.state(stage).value,
            "path": str(store.path(stage)),
        }
        for stage in graph.stages()
    ]
    for error in damaged.values():
        say(f"damaged: {error.message}")
    if as_json:
        print_json(rows)
        return
    print_table(["step", "name", "state"], [[row["kind"], row["name"], row["state"]] for row in rows])
    counts = Counter(row["state"] for row in rows)
    more = "" if graph.steps is None else ", and what the next look asks for follows"
    typer.echo(f"{counts['done']} of {len(rows)} steps are done{more}")
    running = workers(out)
    for worker in running:
        typer.echo(f"running: {worker}")
    if not running and counts["done"] < len(rows):
        typer.echo("nobody works on it: polypinch run with the same study and folder goes on")


def report_command(
    studies: Annotated[list[Path], typer.Argument(metavar="OUT...", help="One study's folder, or several.")],
    exposure: Annotated[
        Path | None,
        typer.Option(help="Of one study: shares of pretraining, a CSV file with language and share."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Of several studies: the folder for the page that shows them together."),
    ] = None,
    ratings: Annotated[
        list[Path] | None, typer.Option(help="A rating job of the study's answers; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a finished study's report again: the page, findings.json, every table and figure as files.

    Several studies go on one page: what each found, their doses in one chart, and what they differ in.

    Example: polypinch report study --exposure shares.csv

    Example: polypinch report study --ratings job

    Example: polypinch report small-model large-model --out together
    """
    if len(studies) > 1 or out is not None:
        if exposure is not None or ratings:
            named = "--ratings" if ratings else "--exposure"
            raise PinchError(
                f"{named} is of one study's report", fix="report each study alone with it, then together"
            )
        _report_together(studies, out, as_json)
        return
    from polypinch.files import read_json
    from polypinch.publish import report
    from polypinch.report import FINDINGS

    inputs, graph, store = recorded(studies[0])
    page = report(inputs, graph, store, studies[0], exposure, ratings or [])
    if as_json:
        print_json({"report": str(page), **read_json(studies[0] / FINDINGS)})
    else:
        typer.echo(page)


def _report_together(folders: list[Path], out: Path | None, as_json: bool) -> None:
    from polypinch.publish import Finished, averages, report_together, unlike_settings

    if out is None:
        raise PinchError("several studies need a folder for their page", fix="name one with --out")
    if out.resolve() in {folder.resolve() for folder in folders}:
        raise PinchError(f"{out} holds one of the studies", fix="name another folder with --out")
    opened = []
    for folder in folders:
        opened.append(Finished(folder, *recorded(folder)))
    done = report_together(opened, out)
    for warning in done.warnings:
        say(f"warning: {warning}")
    if not as_json:
        typer.echo(done.page)
        return
    print_json(
        {
            "report": str(done.page),
            "studies": [
                {"name": one.name, "models": one.data.models, "answer": one.data.answer, **one.data.findings}
                for one in done.entries
            ],
            "warnings": done.warnings,
            "averages": averages(done.entries),
            "differences": [
                {"setting": name, **dict(zip((one.name for one in done.entries), values, strict=True))}
                for name, values in unlike_settings(done.entries)
            ],
        }
    )
