from __future__ import annotations

import builtins
import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.pool import open_pool
from polypinch.translate import Wanted, read_sheet, write_sheet
from tests.running import polypinch

toolkit = pytest.importorskip("translate.storage.xliff")
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
KINDS = pytest.mark.parametrize("suffix", [".csv", ".xlf"])


def wanted(item_id: str = "a/1", tag: str = "de", *turns: str) -> Wanted:
    texts = turns or ("Hello\n\n- <b>you</b> & me", "Well…")
    messages = [
        {"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)
    ]
    return Wanted(item_id, tag, messages, "s", "CC0-1.0", "train")


def fill(path: Path, targets: list[str], **marks: str) -> None:
    """Do as a person with a tool: put in the targets of the first lines, and save."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
        for line, target in zip(lines, targets, strict=False):
            line["target"] = target
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, lines[0])
            writer.writeheader()
            writer.writerows(lines)
        return
    store = toolkit.xlifffile.parsefile(str(path))
    for unit, target in zip(store.units, targets, strict=False):
        unit.target = target
        for name, value in marks.items():
            unit.target_dom.set(name, value)
    store.save()


@KINDS
@settings(max_examples=25)
@example(item="\r", sources=["a\rb\r\nc", "\n"])
@given(item=TEXT, sources=st.lists(TEXT, min_size=1, max_size=3))
def test_what_people_fill_in_comes_back_whatever_the_source_and_the_id(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, item: str, sources: list[str]
) -> None:
    path = tmp_path_factory.mktemp("sheet") / f"sheet{suffix}"
    rows = [wanted(item, "de", *sources), wanted(item, "zh-Hant", *sources)]
    write_sheet(rows, "en", path)
    assert read_sheet(path, rows) == {}
    targets = [f"Satz\n  {place} <x> & 道" for place in range(2 * len(sources))]
    fill(path, targets)
    made = read_sheet(path, rows)
    assert [made[row.item_id, row.language].turns for row in rows] == [
        tuple(targets[: len(sources)]),
        tuple(targets[len(sources) :]),
    ]


def test_translators_tools_see_languages_sources_and_what_each_text_is(tmp_path: Path) -> None:
    write_sheet([wanted(), wanted(tag="fr")], "en", tmp_path / "s.xlf")
    store = toolkit.xlifffile.parsefile(str(tmp_path / "s.xlf"))
    assert store.getfilenames() == ["de", "fr"]
    files = store.document.getroot()
    assert [(node.get("source-language"), node.get("target-language")) for node in files] == [
        ("en", "de"),
        ("en", "fr"),
    ]
    assert files.get("version") == "1.2"
    assert [unit.source for unit in store.units] == ["Hello\n\n- <b>you</b> & me", "Well…"] * 2
    assert store.units[1].getnotes() == "item a/1, turn 2, assistant"
    assert not any(unit.target for unit in store.units)


@pytest.mark.parametrize("state", ["new", "needs-translation", "needs-review-translation"])
def test_what_a_tool_marks_as_unfinished_stays_open(tmp_path: Path, state: str) -> None:
    path, rows = tmp_path / "s.xlf", [wanted()]
    write_sheet(rows, "en", path)
    fill(path, ["Hallo", "Nun ja …"], state=state)
    assert read_sheet(path, rows) == {}
    fill(path, ["Hallo", "Nun ja …"], state="final")
    assert read_sheet(path, rows)["a/1", "de"].turns == ("Hallo", "Nun ja …")


def test_marks_that_a_tool_puts_around_its_segments_are_no_text(tmp_path: Path) -> None:
    path, rows = tmp_path / "s.xlf", [wanted()]
    write_sheet(rows, "en", path)
    fill(path, ["Hallo. Du.", "Nun ja …"])
    text = path.read_text("utf-8")
    marked = '<mrk mtype="seg" mid="0">Hallo.</mrk> <mrk mtype="seg" mid="1">Du.</mrk>'
    path.write_text(text.replace("Hallo. Du.", marked), "utf-8")
    assert read_sheet(path, rows)["a/1", "de"].turns[0] == "Hallo. Du."


@KINDS
def test_a_sheet_of_other_rows_or_sources_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"s{suffix}"
    write_sheet([wanted()], "en", path)
    for row, message in (
        (wanted("b"), "item 'a/1' in 'de', turn 1, is not wanted"),
        (wanted(tag="fr"), "is not wanted"),
        (wanted("a/1", "de", "Hello\n\n- <b>you</b> & me"), "turn 2, is not wanted"),
        (wanted("a/1", "de", "Bye", "Well…"), "its source is not what item 'a/1' says now"),
    ):
        with pytest.raises(PinchError, match=message):
            read_sheet(path, [row])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"item_id,language",
        b"<xliff/>",
        b"<html><body/></html>",
        b'<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en"/>',
        b'<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"><file/></xliff><',
    ],
)
def test_what_is_no_xliff_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.xlf"
    path.write_bytes(content)
    with pytest.raises(PinchError, match=r"not readable as XLIFF 1\.2"):
        read_sheet(path, [wanted()])


def test_a_strangers_sheet_reads_no_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    path, rows = tmp_path / "s.xlf", [wanted()]
    write_sheet(rows, "en", path)
    fill(path, ["TARGET", "Nun ja …"])
    entity = f'<!DOCTYPE xliff [<!ENTITY e SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    text = path.read_text("utf-8").replace("<xliff ", f"{entity}<xliff ", 1)
    path.write_text(text.replace("TARGET", "so: &e;"), "utf-8")
    assert "secret" not in str(read_sheet(path, rows))


def test_without_the_toolkit_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = builtins.__import__

    def lacking(name: str, *rest: Any) -> Any:
        if name.startswith("translate."):
            raise ImportError(name)
        return there(name, *rest)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(PinchError, match="translate-toolkit"):
        write_sheet([wanted()], "en", tmp_path / "s.xlf")
    assert not (tmp_path / "s.xlf").exists()


def test_a_sheet_for_each_language_is_read_as_each_comes_back(tmp_path: Path) -> None:
    rows = open_pool("pinch12").select(where=pc.field("language").isin(["en", "fi", "ru"]))
    english = rows.filter(pc.equal(rows["language"], "en"))
    pq.write_table(english, tmp_path / "pool.parquet")
    known = {
        (row["item_id"], row["language"]): [turn["content"] for turn in row["messages"]]
        for row in rows.to_pylist()
    }
    sheet = tmp_path / "sheet.{language}.xlf"
    what = ("translate", tmp_path / "pool.parquet", "--to", "fi,ru", "--items", 3, "--out", tmp_path / "o")
    written = polypinch(*what, "--by-hand", sheet)
    assert written.returncode == 0, written.stderr
    store = toolkit.xlifffile.parsefile(str(tmp_path / "sheet.fi.xlf"))
    for unit in store.units:
        item, _, turn = unit.getid().partition("\x04")[2].rpartition("/")
        unit.target = known[item, "fi"][int(turn) - 1]
    store.save()
    (tmp_path / "sheet.ru.xlf").unlink()
    done = polypinch(*what, "--by-hand", sheet, "--json")
    lines = json.loads(done.stdout)["languages"]
    assert [(line["language"], line["translated"], line["open"]) for line in lines] == [
        ("fi", 3, 0),
        ("ru", 0, 3),
    ]
    assert (tmp_path / "sheet.ru.xlf").exists()
