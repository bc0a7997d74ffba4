"""polypinch rate: a job of blind ratings, the desk where people rate, and what they said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import Json, needs_web
from polypinch.cli.show import echo, print_json, print_table
from polypinch.errors import PinchError

if TYPE_CHECKING:
    from polypinch.judge.people import JobReport, Ratings
    from polypinch.stats import Coefficient
    from polypinch.web.rating import Elsewhere

rate_app = typer.Typer(no_args_is_help=True, help="Let people rate answers blind, and read what they said.")

JobFolder = Annotated[Path, typer.Argument(metavar="JOB", help="A folder that polypinch rate make wrote.")]


def _named(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


@rate_app.command("make")
def make_command(
    sources: Annotated[
        list[Path], typer.Argument(metavar="STUDY | A B", help="A study's folder, or two files of answers.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="The job's folder, to be made.")],
    arms: Annotated[str | None, typer.Option(help="A study's, with commas. [default: all]")] = None,
    against: Annotated[
        str | None,
        typer.Option(help="The arm that pairs are compared with. [default: as the study compares]"),
    ] = None,
    languages: Annotated[str | None, typer.Option(help="Tags, with commas. [default: all]")] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Training seeds, with commas. [default: the first]")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Of several base models. [default: the first]")] = None,
    prompts: Annotated[
        str | None, typer.Option(help="The pool that two files answer. [default: their column prompt]")
    ] = None,
    single: Annotated[
        bool, typer.Option("--single", help="Rate answers alone: excellent, pass, fail; else pairs.")
    ] = False,
    items: Annotated[int | None, typer.Option(min=1, help="In each language. [default: all]")] = None,
    raters: Annotated[int, typer.Option(min=1, help="In each language; all rate the same.")] = 2,
    repeats: Annotated[int, typer.Option(min=0, help="Tasks that each rater has twice.")] = 3,
    known: Annotated[
        int, typer.Option(min=0, help="Answers in each language known to be better or bad.")
    ] = 3,
    seed: Annotated[int, typer.Option(help="Of the items, orders and sides.")] = 0,
    as_json: Json = False,
) -> None:
    """Draw a job: the same items for each rater of a language, sides by chance and balanced.

    Example: polypinch rate make demo --arms pinch-40 --against english --languages he,fi --items 50 --out job
    """
    from polypinch.judge.people import Rated, open_job

    with needs_web():
        from polypinch.web.rating import Drawing, job_from_files, job_from_study
    drawing = Drawing(Rated.ANSWERS if single else Rated.PAIRS, items, raters, repeats, known, seed)
    tags = _named(languages)
    if len(sources) == 1:
        from polypinch.cli.studies import recorded

        if prompts is not None:
            raise PinchError("--prompts is for two files: a study has its own", fix="leave it out")
        numbers = [_whole(name) for name in _named(seeds)]
        people = job_from_study(
            out,
            recorded(sources[0]),
            drawing,
            arms=_named(arms),
            languages=tags,
            against=against,
            seeds=numbers,
            model=model,
        )
    elif len(sources) == 2:
        from polypinch.pool import open_pool

        if arms or against or seeds or model:
            raise PinchError("--arms, --against, --seeds and --model are of a study", fix="leave them out")
        people = job_from_files(
            out, sources[0], sources[1], drawing, open_pool(prompts) if prompts else None, tags
        )
    else:
        raise PinchError(f"{len(sources)} sources", fix="name a study's folder, or two files of answers")
    job = open_job(out)
    fewer = {reason: count for reason, count in job.facts.fewer.items() if count}
    if as_json:
        names = [rater.name for rater in people]
        print_json({"job": str(out), "raters": names, "tasks": len(job.tasks), "fewer": fewer})
        return
    for reason, count in fewer.items():
        typer.echo(f"left out: {reason} ({count})")
    who = ", ".join(rater.name for rater in people)
    echo(f"{out}: {len(job.tasks)} tasks for {who}; guidelines can be edited in {out / 'guidelines'}")
    echo(f"next: polypinch rate serve {out}")


def _whole(text: str) -> int:
    if not text.isdigit():
        raise PinchError(f"--seeds {text}: not a whole number", fix="write --seeds 1,2")
    return int(text)


@rate_app.command("serve")
def serve_command(
    job: JobFolder,
    host: Annotated[
        str, typer.Option(help="Where to listen; any but this machine alone needs --url.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8765,
    url: Annotated[
        str | None, typer.Option(help="The address that raters have: https://rate.example.org.")
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0.01, help="Links are void after. [default: 14 beyond this machine]")
    ] = None,
    new_links: Annotated[
        str | None,
        typer.Option(help="Raters who get another link, with commas, or all; the old one is void."),
    ] = None,
) -> None:
    """Serve a job's desk until Ctrl-C: a secret link for each rater, each click stored at once.

    Links are said once, when they are made, and hold after a restart on the same port.

    Example: polypinch rate serve job
    """
    from polypinch.judge.people import Ratings, open_job

    with needs_web():
        from polypinch.web import LOOPBACK, Limiter, address, desk_hosts, listening, serve
        from polypinch.web.rating import desk_app
    opened = open_job(job)
    here = host in LOOPBACK and url is None
    hosts = desk_hosts(host, url)
    with Ratings(opened.ratings_file) as ratings, listening(host, port) as own:
        life = days if days is not None else None if here else 14
        links = _links(ratings, new_links, life)
        if not here and ratings.forever():
            raise PinchError(
                f"links of {', '.join(ratings.forever())} never expire: they are for this machine alone",
                fix="make them anew: --new-links all",
            )
        base = (url or address(own, host)).rstrip("/")

        def ready() -> None:
            for rater, secret in links.items():
                echo(f"{rater}: {base}/r/{secret}")
            old = len(ratings.raters()) - len(links)
            if old:
                echo(f"{old} links were made before and hold; --new-links makes others")
            echo(f"raters are served at {base}; Ctrl-C ends it, and nothing is lost")

        serve(desk_app(opened, ratings, hosts, None if here else Limiter()), own, ready)


def _links(ratings: Ratings, renewed: str | None, days: float | None) -> dict[str, str]:
    names = _named(renewed)
    if names == ["all"]:
        names = [rater.name for rater in ratings.raters()]
    return {name: ratings.new_link(name, days) for name in sorted({*ratings.without_link(), *names})}


@rate_app.command("report")
def report_command(
    job: JobFolder,
    show: Annotated[int, typer.Option(min=0, help="Disagreements to list.")] = 10,
    as_json: Json = False,
) -> None:
    """Say what raters chose, how far they agree, how attentive they were, and what they disagree on.

    Example: polypinch rate report job
    """
    from polypinch.judge.people import job_report, open_job

    found = job_report(open_job(job))
    if as_json:
        print_json(found)
        return
    _print_report(found, show)


@rate_app.command("adjudicate")
def adjudicate_command(job: JobFolder, as_json: Json = False) -> None:
    """Give what raters disagree on to one more, who decides it; again for what they disagree on since.

    Example: polypinch rate adjudicate job
    """
    from polypinch.judge.people import adjudicate, open_job

    added = adjudicate(open_job(job))
    if as_json:
        print_json(added)
        return
    for rater, count in added.items():
        echo(f"{rater}: {count} more to decide; polypinch rate serve gives the link")
    if not added:
        typer.echo("nothing to decide: raters agree, or it is given out already")


@rate_app.command("export")
def export_command(
    job: JobFolder,
    to: Annotated[str, typer.Option(help="label-studio or argilla.")],
    out: Annotated[Path, typer.Option(help="A folder to be made, with one for each language.")],
) -> None:
    """Write a job's tasks, blind, as Label Studio or Argilla imports them.

    Example: polypinch rate export job --to label-studio --out tasks
    """
    from polypinch.judge.people import open_job

    with needs_web():
        from polypinch.web.rating import export_job
    for folder in export_job(open_job(job), _elsewhere(to), out):
        echo(str(folder))


@rate_app.command("import")
def import_command(
    job: JobFolder,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What the other tool exported.")],
    source: Annotated[str, typer.Option("--from", help="label-studio or argilla.")],
    as_json: Json = False,
) -> None:
    """Take in ratings of a job's tasks from Label Studio or Argilla; each person becomes a rater of the job.

    Example: polypinch rate import job project-1.json --from label-studio
    """
    from polypinch.judge.people import open_job

    with needs_web():
        from polypinch.web.rating import import_ratings
    added = import_ratings(open_job(job), _elsewhere(source), files)
    if as_json:
        print_json(added)
        return
    for rater, count in added.items():
        echo(f"{rater}: {count} new ratings")
    if not added:
        typer.echo("nothing is rated there")


def _elsewhere(name: str) -> Elsewhere:
    from polypinch.web.rating import Elsewhere

    try:
        return Elsewhere(name)
    except ValueError as error:
        raise PinchError(f"{name}: no such tool", fix=f"use {' or '.join(Elsewhere)}") from error


def _print_report(found: JobReport, show: int) -> None:
    echo(f"{found.source}: {found.rated}")
    for reason, count in found.fewer.items():
        typer.echo(f"left out: {reason} ({count})")
    if found.results:
        names = list(found.results[0].shares)
        rows: list[list[Any]] = []
        for one in found.results:
            arm = one.arm if one.against is None else f"{one.arm} against {one.against}"
            own = [_percent(one.shares[name]) for name in names]
            score = [] if one.score is None else [_figures(one.score, 1, 1)]
            rows.append([arm, one.language, one.ratings, *own, *score])
        scored = ["score"] if found.results[0].score is not None else []
        head = ["arm", "language", "ratings", *(f"{name.replace('_', ' ')} %" for name in names), *scored]
        print_table(head, rows)
        typer.echo()
    print_table(
        ["language", "raters", "rated by several", "the same %", "Fleiss' κ", "Krippendorff's α"],
        [
            [
                one.language,
                len(one.raters),
                one.several,
                _percent(one.same),
                _figures(one.fleiss, 1, 2),
                _figures(one.krippendorff, 1, 2),
            ]
            for one in found.agreement
        ],
    )
    typer.echo()
    print_table(
        ["rater", "done", "known right", "repeats alike", "first shown %", "seconds", "flags", "comments"],
        [
            [
                one.rater,
                f"{one.done} of {one.places}",
                "{} of {}".format(*one.known),
                "{} of {}".format(*one.repeats),
                None if one.first is None else round(100 * one.first),
                one.seconds,
                ", ".join(f"{flag.replace('_', ' ')} {count}" for flag, count in one.flags.items()) or None,
                one.comments,
            ]
            for one in found.raters
        ],
    )
    _print_disagreements(found, show)


def _print_disagreements(found: JobReport, show: int) -> None:
    if not found.disagreements or not show:
        return
    typer.echo()
    rows: Sequence[Sequence[Any]] = [
        [one.language, one.item_id, one.arm, ", ".join(f"{who} {what}" for who, what in one.choices.items())]
        for one in found.disagreements[:show]
    ]
    print_table(["language", "item", "arm", "what they chose"], rows)
    more = len(found.disagreements) - show
    if more > 0:
        typer.echo(f"and {more} more; --show lists them, polypinch rate adjudicate has them decided")


def _percent(found: Coefficient) -> str:
    return _figures(found, 100, 0)


def _figures(found: Coefficient, scale: float, digits: int) -> str:
    if found.value != found.value:
        return "–"
    value, low, high = (f"{scale * x:.{digits}f}" for x in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})".replace("-", "−")
