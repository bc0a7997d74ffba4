import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.pool import formats
from polypinch.pool.formats import read_rows

ROWS = [{"prompt": f"Kysymys {n}: «ä»\n汉", "completion": f'"{n}", مرحبا'} for n in range(5)]


def read(path: Path | str) -> list[tuple[int, dict[str, Any]]]:
    return [row for chunk in read_rows(str(path)) for row in chunk.rows]


def write(folder: Path, suffix: str) -> Path:
    path = folder / f"data{suffix}"
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif suffix in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(ROWS[0]), delimiter="," if suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(ROWS)
    elif suffix == ".json":
        path.write_text(json.dumps(ROWS, ensure_ascii=False, indent=1), encoding="utf-8")
    elif suffix == ".jsonl.gz":
        path.write_bytes(gzip.compress(lines.encode()))
    else:
        path.write_text(lines, encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".json", ".csv", ".tsv", ".parquet"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, suffix: str) -> None:
    assert [row for _, row in read(write(tmp_path, suffix))] == ROWS


def test_rows_are_numbered_by_line_where_there_are_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('\ufeff{"a": 1}\n\n{"a": 2}\n', encoding="utf-8")
    assert [number for number, _ in read(path)] == [1, 3]
    path = tmp_path / "data.csv"
    path.write_text('a,b\n1,"two\nlines"\n3,4\n', encoding="utf-8")
    assert [number for number, _ in read(path)] == [2, 4]


def test_chunks_are_of_bounded_size_and_end_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "CHUNK_ROWS", 2)
    chunks = list(read_rows(str(write(tmp_path, ".jsonl"))))
    assert [len(chunk.rows) for chunk in chunks] == [2, 2, 1]
    assert chunks[-1].done == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(st.text(max_size=5), json_values, max_size=4)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=4), max_size=6),
    st.integers(1, 40),
    st.booleans(),
)
def test_a_json_array_reads_the_same_however_it_is_cut_into_pieces(
    tmp_path_factory: pytest.TempPathFactory, values: list[dict[str, Any]], piece: int, indented: bool
) -> None:
    path = tmp_path_factory.mktemp("json") / "data.json"
    path.write_text(
        json.dumps(values, indent=2 if indented else None, ensure_ascii=piece % 2 == 0), encoding="utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "PIECE_BYTES", piece)
        assert [row for _, row in read(path)] == json.loads(path.read_text(encoding="utf-8"))


def test_json_lines_called_json_are_read_too(tmp_path: Path) -> None:
    path = write(tmp_path, ".jsonl").rename(tmp_path / "data.json")
    assert [row for _, row in read(path)] == ROWS


BROKEN = [
    ("data.jsonl", b'{"a": 1}\n{"a": \n', r"data\.jsonl: row 2: not JSON"),
    ("data.jsonl", b'{"a": 1}\n[1]\n', r"row 2: a JSON list, not an object"),
    ("data.jsonl", b'{"a": 1}\n{"a": "caf\xe9"}\n', r"row 2: byte 0xE9 at offset 19 is not UTF-8"),
    ("data.jsonl", b'{"a": "\xc3', r"row 1: byte 0xC3"),
    ("data.jsonl", b"[" * 100_000, r"row 1: nested too deeply"),
    ("data.json", b'[{"a": 1}, {"a": ', r"row 2: not JSON"),
    ("data.json", b'[{"a": 1}, 2]', r"row 2: a JSON int"),
    ("data.json", '[{"a": "ä"},\n {"a": "'.encode() + b'\xff"}]', r"row 2: byte 0xFF at offset 22"),
    ("data.csv", b"a,b\n1,2\n1\n", r"row 3: 1 columns, the header has 2"),
    ("data.csv", b'a,b\n1,"2\n', r"row 2: not CSV"),
    ("data.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 1000, mtime=0)[:-9], r"not a whole gzip file"),
    ("data.parquet", b"PAR1 not really", r"not readable as Parquet"),
    ("data.txt", b"hello", r"unknown kind of file '\.txt'"),
]


@pytest.mark.parametrize(("name", "data", "message"), BROKEN)
def test_a_broken_file_is_named_with_row_and_place(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(PinchError, match=message):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match=r"none\.jsonl: no such file"):
        read(tmp_path / "none.jsonl")


def test_a_folder_of_files_is_read_as_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    folder.mkdir()
    write(folder, ".jsonl").rename(folder / "train.jsonl")
    assert read(f"hub:{folder}") == list(enumerate(ROWS, start=1))


def test_a_data_set_without_the_split_says_how_to_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    folder.mkdir()
    write(folder, ".jsonl").rename(folder / "train.jsonl")
    with pytest.raises(PinchError, match="hub-split"):
        list(read_rows(f"hub:{folder}", hub_split="validation"))
