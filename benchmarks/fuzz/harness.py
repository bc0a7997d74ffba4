"""One target of the fuzzer, on a corpus or a file: ``python -m benchmarks.fuzz.harness TARGET PLACE``."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["polypinch"], enable_loader_override=False):
    from benchmarks.fuzz import targets

_LABELLED: tuple[dict[str, Any], ...] = (
    {
        "item_id": "a",
        "language": "en",
        "annotator": "x",
        "prompt": "Hi",
        "one_text": "A",
        "other_text": "B",
        "winner": "first",
    },
    {
        "question_id": 1,
        "model_1": "a",
        "model_2": "b",
        "g1_winner": "model_1",
        "g2_winner": "tie",
        "judge": ["gpt-4", "pair-v2"],
        "turn": 1,
    },
    {"instruction": "Hi", "output_1": "A", "output_2": "B", "annotator": "x", "preference": 1.5},
    {
        "conversation_a": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A"}],
        "conversation_b": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "B"}],
        "winner": "model_a",
        "language": "English",
    },
    {"prompt": "Hi", "chosen": "A", "rejected": "B"},
)


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
    labelled = [json.dumps(row).encode() for row in _LABELLED]
    tables = [_csv(row) for row in _LABELLED]
    folder = resources.files("polypinch.judge") / "judges" / "pairwise"
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
        "published": [
            *(bytes([place]) + line for place in (0, 2) for line in labelled),
            *(bytes([place]) + table for place in (1, 3) for table in tables),
            b'\4{"instruction": "Hi", "output": "Ho", "generator": "m"}',
            b'\5{"question_id": 1, "model_id": "m", "choices": [{"index": 0, "turns": ["Ho"]}]}',
            b'\6{"item_id": "a", "language": "fi", "text": "Ho", "prompt": "Hi"}',
            b"\7Kuinka monta?\t1.250\n",
            b'\x08{"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": 0,'
            b' "idx": 1}',
            b'\x09{"data": [{"paragraphs": [{"context": "c", "qas": [{"id": "1", "question": "q",'
            b' "answers": [{"text": "c", "answer_start": 0}]}]}]}]}',
            b"\x0aitem_id,language,turn,role,source,target\na,fi,1,user,Hi,Hei\n",
            b'\x0b{"languages": []}',
        ],
        "settings": [
            b"\0pool: pinch12\n"
            b"arms: {none: {}, ten: {mix: {pinch: {languages: [fi], total: {count: 10}}}}}\n",
            b"\1pool: pinch12\n"
            b"base: {language: en, count: 10}\npinch: {languages: [fi], total: {share: 0.1}}\n",
            b"\2epochs: 2\nlearning_rate: 1e-4\n",
            b"\3kind: pairwise\ntemperature: 0\nlabels: {first: A, second: B}\n",
            b"\4m: {input: 0.15, output: .6}\n",
            b"\5de: {dose: Dosis}\nfi: &a {d: 2001-12-14}\nsv: *a\n",
        ],
        "folders": [b"\0".join((folder / name).read_bytes() for name in ("prompt.j2", "schema.json"))],
        "servers": [
            b'\1{"error": {"code": "x", "message": "no", "param": "seed"}}',
            b'\0{"usage": {"prompt_tokens": 1},'
            b' "choices": [{"finish_reason": "stop", "message": {"content": "A"},'
            b' "logprobs": {"content": [{"top_logprobs": [{"token": "A", "logprob": -0.1}]}]}}]}',
            b'\0{"choices": [{"message": {"content": [{"type": "text", "text": "A"}]}}]}',
            b'\0{"error": {"code": 429}, "choices": []}',
            b"\0Fri, 31 Dec 1999 23:59:59 GMT",
        ],
        "replies": [b'{"winner": "first"}', b'```json\n{"grade": 3}\n```', b"<think>x</think>{}"],
        "languages": [b"en", b"zh-Hant-TW", b"hin_Latn", b"x-pinch"],
        "texts": ["\x1b[31mred".encode("utf-16"), "=1+1".encode("utf-16")],
    }
    for place, data in enumerate(start[name]):
        (corpus / f"seed-{place}").write_bytes(data)


def _csv(row: dict[str, Any]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([list(row), [v if isinstance(v, str) else json.dumps(v) for v in row.values()]])
    return text.getvalue().encode()


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
            targets.TARGETS[name](data)

    os.environ.setdefault("ARROW_NUM_THREADS", "1")
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
