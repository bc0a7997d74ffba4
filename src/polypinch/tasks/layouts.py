"""Reading tasks in the layouts they are published in, with the row in every complaint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import parse_json
from polypinch.languages import language
from polypinch.reading import row_errors
from polypinch.tasks.numbers import last_number

_SUFFIXES = {"mgsm": (".tsv",), "xcopa": (".jsonl",), "xquad": (".json",)}
_NAMED = {
    "mgsm": "mgsm_en.tsv, mgsm_es.tsv …",
    "xcopa": "et/test.et.jsonl, it/test.it.jsonl …",
    "xquad": "xquad.en.json, xquad.es.json …",
}


@dataclass(frozen=True)
class Row:
    """One item in one language, as its file has it.

    Attributes:
        item_id: joins its translations.
        fields: what a prompt is made of.
        right: right answers; for choices the right one.
        choices: what is chosen from; empty where the answer is written freely.
        label: position of the right choice.
        kind: ``cause`` or ``effect`` of an xcopa item, else empty.
    """

    item_id: str
    fields: Mapping[str, str]
    right: tuple[str, ...]
    choices: tuple[str, ...] = ()
    label: int | None = None
    kind: str = ""


def find_languages(path: Path, layout: str) -> dict[str, Path]:
    """Return the file of each language: the last part of a file's name, before its ending, is the tag.

    Raises:
        PinchError: there is none, or two of one language.
    """
    if not path.exists():
        raise PinchError(f"{path}: no such file or folder", fix="give the folder with the task's files")
    suffixes = _SUFFIXES[layout]
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in suffixes)
    found: dict[str, list[Path]] = {}
    for file in files:
        tag = _tag(file)
        if tag is not None:
            found.setdefault(tag, []).append(file)
    if not found:
        raise PinchError(
            f"{path}: no file of layout {layout} that ends in a language's tag",
            fix=f"name them as they are published: {_NAMED[layout]}",
        )
    return {tag: _one(tag, several) for tag, several in sorted(found.items())}


def _tag(file: Path) -> str | None:
    try:
        return language(re.split(r"[._]", file.stem)[-1]).tag
    except PinchError:
        return None


def _one(tag: str, files: list[Path]) -> Path:
    """Choose a language's file: where several stand, the one of the test split."""
    tests = [file for file in files if file.name.startswith("test")] if len(files) > 1 else files
    if len(tests) != 1:
        names = ", ".join(map(str, files))
        raise PinchError(
            f"language {tag} has {len(files)} files: {names}", fix="name a folder with one of each"
        )
    return tests[0]


def read_rows(file: Path, layout: str) -> list[Row]:
    """Read one language's file.

    Raises:
        PinchError: naming the file, the row and the fix.
    """
    readers: dict[str, Callable[[Path, str], Iterator[Row]]] = {
        "mgsm": _mgsm,
        "xcopa": _xcopa,
        "xquad": _xquad,
    }
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PinchError(f"{file}: not UTF-8 (byte {error.start})", fix="save it as UTF-8") from error
    with row_errors(file, None, f"give a file in the layout of {layout}"):
        rows = list(readers[layout](file, text))
    if not rows:
        raise PinchError(f"{file}: holds no item", fix="give a file with items")
    seen: set[str] = set()
    for row in rows:
        if row.item_id in seen:
            raise PinchError(f"{file}: item {row.item_id} stands twice", fix="keep one of the two")
        seen.add(row.item_id)
    return rows


def _mgsm(file: Path, text: str) -> Iterator[Row]:
    """Yield a line's question and number (Shi et al. 2022, arXiv 2210.03057): lines join languages."""
    for number, line in enumerate(text.split("\n"), 1):
        cells = line.rstrip("\r").split("\t")
        if cells == [""]:
            continue
        where = f"{file}, row {number}"
        if len(cells) != 2 or not cells[0].strip():
            raise PinchError(f"{where}: not a question, a tab and a number", fix="one question a line")
        # The published files write answers as English does, in every language.
        right = last_number(cells[1], "en") if re.fullmatch(r"\W*[\d.,٫٬\s]+\W*", cells[1]) else None
        if not right:
            raise PinchError(f"{where}: the answer {cells[1]!r} is no number", fix="write it in digits")
        yield Row(str(number), {"question": cells[0].strip()}, (f"{max(right):f}",))


def _xcopa(file: Path, text: str) -> Iterator[Row]:
    """Yield a line's premise and choices (Ponti et al. 2020, arXiv 2005.00333): ``idx`` joins languages."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{file}, row {number}"
        try:
            row = parse_json(line)
        except ValueError as error:
            raise PinchError(f"{where}: not JSON ({error})", fix="one JSON object a line") from error
        lacks = _missing(row, ("premise", "choice1", "choice2", "question", "label", "idx"))
        if lacks:
            raise PinchError(f"{where}: no {', '.join(lacks)}", fix="see github.com/cambridgeltl/xcopa")
        names = [f"choice{place}" for place in range(1, 10) if f"choice{place}" in row]
        choices = tuple(str(row[name]).strip() for name in names)
        if row["question"] not in ("cause", "effect"):
            raise PinchError(f"{where}: question is {row['question']!r}", fix="write cause or effect")
        if type(row["label"]) is not int or not 0 <= row["label"] < len(choices):
            raise PinchError(
                f"{where}: label is {row['label']!r}", fix=f"write 0 to {len(choices) - 1}: a choice's place"
            )
        if not all(choices):
            raise PinchError(f"{where}: a choice is empty", fix="write it out")
        premise = {"premise": str(row["premise"]).strip()}
        label = row["label"]
        yield Row(str(row["idx"]), premise, (choices[label],), choices, label, row["question"])


def _xquad(file: Path, text: str) -> Iterator[Row]:
    """Yield a file's questions (Artetxe et al. 2020, arXiv 1910.11856): ``id`` joins languages."""
    try:
        articles = parse_json(text)["data"]
        found = [
            (paragraph["context"], question)
            for article in articles
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        ]
    except ValueError as error:
        raise PinchError(f"{file}: not JSON ({error})", fix="give a file in SQuAD's layout") from error
    except (KeyError, TypeError) as error:
        raise PinchError(
            f"{file}: not SQuAD's layout (data, paragraphs, context, qas): {error!r}",
            fix="give a file in SQuAD's layout",
        ) from error
    for number, (context, one) in enumerate(found, 1):
        lacks = _missing(one, ("id", "question", "answers"))
        if lacks:
            raise PinchError(f"{file}, question {number}: no {', '.join(lacks)}", fix="complete it")
        right = tuple(dict.fromkeys(str(given["text"]).strip() for given in one["answers"]))
        if not any(right):
            raise PinchError(
                f"{file}, question {one['id']}: no answer in the text", fix="leave such questions out"
            )
        fields = {"context": _clean(context), "question": _clean(one["question"])}
        yield Row(str(one["id"]), fields, tuple(filter(None, right)))


def _clean(text: str) -> str:
    return text.replace("\ufeff", "").strip()  # published files have it within


def _missing(row: Any, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not isinstance(row, dict) or row.get(name) is None]
