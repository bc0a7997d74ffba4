from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.pool import export_pool
from polypinch.translate import LocalTranslator, Wanted
from polypinch.translate.pieces import pieces, translated
from tests.pools import parallel_pool
from tests.running import polypinch
from tests.translate.tiny_seq2seq import tiny_marian, tiny_nllb

pytest.importorskip("sentencepiece")
TEXT = """# Why bridges

Hello there. Use `pip install x` and see https://a.b/c now! It is 3.5 km, e.g. a mile.
- First item: **bold** word
- 2nd item for {name}

| a | b |
|---|---|
| cat one | 7 |

```py
x = 1  # keep me
```
1. Step one goes.
2. Step two."""


@given(st.text(alphabet="ab .!?\n-*|`#1{}", max_size=80))
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text
    assert translated(text, list) == "".join(
        piece.text if piece.kept else " ".join(piece.text.split()) for piece in pieces(text)
    )


def test_lines_lists_tables_and_code_survive_a_model_that_loses_everything() -> None:
    put = translated(TEXT, lambda sentences: ["etwas anderes"] * len(sentences))
    for kept in (
        "# ",
        "`pip install x`",
        "https://a.b/c",
        "**",
        "{name}",
        "x = 1  # keep me",
        "|---|---|",
        "\n1. ",
    ):
        assert kept in put
    assert len(put.splitlines()) == len(TEXT.splitlines())
    assert "item" not in put
    assert put.count("**") == 2


def test_a_sentence_whose_code_survives_is_translated_whole() -> None:
    asked: list[str] = []

    def shout(sentences: list[str]) -> list[str]:
        asked.extend(sentences)
        return [one.replace("Use", "Nimm") for one in sentences]

    assert translated("Use `x` now.", shout) == "Nimm `x` now."  # type: ignore[arg-type]
    assert asked == ["Use `x` now."]


def test_between_sentences_of_japanese_there_are_no_spaces() -> None:
    assert translated("One. Two.", lambda texts: ["一。"] * len(texts), spaced=False) == "一。一。"


def row(tag: str) -> Wanted:
    turns = [{"role": "user", "content": TEXT}, {"role": "assistant", "content": "Because a bridge matters."}]
    return Wanted("i1", tag, turns, "mine", "MIT", "train")  # type: ignore[arg-type]


def one_try(translator: LocalTranslator, tag: str) -> tuple[str, ...]:
    return asyncio.run(translator.translate(row(tag))).turns


def test_a_marian_model_translates_its_pair_and_no_other(tmp_path: Path) -> None:
    translator = LocalTranslator(str(tiny_marian(tmp_path / "en-de")), "en")
    translator.find(["de"])
    turns = one_try(translator, "de")
    assert len(turns) == 2
    assert "x = 1  # keep me" in turns[0]
    assert len(turns[0].splitlines()) == len(TEXT.splitlines())
    with pytest.raises(PinchError, match="translates from en into de, not fr"):
        translator.find(["fr"])


def test_a_model_for_each_pair_is_named_by_its_target(tmp_path: Path) -> None:
    tiny_marian(tmp_path / "en-de")
    tiny_marian(tmp_path / "en-fr", target="fr")
    translator = LocalTranslator(str(tmp_path / "en-{language}"), "en")
    translator.find(["de", "fr"])
    assert one_try(translator, "de")
    assert one_try(translator, "fr")
    with pytest.raises(PinchError, match="no such folder"):
        translator.find(["es"])


def test_a_model_of_many_languages_is_told_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import GenerationMixin

    first: list[object] = []
    whole = GenerationMixin.generate

    def noting(self: object, *args: object, **settings: object) -> object:
        first.append(settings.get("forced_bos_token_id"))
        return whole(self, *args, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(GenerationMixin, "generate", noting)
    folder = tiny_nllb(tmp_path / "nllb")
    translator = LocalTranslator(str(folder), "en")
    translator.find(["de", "zh", "sw"])
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    for tag, code in (("de", "deu_Latn"), ("zh", "zho_Hans"), ("sw", "swh_Latn")):
        first.clear()
        assert len(one_try(translator, tag)) == 2
        assert set(first) == {tokenizer.convert_tokens_to_ids(code)}
    with pytest.raises(PinchError, match="does not speak"):
        translator.find(["la"])


def test_what_is_no_translation_model_is_refused(tmp_path: Path) -> None:
    from tests.tiny import tiny_model

    with pytest.raises(PinchError, match="no sequence-to-sequence model"):
        LocalTranslator(tiny_model(tmp_path / "chat"), "en").find(["de"])


def test_the_command_translates_here_and_leaves_out_what_a_check_doubts(tmp_path: Path) -> None:
    tiny_marian(tmp_path / "en-de")
    export_pool(parallel_pool(("en",), train=3), tmp_path / "rows.parquet")
    options = (
        "--to",
        "de",
        "--items",
        2,
        "--out",
        tmp_path / "pinch",
        "--translator",
        tmp_path / "en-de",
        "--json",
    )
    done = polypinch("translate", tmp_path / "rows.parquet", *options)
    assert done.returncode == 0, done.stderr
    (line,) = json.loads(done.stdout)["languages"]
    assert (line["wanted"], line["translated"] + line["left_out"]) == (2, 2)
    assert line["tries"] >= 2
    refused = polypinch("translate", tmp_path / "rows.parquet", *options[:-2], tmp_path / "en-fr")
    assert "no such folder" in refused.stderr
