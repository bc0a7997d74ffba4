import bz2
import csv
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch import decoding, reading
from polypinch.errors import PinchError
from polypinch.reading import read_rows

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
    monkeypatch.setattr(reading, "CHUNK_ROWS", 2)
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
        patch.setattr(decoding, "PIECE_BYTES", piece)
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


def test_packed_files_are_read_whatever_their_packing(tmp_path: Path) -> None:
    plain = write(tmp_path, ".jsonl").read_bytes()
    packed = {
        "gz": gzip.compress(plain),
        "xz": lzma.compress(plain),
        "bz2": bz2.compress(plain),
        "zst": pa.compress(plain, codec="zstd", asbytes=True),
    }
    for ending, data in packed.items():
        path = tmp_path / f"data.jsonl.{ending}"
        path.write_bytes(data)
        assert [row for _, row in read(path)] == ROWS, ending
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(PinchError, match=f"{ending}: not a whole"):
            read(path)


def test_folders_patterns_and_saved_data_sets_are_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    shards = tmp_path / "shards"
    shards.mkdir()
    for place, row in enumerate(ROWS):
        name = shards / f"part-{place + 8}.jsonl"
        name.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert [row for _, row in read(shards)] == ROWS
    assert [row for _, row in read(f"{shards}/part-*.jsonl")] == ROWS
    saved = datasets.Dataset.from_list(ROWS)
    saved.save_to_disk(tmp_path / "saved", num_shards=2)
    datasets.DatasetDict({"train": saved, "test": saved.select([0])}).save_to_disk(tmp_path / "splits")
    assert [row for _, row in read(tmp_path / "saved")] == ROWS
    assert [row for _, row in read(tmp_path / "splits")] == ROWS
    assert [
        row for chunk in read_rows(str(tmp_path / "splits"), hub_split="test") for _, row in chunk.rows
    ] == [ROWS[0]]
    with pytest.raises(PinchError, match="hub-split: test, train"):
        read_rows(str(tmp_path / "splits"), hub_split="dev")
    first = next((tmp_path / "saved").glob("*.arrow"))
    assert read(first)[0] == (1, ROWS[0])
    (tmp_path / "empty").mkdir()
    with pytest.raises(PinchError, match="a folder without data"):
        read(tmp_path / "empty")
    with pytest.raises(PinchError, match="no file has such a name"):
        read(f"{shards}/*.csv")


READ = {
    "utf16.jsonl": '{"a": "Grüße, да"}\n'.encode("utf-16"),
    "mark in the middle.jsonl": b'{"a": "Gr\xc3\xbc\xc3\x9fe, \xd0\xb4\xd0\xb0"}\n',
    "indented.jsonl": '[\n {\n  "a": "Grüße, да"\n }\n]\n'.encode(),
    "envelope.json": '{\n "version": 1,\n "data": [{"a": "Grüße, да"}]\n}'.encode(),
    "envelope in a line.json": '{"data": [{"a": "Grüße, да"}]}'.encode(),
    "semicolon.csv": 'a;b\n"Grüße, да";\n'.encode(),
    "sep.csv": 'sep=;\na;b\n"Grüße, да";\n'.encode(),
    "cr.csv": 'a,b\r"Grüße, да",\r'.encode(),
    "spaces.csv": 'b, a\n, "Grüße, да"\n'.encode(),
}


@pytest.mark.parametrize("name", READ)
def test_files_as_programs_write_them_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(READ[name])
    assert [row["a"] for _, row in read(path)] == ["Grüße, да"]


@pytest.mark.parametrize(("text", "encoding"), [("Привет, как дела", "cp1251"), ("你好，您好", "gb18030")])
def test_other_encodings_are_shown_as_they_read(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(f'{{"a": "{text}"}}\n'.encode(encoding))
    with pytest.raises(PinchError, match="not UTF-8") as stopped:
        read(path)
    assert f"{encoding} (" in str(stopped.value)
    assert text[:5] in str(stopped.value)
    assert "latin" not in str(stopped.value).lower()


POINTLESS = {
    "lfs.jsonl": (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\n", "Git LFS pointer"),
    "long.jsonl": (b'{"a": ' + b"1" * 5000 + b"}\n", "row 1: a number of too many digits"),
    "long.json": (b'[{"a": ' + b"1" * 5000 + b"}]", "row 1: a number of too many digits"),
    "deep.json": (b'[{"a":' + b"[" * 100_000, "row 1: nested too deeply"),
    "twice.csv": (b"a,a\n1,2\n", "column 'a' stands twice"),
    "zip.jsonl": (b"PK\x03\x04 and so on", "a zip archive"),
    "damaged.arrow": (b"ARROW1\x00\x00" + b"x" * 64, "not readable as Arrow"),
}


@pytest.mark.parametrize("name", POINTLESS)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    data, message = POINTLESS[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(PinchError, match=message):
        read(path)


STARTS = [b"", b"[", b'{"a":', b"a,b\n", b"PAR1", b"ARROW1\0\0", b"\x1f\x8b", b"\xff\xfe", b"BZh9"]


def readable(path: Path) -> bool:
    """Tell whether a file can be read; where it can't, the error has to name it."""
    try:
        return bool(read(path))
    except PinchError as refused:
        said = str(refused)
    assert str(path) in said
    return False


@settings(deadline=None, max_examples=200)
@given(
    st.binary(max_size=80),
    st.sampled_from(["jsonl", "json", "csv", "tsv", "parquet", "arrow"]),
    st.sampled_from(
        [b"", b"[", b'{"a":', b"a,b\n", b"PAR1", b"ARROW1\0\0", b"\x1f\x8b", b"\xff\xfe", b"BZh9"]
    ),
)
def test_any_bytes_are_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str, start: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / f"any.{suffix}"
    path.write_bytes(start + data)
    readable(path)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2000), st.integers(0, 255), st.sampled_from([".parquet", ".jsonl.gz", ".json", ".csv"]))
def test_a_file_with_a_wrong_byte_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, suffix: str
) -> None:
    path = write(tmp_path_factory.mktemp("byte"), suffix)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(data)
    readable(path)


def test_offsets_of_an_arrow_file_that_lead_out_of_it_are_refused(tmp_path: Path) -> None:
    path, table = tmp_path / "a.arrow", pa.table({"a": ["x" * 7717]})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    ends, beyond = ((0).to_bytes(4, "little") + end.to_bytes(4, "little") for end in (7717, 1_900_000_000))
    before, _, after = path.read_bytes().rpartition(ends)
    path.write_bytes(before + beyond + after)
    with pytest.raises(PinchError, match=r"a\.arrow: row 1 or later: damaged"):
        read(path)
