"""One target of the fuzzer, on a corpus or a file: ``python -m benchmarks.fuzz.harness TARGET PLACE``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["polypinch"], enable_loader_override=False):
    from polypinch import reading
    from polypinch.conversation import RowError, conversation
    from polypinch.errors import PinchError
    from polypinch.judge import replies
    from polypinch.languages import language
    from polypinch.pool import layouts
    from polypinch.terminal import cell, printable

_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".jsonl.gz")
_SCHEMA = {
    "type": "object",
    "properties": {"winner": {"enum": ["first", "second", "tie"]}, "grade": {"type": "number"}},
}


def files(data: bytes) -> None:
    """Read the bytes as a file, of a kind that the first byte says."""
    path = Path(tempfile.gettempdir()) / f"any{_SUFFIXES[data[0] % len(_SUFFIXES)]}"
    path.write_bytes(data[1:])
    try:
        for chunk in reading.read_rows(str(path), bad=reading.BadRows()):
            for _, row in chunk.rows:
                _as_row(row)
    except PinchError as error:
        if str(path) not in error.message:
            raise AssertionError(f"the file is not named: {error}") from error


def rows(data: bytes) -> None:
    """Read JSON as a row of any layout."""
    try:
        row = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(row, dict):
        _as_row(row)


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


def replies_of_a_judge(data: bytes) -> None:
    """Read a judge's reply that names a winner or grades."""
    reply = replies.Reply(data.decode("utf-8", "surrogateescape"))
    replies.read_winner(reply, "winner", {**_SCHEMA, "required": ["winner"]})
    replies.read_grade(reply, "grade", {**_SCHEMA, "required": ["grade"]})


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


RUN = {
    "files": files,
    "rows": rows,
    "replies": replies_of_a_judge,
    "languages": languages,
    "texts": texts,
}


def _seed(name: str, corpus: Path) -> None:
    """Give libFuzzer inputs of each kind to begin with."""
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "Ho"}]},
    ]
    objects = [
        {"messages": turns},
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]},
        {"instruction": "Hi", "input": 1.0, "output": "Ho", "history": [["a", "b"]], "system": "S"},
        {"prompt": turns[:1], "completion": turns[1:], "weight": 1},
        {"question_id": 1, "turns": ["a", "b"]},
    ]
    plain = [json.dumps(row).encode() for row in objects]
    start: dict[str, list[bytes]] = {
        "files": [
            *(b"\0" + line + b"\n" for line in plain),
            b"\1[" + b",\n".join(plain) + b"]",
            b'\1{\n"data": [' + plain[0] + b"]}",
            b'\2prompt;response\nHi;"H""o"\n',
            b"\3a\tb\n1\t2\n",
            *(b"\4" + _parquet(objects[place : place + 1]) for place in range(2)),
            b"\5" + _arrow(objects[:1]),
            b"\0" + plain[0].decode().encode("utf-16"),
        ],
        "rows": plain,
        "replies": [b'{"winner": "first"}', b'```json\n{"grade": 3}\n```', b"<think>x</think>{}"],
        "languages": [b"en", b"zh-Hant-TW", b"hin_Latn", b"x-pinch"],
        "texts": ["\x1b[31mred".encode("utf-16"), "=1+1".encode("utf-16")],
    }
    for place, data in enumerate(start[name]):
        (corpus / f"seed-{place}").write_bytes(data)


def _parquet(objects: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({key: [json.dumps(row[key]) for row in objects] for key in objects[0]}), sink)
    return bytes(sink.getvalue())


def _arrow(objects: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    table = pa.table({key: [json.dumps(row[key]) for row in objects] for key in objects[0]})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def main() -> None:
    """Run libFuzzer on a target, or a target on the files named."""
    name = sys.argv.pop(1)
    for argument in sys.argv[1:]:
        if Path(argument).is_dir():
            _seed(name, Path(argument))

    def target(data: bytes) -> None:
        if data:
            RUN[name](data)

    os.environ.setdefault("ARROW_NUM_THREADS", "1")
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
