from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from polypinch.errors import PinchError
from polypinch.fidelity import read_answers
from polypinch.files import write_table


def refused(path: Path, *texts: str) -> None:
    with pytest.raises(PinchError) as caught:
        read_answers(path)
    for text in (path.name, *texts):
        assert text in caught.value.message


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.csv", 'text,language,item_id,n\n"two\nlines",fin,7,1\nyksi,fi,8,2\n'),
        ("a.tsv", 'text\tlanguage\titem_id\tn\n"two\nlines"\tfin\t7\t1\nyksi\tfi\t8\t2\n'),
        (
            "a.jsonl",
            '{"text": "two\\nlines", "language": "fin", "item_id": 7, "n": 1}\n\n'
            '{"text": "yksi", "language": "fi", "item_id": 8, "n": 2}\n',
        ),
        (
            "a.json",
            '[\n{"text": "two\\nlines", "language": "fin", "item_id": 7.0, "n": 1},\n'
            '{"text": "yksi", "language": "fi", "item_id": 8, "n": 2}\n]\n',
        ),
        ("a.csv", 'text;language;item_id;n\n"two\nlines";fin;7;1\nyksi;fi;8;2\n'),
    ],
)
def test_every_layout_gives_the_same_rows(tmp_path: Path, name: str, written: str) -> None:
    (tmp_path / name).write_text(written, encoding="utf-8")
    assert read_answers(tmp_path / name, others=["n"]).to_pylist() == [
        {"language": "fi", "text": "two\nlines", "item_id": "7", "n": "1"},
        {"language": "fi", "text": "yksi", "item_id": "8", "n": "2"},
    ]
    assert read_answers(tmp_path / name, where=[("n", "2")])["text"].to_pylist() == ["yksi"]


def test_parquet_reads_and_names_a_bad_row(tmp_path: Path) -> None:
    write_table(tmp_path / "a.parquet", pa.table({"text": ["yksi", None], "language": ["fi", "fi"]}))
    assert read_answers(tmp_path / "a.parquet")["text"].to_pylist() == ["yksi", None]
    write_table(tmp_path / "b.parquet", pa.table({"text": ["a"] * 5000, "language": ["fi"] * 4999 + ["xx"]}))
    refused(tmp_path / "b.parquet", "row 5000", "xx")


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("a.csv", b'text,language\n"one\ntwo",fi\nb,klingonish\n', ["row 4", "klingonish"]),
        ("a.csv", b"text,language\na,\n", ["row 2", "no language"]),
        ("a.csv", b"text,language\na,fi,extra\n", ["row 2", "3 columns, the header has 2"]),
        ("a.csv", b'text,language\n"open,fi\n', ["row 2", "not CSV"]),
        ("a.csv", b"text,language\n\xff\xfe,fi\n", ["not UTF-8"]),
        ("a.csv", b"", ["no rows"]),
        ("a.jsonl", b'{"text": "a", "language": "fi"}\n{"text": \n', ["row 2", "not JSON"]),
        ("a.jsonl", b"[1, 2]\n", ["row 1", "a JSON int, not an object"]),
        (
            "a.jsonl",
            b'{"text": "a", "language": "fi"}\n{"text": "b", "language": 5}\n',
            ["row 2", "no language"],
        ),
        ("a.parquet", b"nothing of the kind", ["not readable as Parquet"]),
        ("a.docx", b"", [".docx"]),
    ],
)
def test_bad_files_are_refused_by_row(tmp_path: Path, name: str, written: bytes, said: list[str]) -> None:
    (tmp_path / name).write_bytes(written)
    refused(tmp_path / name, *said)


def test_a_missing_file_or_condition_says_so(tmp_path: Path) -> None:
    refused(tmp_path / "none.csv", "no such file")
    (tmp_path / "a.csv").write_text("text,language\na,fi\n")
    with pytest.raises(PinchError, match="language=sw"):
        read_answers(tmp_path / "a.csv", where=[("language", "sw")])
