"""polypinch pool: show, check, import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import Json, folded
from polypinch.cli.show import echo, print_json, print_table
from polypinch.errors import PinchError

if TYPE_CHECKING:
    from polypinch.pool import Pool

pool_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look at a pool, check it, or make one from other data.",
    epilog="Begin with: polypinch pool show pinch12",
)

PoolName = Annotated[
    str, typer.Argument(metavar="POOL", help="pinch12, pinch25, or a Parquet file or folder.")
]


@pool_app.command("show")
def show_command(
    name: PoolName,
    item: Annotated[str | None, typer.Option(help="Show this item, in all its languages.")] = None,
    language: Annotated[str | None, typer.Option(help="Show rows of this language.")] = None,
    number: Annotated[int, typer.Option("-n", min=0, help="How many rows to show.")] = 3,
    as_json: Json = False,
) -> None:
    """Count a pool's rows by split and language, and show some of them.

    Example: polypinch pool show pinch12 --language fi -n 5
    """
    from polypinch.pool import open_pool, summary

    pool = open_pool(name)
    found = summary(pool)
    rows = _rows(pool, item, language, number)
    if as_json:
        print_json({**found, "examples": rows})
        return
    splits = sorted(found["rows"])
    lines = [[tag, *(found["rows"][split].get(tag, 0) for split in splits)] for tag in found["languages"]]
    typer.echo(f"{pool.name}: {found['total']:,} rows, {found['items']:,} items")
    print_table(["language", *splits], lines)
    for kind in ("sources", "licences", "origins"):
        echo(f"{kind}: " + ", ".join(f"{key} ({count:,})" for key, count in found[kind].items()))
    if "tasks" in found:
        groups = sorted({group for counts in found["tasks"].values() for group in counts})
        tasks = [[task, *map(counts.get, groups)] for task, counts in found["tasks"].items()]
        typer.echo("\nitems by task, domain and split")
        print_table(["task", *groups], tasks)
        typer.echo("held out: " + ", ".join(f"{key} ({count})" for key, count in found["heldout"].items()))
    for row in rows:
        echo(f"\n{row['item_id']} ({row['language']}, {row['split']})")
        for message in row["messages"]:
            echo(f"  {message['role']}: {message['content']}")


def _rows(pool: Pool, item: str | None, language: str | None, number: int) -> list[dict[str, Any]]:
    import pyarrow.compute as pc

    if language is not None and language not in pool.languages():
        raise PinchError(
            f"{pool.name} has no language {language!r}", fix=f"it has {', '.join(pool.languages())}"
        )
    where = pc.scalar(True)
    if item is not None:
        where &= pc.field("item_id") == item
    if language is not None:
        where &= pc.field("language") == language
    columns = ["item_id", "language", "split", "messages"]
    if item is not None:
        rows: list[dict[str, Any]] = pool.select(columns, where).to_pylist()
        if not rows:
            raise PinchError(f"{pool.name} has no item {item!r}")
        return rows
    return pool.head(number, columns, where).to_pylist()  # type: ignore[no-any-return]


@pool_app.command("check")
def check_command(
    name: PoolName,
    parallel: Annotated[
        bool | None,
        typer.Option("--parallel/--no-parallel", help="Every item must be in every language."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a pool: complete, clean, in its languages, numbers kept, and nothing held out that is trained on.

    Exits with 1 if there is a problem. Example: polypinch pool check pinch12
    """
    from polypinch.pool import check_pool, open_pool

    report = check_pool(open_pool(name), parallel=parallel)
    if as_json:
        print_json({"ok": report.ok, **vars(report)})
    else:
        tags = len(report.languages)
        typer.echo(f"{report.pool}: {report.rows:,} rows, {report.items:,} items, {tags} languages")
        lines = [[found.name, found.examined, found.problems, found.outliers] for found in report.checks]
        print_table(["check", "examined", "problems", "outliers"], lines)
        for check in report.checks:
            typer.echo(f"\n{check.name}: {check.proves}" + (f" ({check.note})" if check.note else ""))
            for line in check.in_groups():
                echo(f"  {line}")
        problems = sum(check.problems for check in report.checks)
        typer.echo("\nno problems" if report.ok else f"\n{problems:,} problems")
    if not report.ok:
        raise typer.Exit(1)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the rows of a file mean."""

    language: Annotated[str | None, typer.Option(help="Language of all rows.")] = None
    language_column: Annotated[str | None, typer.Option(help="Column that holds the language.")] = None
    key: Annotated[
        str | None, typer.Option(help="Column that joins translations; 'line' joins by row number.")
    ] = None
    split: Annotated[str, typer.Option(help="train, heldout, or the column that says which.")] = "train"
    layout: Annotated[
        str | None,
        typer.Option(help="messages, sharegpt, alpaca, prompt or fastchat; else detected."),
    ] = None
    answers: Annotated[
        list[str] | None, typer.Option(help="FastChat answers, FILE or LANG=FILE; may be repeated.")
    ] = None
    skip_bad: Annotated[
        bool, typer.Option(help="Leave out rows that can't be used, and list them beside the pool.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the rows are from."""

    recipe: Annotated[str | None, typer.Option(help="lima, oasst1, oasst2, aya, bactrian-x or dolly.")] = None
    source: Annotated[str | None, typer.Option(help="Name of the data; the first file's.")] = None
    licence: Annotated[str | None, typer.Option(help="Its licence, as an SPDX id.")] = None
    origin: Annotated[str | None, typer.Option(help="native, translated or model.")] = None
    revision: Annotated[str | None, typer.Option(help="Revision of the Hub data sets.")] = None
    hub_split: Annotated[str, typer.Option(help="Split of the Hub data sets.")] = "train"


@pool_app.command("import")
@folded
def import_command(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Files or hub:OWNER/NAME, or LANG=INPUT.")
    ],
    out: Annotated[Path, typer.Option(help="The pool: a Parquet file.")],
    columns: Columns,
    provenance: Provenance,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that stands there.")] = False,
    as_json: Json = False,
) -> None:
    """Make a pool of files or Hub data sets.

    Example: polypinch pool import en=a.jsonl fi=b.jsonl --key id --out pool.parquet
    """
    from polypinch.pool import ImportOptions, import_pool

    given = {**vars(columns), **vars(provenance)}
    options = ImportOptions(**{**given, "answers": tuple(columns.answers or ())})
    done = import_pool(inputs, out, options, overwrite=overwrite)
    if as_json:
        numbers: dict[str, Any] = {"total": done.total, "left_out": done.left_out, "seconds": done.seconds}
        numbers |= {
            "bad": len(done.bad.rows),
            "skipped": done.skipped and str(done.skipped),
            "notes": done.notes,
        }
        print_json({"path": str(out), "rows": done.rows, **numbers})
        return
    splits = sorted(done.rows)
    tags = sorted({tag for counts in done.rows.values() for tag in counts})
    print_table(["language", *splits], [[tag, *(done.rows[split][tag] for split in splits)] for tag in tags])
    speed = done.total / max(done.seconds, 1e-6)
    left_out = f", {done.left_out:,} left out by the layout" if done.left_out else ""
    typer.echo(f"{done.total:,} rows in {out}{left_out} ({done.seconds:.1f} s, {speed:,.0f} rows/s)")
    for line in (*done.bad.by_reason(), *done.notes):
        echo(f"note: {line}")
    if done.skipped is not None:
        typer.echo(
            f"{len(done.bad.rows):,} rows that can't be used are left out, and listed in {done.skipped}"
        )


@pool_app.command("export")
def export_command(
    name: PoolName,
    out: Annotated[Path, typer.Option(help="The file: .parquet or .jsonl.")],
    language: Annotated[str | None, typer.Option(help="These languages alone, as fi,ru.")] = None,
    split: Annotated[str | None, typer.Option(help="This split alone: train or heldout.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that stands there.")] = False,
) -> None:
    """Write a pool's rows to a file, for other tools or to be changed.

    Example: polypinch pool export pinch12 --out pinch12.jsonl --language fi,ru

    A .jsonl comes back with: pool import FILE --language-column language --key item_id --split split
    """
    from polypinch.pool import export_pool, open_pool

    tags = [tag.strip() for tag in (language or "").split(",") if tag.strip()]
    count = export_pool(open_pool(name), out, languages=tags, split=split, overwrite=overwrite)
    typer.echo(f"{count:,} rows in {out}")
