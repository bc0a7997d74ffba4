"""polypinch fidelity."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polypinch.cli.show import print_json, print_table
from polypinch.errors import PinchError

if TYPE_CHECKING:
    from polypinch.fidelity import LanguageFidelity, Rate


class Identified(StrEnum):
    """By what lines and answers are identified."""

    PY3LANGID = "py3langid"
    FASTTEXT = "fasttext"


def fidelity_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Answers: Parquet, CSV, TSV or JSON Lines.")],
    *,
    text: Annotated[str, typer.Option(help="The column of the answers.")] = "text",
    tag: Annotated[
        str, typer.Option("--language", help="The column of the language asked for.")
    ] = "language",
    candidates: Annotated[
        str | None,
        typer.Option(help="Languages to choose among: ar,en,sw. Default: the file's, and English."),
    ] = None,
    open_choice: Annotated[bool, typer.Option("--open", help="Choose among all languages known.")] = False,
    average_over: Annotated[
        str | None, typer.Option(help="A column (source) whose values weigh the same within a language.")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="Keep rows with column=value; may be repeated.")
    ] = None,
    as_published: Annotated[
        bool,
        typer.Option(
            "--as-published", help="Lines as the benchmark's script: code stays in, undecided is wrong."
        ),
    ] = False,
    identifier: Annotated[
        Identified,
        typer.Option(
            help="fasttext: line pass rates that compare with the benchmark's published ones "
            '(pip install "polypinch[fasttext]").'
        ),
    ] = Identified.PY3LANGID,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of a table.")
    ] = False,
) -> None:
    """Check which language each answer is in, by response, by line and by word, with 95 % intervals.

    Example: polypinch fidelity answers.csv --text completion --language language
    """
    from polypinch.fidelity import fidelity_notes, fidelity_table, published_table, read_answers, summarise

    if identifier is Identified.FASTTEXT and (open_choice or candidates is not None or as_published):
        raise PinchError(
            "--identifier fasttext is the benchmark's own way: all languages, lines as published",
            fix="leave --open, --candidates and --as-published out",
        )
    if open_choice and candidates is not None:
        raise PinchError("--open and --candidates exclude each other", fix="leave one of them out")
    others = [average_over] if average_over else []
    table = read_answers(file, text, tag, others, [_condition(given) for given in where or []])
    asked = sorted(set(table["language"].to_pylist()))
    texts, tags = table["text"].to_pylist(), table["language"].to_pylist()
    if identifier is Identified.FASTTEXT:
        chosen = None
        judged = published_table(texts, tags, label="identifying languages")
    else:
        chosen = _choice(candidates, asked, open_choice)
        judged = fidelity_table(texts, tags, chosen, as_published=as_published, label="identifying languages")
    for name in (column for column in table.column_names if column not in judged.column_names):
        judged = judged.append_column(name, table[name])
    rows = summarise(judged, average_over)
    notes = fidelity_notes(judged, chosen) if identifier is Identified.PY3LANGID else []
    rows = [*sorted(rows[:-1], key=lambda row: row.language), rows[-1]]
    if as_json:
        *of_languages, overall = [row.as_dict() for row in rows]
        print_json(
            {
                "file": str(file),
                "identifier": identifier.value,
                "candidates": chosen,
                "languages": of_languages,
                "all": overall,
                "notes": notes,
            }
        )
        return
    title = f"{file.name}, % (95 % interval), among {'all languages' if chosen is None else ' '.join(chosen)}"
    columns = ["language", "answers", "abstained", "in language", "line pass", "word pass"]
    print_table(columns, [_cells(row) for row in rows], title)
    unsure = [row for row in rows if row.n_abstained]
    if unsure:
        bounds = ["language", "abstained", "in language if all of these are wrong", "if all are right"]
        shares = [(row.language, row.n_abstained, row.if_wrong, row.if_right) for row in unsure]
        print_table(bounds, [(tag, n, f"{100 * low:.1f}", f"{100 * up:.1f}") for tag, n, low, up in shares])
    for note in notes:
        print(note)


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
