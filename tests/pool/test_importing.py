import errno
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch import reading
from polypinch.errors import PinchError
from polypinch.pool import POOL_SCHEMA, ImportOptions, import_pool
from tests.pool.small import read_pool, texts, write_lines


def pair(number: int, said: str = "So", **more: Any) -> dict[str, Any]:
    return {"id": number, "instruction": f"Why {number}?", "output": f"{said} {number}.", **more}


def test_files_of_several_languages_join_by_key(tmp_path: Path) -> None:
    english = write_lines(tmp_path / "a.jsonl", [pair(1), pair(2)])
    finnish = write_lines(tmp_path / "b.jsonl", [pair(2, "Siksi"), pair(1, "Siksi")])
    out = tmp_path / "pool.parquet"
    done = import_pool([f"en={english}", f"fi={finnish}"], out, ImportOptions(key="id", source="mine"))
    assert pq.read_schema(out).equals(POOL_SCHEMA)
    assert done.rows == {"train": {"en": 2, "fi": 2}}
    found = {(row["item_id"], row["language"]): texts(row)[1][1] for row in read_pool(out)}
    assert found[("2", "fi")] == "Siksi 2."
    assert found[("2", "en")] == "So 2."


def test_files_join_by_line_number(tmp_path: Path) -> None:
    english = write_lines(tmp_path / "a.jsonl", [pair(7), pair(8)])
    finnish = write_lines(tmp_path / "b.jsonl", [pair(1), pair(2)])
    import_pool(
        [f"en={english}", f"fi={finnish}"], tmp_path / "p.parquet", ImportOptions(key="line", source="s")
    )
    assert [row["item_id"] for row in read_pool(tmp_path / "p.parquet")] == ["s-1", "s-2", "s-1", "s-2"]


def test_without_a_key_nothing_joins(tmp_path: Path) -> None:
    english = write_lines(tmp_path / "a.jsonl", [pair(1), pair(2)])
    finnish = write_lines(tmp_path / "b.jsonl", [pair(1)])
    import_pool([f"en={english}", f"fi={finnish}"], tmp_path / "p.parquet", ImportOptions(source="s"))
    assert [row["item_id"] for row in read_pool(tmp_path / "p.parquet")] == ["s-1", "s-2", "s-3"]


def test_columns_say_language_and_split(tmp_path: Path) -> None:
    rows = [pair(1, lang="eng", part="train"), pair(1, lang="fin", part="heldout")]
    file = write_lines(tmp_path / "a.jsonl", rows)
    options = ImportOptions(language_column="lang", split="part", origin="model", licence="MIT")
    import_pool([str(file)], tmp_path / "p.parquet", options)
    found = read_pool(tmp_path / "p.parquet")
    assert [(row["language"], row["split"]) for row in found] == [("en", "train"), ("fi", "heldout")]
    assert {(row["origin"], row["licence"], row["source"]) for row in found} == {("model", "MIT", "a")}


def test_fastchat_questions_are_held_out_as_prompts_or_joined_with_answers(tmp_path: Path) -> None:
    asked = [{"question_id": n, "turns": [f"{n}?", "And?"]} for n in (81, 82, 83)]
    said = [
        {"question_id": 81, "choices": [{"index": 0, "turns": ["81!", "And!"]}]},
        {"question_id": 83, "choices": [{"index": 0, "turns": ["83!", " "]}]},
    ]
    questions = write_lines(tmp_path / "q.jsonl", asked)
    answers = write_lines(tmp_path / "a.jsonl", said)
    import_pool([f"en={questions}"], tmp_path / "held.parquet", ImportOptions(split="heldout"))
    held = read_pool(tmp_path / "held.parquet")
    assert (held[0]["item_id"], texts(held[0])) == ("81", [("user", "81?")])
    done = import_pool([f"en={questions}"], tmp_path / "p.parquet", ImportOptions(answers=(f"en={answers}",)))
    whole, cut = read_pool(tmp_path / "p.parquet")
    assert texts(whole) == [("user", "81?"), ("assistant", "81!"), ("user", "And?"), ("assistant", "And!")]
    assert texts(cut) == [("user", "83?"), ("assistant", "83!")]
    assert done.left_out == 1


def test_texts_are_trimmed_and_composed(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "a.jsonl", [{"prompt": " Cafe\u0301? \n", "completion": "Ja."}])
    import_pool([str(file)], tmp_path / "p.parquet", ImportOptions(language="cs"))
    assert texts(read_pool(tmp_path / "p.parquet")[0])[0] == ("user", "Café?")


REFUSED: list[tuple[list[Any], ImportOptions, str]] = [
    (
        [pair(1), pair(2), pair(1)],
        ImportOptions(language="en", key="id"),
        r"'1' stands twice in 'en': .* row 1 and .* row 3",
    ),
    ([pair(1), pair(2, output="")], ImportOptions(language="en"), r"a\.jsonl: row 2: there is no response"),
    ([pair(1), {"id": 2}], ImportOptions(language="en"), r"row 2: layout alpaca needs instruction"),
    ([{"foo": 1}], ImportOptions(language="en"), r"row 1: no known layout"),
    ([pair(1)], ImportOptions(), r"row 1: its language is not known"),
    ([pair(1)], ImportOptions(language="klingonish"), r"unknown language 'klingonish'"),
    (
        [pair(1), pair(2, lang="zzz")],
        ImportOptions(language_column="lang"),
        r"row 1: no language in",
    ),
    ([pair(1, lang="q")], ImportOptions(language_column="lang"), r"row 1: unknown language 'q'"),
    ([pair(1)], ImportOptions(language="en", key="uid"), r"row 1: no key in column 'uid'"),
    ([pair(1)], ImportOptions(language="en", split="test"), r"row 1: column 'test' says None"),
    ([pair(1)], ImportOptions(language="en", origin="alien"), r"unknown origin 'alien'"),
    ([pair(1)], ImportOptions(language="en", layout="chatml"), r"unknown layout 'chatml'"),
    ([pair(1)], ImportOptions(language="en", layout="alpaca", recipe="dolly"), r"a recipe knows its layout"),
    ([pair(1)], ImportOptions(language="en", language_column="lang"), r"exclude each other"),
    ([], ImportOptions(language="en"), r"no rows to import"),
]


@pytest.mark.parametrize(("rows", "options", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_makes_no_pool_is_refused_and_nothing_is_left(
    tmp_path: Path, rows: list[Any], options: ImportOptions, message: str
) -> None:
    file = write_lines(tmp_path / "a.jsonl", rows)
    out = tmp_path / "out" / "pool.parquet"
    with pytest.raises(PinchError, match=message):
        import_pool([str(file)], out, options)
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


def test_rows_of_one_item_in_two_files_are_named_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CHUNK_ROWS", 2)
    one = write_lines(tmp_path / "one.jsonl", [pair(n) for n in range(5)])
    two = write_lines(tmp_path / "two.jsonl", [pair(n) for n in (9, 8, 7, 3)])
    with pytest.raises(PinchError, match=r"'3' stands twice in 'en': .*one.* row 4 and .*two.* row 4"):
        import_pool([f"en={one}", f"en={two}"], tmp_path / "p.parquet", ImportOptions(key="id"))


def test_a_pool_that_stands_is_kept_unless_told_even_when_the_import_fails(tmp_path: Path) -> None:
    good, bad = write_lines(tmp_path / "a.jsonl", [pair(1)]), write_lines(tmp_path / "b.jsonl", [pair(1), {}])
    out = tmp_path / "p.parquet"
    import_pool([str(good)], out, ImportOptions(language="en"))
    before = out.read_bytes()
    with pytest.raises(PinchError, match="exists already"):
        import_pool([str(good)], out, ImportOptions(language="fi"))
    with pytest.raises(PinchError, match="row 2"):
        import_pool([str(bad)], out, ImportOptions(language="en"), overwrite=True)
    assert out.read_bytes() == before
    import_pool([str(good)], out, ImportOptions(language="fi"), overwrite=True)
    assert read_pool(out)[0]["language"] == "fi"


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = write_lines(tmp_path / "a.jsonl", [pair(1)])
    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(PinchError, match="the disk is full"):
        import_pool([str(file)], tmp_path / "out" / "p.parquet", ImportOptions(language="en"))
    assert list((tmp_path / "out").iterdir()) == []


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40, unique=True), st.integers(1, 7))
def test_an_import_is_the_same_whatever_the_size_of_its_chunks(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("chunks")
    file = write_lines(folder / "a.jsonl", [pair(number) for number in numbers])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CHUNK_ROWS", chunk)
        import_pool([str(file)], folder / "p.parquet", ImportOptions(language="en", key="id"))
    found = read_pool(folder / "p.parquet")
    assert [row["item_id"] for row in found] == [str(number) for number in numbers]
    assert [texts(row)[1][1] for row in found] == [f"So {number}." for number in numbers]
