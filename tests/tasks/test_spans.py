from __future__ import annotations

import pytest

from polypinch.tasks.spans import exact_match, span_f1, words


@pytest.mark.parametrize(
    ("answer", "right", "tag", "f1"),
    [
        # What mlqa_evaluation_v1.py (facebookresearch/MLQA, 5ef5c731) gives for these.
        ("the Denver Broncos", "Denver Broncos", "en", 1.0),
        ("Broncos of Denver won", "Denver Broncos", "en", 2 / 3),
        ("308 points.", "308", "en", 2 / 3),
        ("a an the", "Denver", "en", 0.0),
        ("the the cat cat", "cat", "en", 2 / 3),
        ("los 308 puntos", "308 puntos", "es", 1.0),
        ("Der Hund, das Haus", "Hund Haus", "de", 1.0),
        ("những con mèo", "con mèo", "vi", 1.0),
        ("الفريق", "فريق", "ar", 1.0),
        ("308 अंक।", "308 अंक", "hi", 1.0),
        ("黑豹队的防守", "黑豹队", "zh", 2 / 3),
        ("黑豹队 Panthers 2016年", "Panthers 2016", "zh", 0.5),
        ("丹佛野马队。", "丹佛野马", "zh", 8 / 9),
    ],
)
def test_f1_is_that_of_the_published_script(answer: str, right: str, tag: str, f1: float) -> None:
    assert span_f1(answer, [right], tag) == pytest.approx(f1)
    assert exact_match(answer, [right], tag) == float(f1 == 1.0)


def test_the_nearest_of_several_right_answers_counts() -> None:
    assert span_f1("Denver", ["Carolina", "Denver Broncos", "Denver"], "en") == 1.0
    assert exact_match("Denver", ["Carolina", "The Denver!"], "en") == 1.0


def test_languages_that_the_script_lacks_keep_their_words() -> None:
    assert words("Команда «Денвер»!", "ru") == ["команда", "денвер"]
    assert words("il gatto", "it") == ["il", "gatto"]
    assert words("デンバーが勝った", "ja") == list("デンバーが勝った")


def test_an_empty_answer_finds_nothing() -> None:
    assert span_f1("", ["Denver"], "en") == 0.0
    assert exact_match(" the ", ["Denver"], "en") == 0.0


@pytest.mark.parametrize(
    ("answer", "right", "tag"),
    [
        ("e\u0301te\u0301", "été", "fr"),
        ("\u1112\u1161\u11ab", "한", "ko"),
        ("１２３", "123", "ja"),
        ("١٨", "18", "ar"),
        ("१८ रुपये", "18 रुपये", "hi"),
        ("می\u200cروم", "میروم", "fa"),
        ("\u200fسلام", "سلام", "he"),
        ("ｶﾞｽ", "ガス", "ja"),
    ],
)
def test_what_is_written_alike_is_the_same(answer: str, right: str, tag: str) -> None:
    assert exact_match(answer, [right], tag) == exact_match(right, [answer], tag) == 1
    assert span_f1(answer, [right], tag) == 1
