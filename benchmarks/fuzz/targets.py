"""What is fuzzed: each reader of what others wrote, on bytes. Only a PinchError may come out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from polypinch import reading
from polypinch.conversation import RowError, conversation
from polypinch.errors import PinchError
from polypinch.judge import answer_files, folder, interchange, labels, replies
from polypinch.judge.cost import load_prices
from polypinch.judge.kinds import KindName, kind_of
from polypinch.languages import language
from polypinch.mix import MixPlan
from polypinch.openai_server import Endpoint
from polypinch.pool import layouts
from polypinch.probe.result import read_probe
from polypinch.server_replies import Passing, Unwell, first_tokens, loaded, read_chat, wait_asked
from polypinch.specs import load_yaml
from polypinch.study import Study
from polypinch.tasks.layouts import read_rows
from polypinch.terminal import cell, printable
from polypinch.translate.prompting import load_glossary, read_turns
from polypinch.translate.sheet import read_sheet
from polypinch.translate.wanted import Wanted
from polypinch.tune import TuneRecipe

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".jsonl.gz")
_SCHEMA = {
    "type": "object",
    "properties": {"winner": {"enum": ["first", "second", "tie"]}, "grade": {"type": "number"}},
}
_WANTED = [
    Wanted(
        "a",
        "fi",
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}],
        "s",
        "CC0-1.0",
        "train",
    )
]

Reader = Callable[[Path], object]
PUBLISHED: tuple[tuple[str, Reader], ...] = (
    *((f".{kind}", labels.read_labels) for kind in ("jsonl", "csv")),
    *((f".{kind}", interchange.read_judged) for kind in ("jsonl", "csv")),
    (".jsonl", lambda path: interchange.read_model_outputs(path, "en")),
    (".jsonl", lambda path: interchange.read_model_answers(path, "en")),
    (".jsonl", lambda path: answer_files.read_pairs(path, path, None)),
    (".tsv", lambda path: read_rows(path, "mgsm")),
    (".jsonl", lambda path: read_rows(path, "xcopa")),
    (".json", lambda path: read_rows(path, "xquad")),
    (".csv", lambda path: read_sheet(path, _WANTED)),
    (".json", read_probe),
)
SETTINGS: tuple[Reader, ...] = (
    lambda path: load_yaml(path, Study),
    lambda path: load_yaml(path, MixPlan),
    lambda path: load_yaml(path, TuneRecipe),
    lambda path: load_yaml(path, folder.JudgeSettings),
    load_prices,
    load_glossary,
)


def files(data: bytes) -> None:
    """Read the bytes as a file, of a kind that the first byte says."""

    def read(path: Path) -> None:
        for chunk in reading.read_rows(str(path), bad=reading.BadRows()):
            for _, row in chunk.rows:
                _as_row(row)

    _refused(read, _written(data[1:], SUFFIXES[data[0] % len(SUFFIXES)]), named=True)


def published(data: bytes) -> None:
    """Read others' labels, verdicts, answers, tasks, translations; which reader, the first byte says."""
    suffix, reader = PUBLISHED[data[0] % len(PUBLISHED)]
    _refused(reader, _written(data[1:], suffix))


def settings(data: bytes) -> None:
    """Read a study, a plan, a recipe, a judge's settings, prices, a glossary: the first byte says which."""
    _refused(SETTINGS[data[0] % len(SETTINGS)], _written(data[1:], ".yaml"), named=True)


def folders(data: bytes) -> None:
    """Read a judge's folder: prompt, NUL, schema, and prompts in other languages."""
    prompt, _, schema = data.partition(b"\0")
    place = Path(tempfile.gettempdir()) / "judge"
    place.mkdir(exist_ok=True)
    (place / folder.SETTINGS).write_text("kind: pairwise\n")
    (place / folder.PROMPT).write_bytes(prompt)
    (place / folder.SCHEMA).write_bytes(schema)
    _refused(folder.load_judge, place)


def rows(data: bytes) -> None:
    """Read JSON as a row of any layout."""
    try:
        row = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(row, dict):
        _as_row(row)


def replies_of_a_judge(data: bytes) -> None:
    """Read a judge's reply that names a winner, grades or translates."""
    text = data.decode("utf-8", "surrogateescape")
    reply = replies.Reply(text)
    replies.read_winner(reply, "winner", {**_SCHEMA, "required": ["winner"]})
    replies.read_grade(reply, "grade", {**_SCHEMA, "required": ["grade"]})
    with suppress(ValueError, RecursionError):
        read_turns(text)


def servers(data: bytes) -> None:
    """Read what a server sent: a status of its own (first byte), or a completion with its probabilities."""
    endpoint, content = Endpoint("m", "http://127.0.0.1:1/v1"), data[1:]
    wait_asked({"retry-after": content[:40].decode("latin-1")})
    str(endpoint._classified(400 + data[0], {}, loaded(content))).encode()
    try:
        chat = read_chat("application/json", content, 0.0, 1)
    except Unwell as unwell:
        str(endpoint._classified(unwell.status, {}, unwell.body)).encode()
        return
    except Passing as passing:
        str(passing).encode()
        return
    (chat.text or "").encode()
    (chat.finish_reason or "").encode()
    kind = kind_of(KindName.PAIRWISE_TOKEN)
    judge = folder.load_judge("pairwise-token")
    reading_ = kind.read(replies.Reply(chat.text or "", likely=first_tokens(chat.choice)), judge)
    assert (reading_.winner is None) == (reading_.error is not None)


def languages(data: bytes) -> None:
    """Look a tag up."""
    try:
        again = language(data.decode("utf-8", "replace")).tag
    except PinchError:
        return
    assert language(again).tag == again, again


def texts(data: bytes) -> None:
    """Make a text safe to print and to put into a table."""
    text = data.decode("utf-16", "replace")
    printable(text).encode()
    str(cell(text))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "files": files,
    "published": published,
    "settings": settings,
    "folders": folders,
    "rows": rows,
    "replies": replies_of_a_judge,
    "servers": servers,
    "languages": languages,
    "texts": texts,
}


def _written(data: bytes, suffix: str) -> Path:
    path = Path(tempfile.gettempdir()) / f"any{suffix}"
    path.write_bytes(data)
    return path


def _refused(reader: Reader, path: Path, named: bool = False) -> None:
    try:
        reader(path)
    except PinchError as error:
        error.message.encode("utf-8", "backslashreplace")
        if named and str(path) not in error.message:
            raise AssertionError(f"the file is not named: {error}") from error


def _as_row(row: dict[str, Any]) -> None:
    for name in layouts.LAYOUTS:
        try:
            turns = conversation(layouts.converter(name)(row), prompt_alone=True)
        except RowError as error:
            str(error).encode("utf-8", "backslashreplace")
            continue
        layouts.unused(row, name)
        "".join(text for _, text in turns).encode()
    with suppress(RowError):
        layouts.detect_layout(row)
    for value in row.values():
        with suppress(RowError):
            reading.join_key(value).encode()
