from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.fidelity import Identifier, dominant_script
from polypinch.fidelity.han import chinese_script

QUOTED = ["ねこ", "ありがとうございます", "カラオケ", "ヤマシロヤ", "お母さん", "さようなら"]
CHINESE = [
    "在日语里，“猫”读作{}，这个词是初学者最先学到的名词之一。",
    "{}是日本人每天都会说的一句话，你应该很熟悉它的意思。",
    "特別推薦的必訪店家{}，雖然不在這條街上，但離車站很近。",
    "他說{}就走了，我還沒來得及回答。",
    "老师教我们用{}打招呼，你记住了吗？",
]
JAPANESE = [
    "東京都議会議員選挙、自民党大敗の見通し",
    "自民党大敗ニュース",
    "国家公務員共済組合連合会の報告書",
    "我々は効果的な方法を探す。",
    "学生の会",
    "「谢谢」は中国語でありがとうという意味です。",
    "世界的企業の戦略的提携を発表",
    "彼は「是非」という言葉をよく使う。",
    "他社の製品と比較する。",
]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CHINESE), st.sampled_from(QUOTED), st.sampled_from(["「{}」", "“{}”", "（{}）", "{}"]))
def test_chinese_that_quotes_a_japanese_word_is_chinese(sentence: str, word: str, marks: str) -> None:
    text = sentence.format(marks.format(word))
    for candidates in (["zh", "en"], ["zh", "ja", "en"]):
        assert Identifier(candidates).identify(text)[0] in Identifier(candidates).expected("zh")


@pytest.mark.parametrize("text", JAPANESE)
def test_japanese_with_little_kana_is_japanese(text: str) -> None:
    assert dominant_script(text)[0] == "KANA"
    assert Identifier(["zh", "ja", "en"]).identify(text)[0] == "ja"


def test_a_chinese_list_of_japanese_words_is_chinese() -> None:
    text = "- ありがとう：谢谢\n- こんにちは：你好\n- さようなら：再见\n这些都是很常用的词。"
    assert Identifier(["zh", "ja"]).identify(text)[0] == "zh"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("我们每天早上去市场买新鲜的水果和面包。", "Hans"),
        ("我們每天早上去市場買新鮮的水果和麵包。", "Hant"),
        ("你好", None),
        ("", None),
        ("我們的我们", None),
    ],
)
def test_simplified_and_traditional_characters_are_told_where_the_text_has_any(
    text: str, script: str | None
) -> None:
    assert chinese_script(text) == script
