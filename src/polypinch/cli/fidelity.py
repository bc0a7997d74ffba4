"""polypinch fidelity."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polypinch.cli.options import Json, folded
from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError

if TYPE_CHECKING:
    import pyarrow as pa

    from polypinch.fidelity import LanguageFidelity, Rate


class Identified(StrEnum):
    """By what lines and answers are identified."""

    PY3LANGID = "py3langid"
    FASTTEXT = "fasttext"


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Which rows of a file are read, and how."""

    text: Annotated[str, typer.Option(help="The column of the answers.")] = "text"
    language: Annotated[
        str, typer.Option(help="The column of the language asked for; or the language of all rows.")
    ] = "language"
    average_over: Annotated[
        str | None, typer.Option(help="A column (source) whose values weigh the same within a language.")
    ] = None
    where: Annotated[list[str] | None, typer.Option(help="Keep rows with column=value; may be repeated.")] = (
        None
    )


@dataclass(frozen=True, kw_only=True)
class _Telling:
    """How languages are told."""

    candidates: Annotated[
        str | None,
        typer.Option(help="Languages to choose among: ar,en,sw. Default: the file's, and English."),
    ] = None
    open_choice: Annotated[bool, typer.Option("--open", help="Choose among all languages known.")] = False
    as_published: Annotated[
        bool,
        typer.Option(
            "--as-published", help="Lines as the benchmark's script: code stays in, undecided is wrong."
        ),
    ] = False
    identifier: Annotated[
        Identified,
        typer.Option(
            help="fasttext: line pass rates that compare with the benchmark's published ones "
            '(pip install "polypinch[fasttext]").'
        ),
    ] = Identified.PY3LANGID


@folded
def fidelity_command(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Answers: Parquet, CSV, TSV, JSON, JSON Lines, AlpacaEval's, FastChat's."
        ),
    ],
    rows: _Rows,
    telling: _Telling,
    against: Annotated[
        Path | None,
        typer.Option(help="Another model's answers to the same prompts: what differs, paired by item_id."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check which language each answer is in, by response, by line and by word, with 95 % intervals.

    Example: polypinch fidelity answers.csv --text completion --language language

    Example: polypinch fidelity pinch/answers.parquet --against english/answers.parquet
    """
    from polypinch.fidelity import fidelity_notes, read_answers, summarise
    from polypinch.judge import published_answers

    fasttext = telling.identifier is Identified.FASTTEXT
    if fasttext and (telling.open_choice or telling.candidates is not None or telling.as_published):
        raise PinchError(
            "--identifier fasttext is the benchmark's own way: all languages, lines as published",
            fix="leave --open, --candidates and --as-published out",
        )
    if telling.open_choice and telling.candidates is not None:
        raise PinchError("--open and --candidates exclude each other", fix="leave one of them out")
    others = [rows.average_over] if rows.average_over else []
    conditions = [_condition(given) for given in rows.where or []]

    def read(path: Path) -> pa.Table:
        named = rows.text != "text" or others or conditions
        published = None if named else published_answers(path, told)
        return (
            read_answers(path, rows.text, rows.language, others, conditions)
            if published is None
            else published
        )

    told = None if rows.language == "language" else rows.language

    table = read(file)
    asked = sorted(set(table["language"].to_pylist()))
    chosen = None if fasttext else _choice(telling.candidates, asked, telling.open_choice)
    judged = _judged(table, chosen, telling)
    if against is not None:
        _show_paired(file, against, judged, _judged(read(against), chosen, telling), as_json)
        return
    found = summarise(judged, rows.average_over)
    notes = [] if fasttext else fidelity_notes(judged, chosen)
    found = [*sorted(found[:-1], key=lambda row: row.language), found[-1]]
    if as_json:
        *of_languages, overall = found
        print_json(
            {
                "file": str(file),
                "identifier": telling.identifier.value,
                "candidates": chosen,
                "languages": of_languages,
                "all": overall,
                "notes": notes,
            }
        )
        return
    title = f"{file.name}, % (95 % interval), among {'all languages' if chosen is None else ' '.join(chosen)}"
    columns = ["language", "answers", "abstained", "in language", "line pass", "word pass"]
    print_table(columns, [_cells(row) for row in found], title)
    unsure = [row for row in found if row.n_abstained]
    if unsure:
        bounds = ["language", "abstained", "in language if all of these are wrong", "if all are right"]
        shares = [(row.language, row.n_abstained, row.if_wrong, row.if_right) for row in unsure]
        print_table(bounds, [(tag, n, f"{100 * low:.1f}", f"{100 * up:.1f}") for tag, n, low, up in shares])
    for note in notes:
        print(note)


def _judged(table: pa.Table, chosen: list[str] | None, telling: _Telling) -> pa.Table:
    from polypinch.fidelity import fidelity_table, published_table

    texts, tags = table["text"].to_pylist(), table["language"].to_pylist()
    if telling.identifier is Identified.FASTTEXT:
        judged = published_table(texts, tags, label="identifying languages")
    else:
        published = telling.as_published
        judged = fidelity_table(texts, tags, chosen, as_published=published, label="identifying languages")
    for name in (column for column in table.column_names if column not in judged.column_names):
        judged = judged.append_column(name, table[name])
    return judged


def _show_paired(file: Path, against: Path, ours: pa.Table, theirs: pa.Table, as_json: bool) -> None:
    from polypinch.fidelity import paired

    found = paired(ours, theirs)
    if as_json:
        print_json({"file": str(file), "against": str(against), "changes": [asdict(row) for row in found]})
        return
    cells = [
        [
            row.language,
            row.n,
            f"{100 * row.share:.1f}",
            f"{100 * row.against:.1f}",
            f"{100 * row.change.value:+.1f} ({100 * row.change.low:+.1f} to {100 * row.change.high:+.1f})",
        ]
        for row in found
    ]
    title = f"in the language asked for, %: {file} against {against}, paired by prompt, 95 % intervals"
    print_table(["language", "prompts", "ours", "theirs", "change, points"], cells, title)
    left_out = found[-1].left_out
    if left_out:
        print(f"{left_out} prompts are left out: of an answer to them the language cannot be told")


def _condition(given: str) -> tuple[str, str]:
    column, equals, value = given.partition("=")
    if not column or not equals:
        raise PinchError(
            f"--where {given}: not column=value", fix="write for example --where task=monolingual"
        )
    return column, value


def _choice(candidates: str | None, asked: list[str], open_choice: bool) -> list[str] | None:
    from polypinch.languages import language, languages

    if open_choice:
        return None
    if candidates is not None:
        return languages([tag.strip() for tag in candidates.split(",") if tag.strip()])
    english = any(tag.split("-")[0] == "en" for tag in asked)
    return asked if english else [*asked, language("en").tag]


def _cells(row: LanguageFidelity) -> list[str | int]:
    rates = [_percent(rate) for rate in (row.in_language, row.line_pass, row.word_pass)]
    return [row.language, row.n, f"{100 * row.abstained:.1f} %", *rates]


def _percent(rate: Rate) -> str:
    if math.isnan(rate.value):
        return "–"
    return f"{100 * rate.value:.1f} ({100 * rate.low:.0f}–{100 * rate.high:.0f})"
