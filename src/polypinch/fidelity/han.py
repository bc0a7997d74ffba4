"""Telling Japanese from Chinese that quotes some, and simplified characters from traditional."""

from __future__ import annotations

import re
from functools import lru_cache

_KANA = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_HAN = "\u3400-\u9fff\uf900-\ufaff"
_RUN = re.compile(f"[{_KANA}]+")
_HIRAGANA = re.compile("[\u3041-\u309f]")
_CHARACTER = re.compile(f"[{_HAN}]")
_OPENING, _CLOSING = '「『“‘"《〈（(【[', '」』”’"》〉）)】]'
_QUOTED = re.compile(f"[{re.escape(_OPENING)}][^{re.escape(_OPENING + _CLOSING)}]*[{re.escape(_CLOSING)}]")
_LEAST_OUTSIDE = 4  # letters; with fewer, what is quoted is the text

# Everyday Chinese words, and traditional forms, that Japanese does not write.
_CHINESE = frozenset(
    "是了你您她它那吧也很呢都就這吃喝嗎嗯哪啊呀哦气"
    + "說與們為學國對會歡沒澤轉發點黨當實驗萬戰應變體擇樣權歲邊廣讀賣續"
    "繪經繼總聲聽觀關氣團圖鐵櫻戀變樂藥兒舊區醫號處條來樓隨麼個從還讓給"
)
_OF = re.compile(f"的(?![なにでだとかのじさはがをもっより])(?=[{_HAN}{_KANA}{re.escape(_OPENING)}])")
_SUBJECT = re.compile(f"[我他](?=[{_HAN}])(?![我他]々)")

_LEAST_SHARE = 0.8
_LEAST_KANA = 0.05


@lru_cache(maxsize=65536)
def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def without_kana(text: str) -> str:
    """Leave a text's kana out."""
    return _RUN.sub("", text)


def is_japanese(text: str) -> bool:
    """Tell whether a text with kana is Japanese, or another language's that quotes Japanese words.

    Outside quotation marks and brackets, runs of hiragana speak for Japanese (particles and endings follow
    every word or two); for Chinese speak characters that Japanese standard encoding lacks (JIS X 0208: most
    simplified forms), and Chinese function words. Where neither speaks, or both as loud, the share of
    kana decides: Japanese with next to none is a title or a name.
    """
    outside = _QUOTED.sub("", text)
    if len(_RUN.findall(outside)) + len(_CHARACTER.findall(outside)) < _LEAST_OUTSIDE:
        outside = text
    runs, characters = _RUN.findall(outside), _CHARACTER.findall(outside)
    japanese = sum(bool(_HIRAGANA.search(run)) for run in runs)
    chinese = sum(letter in _CHINESE or not _encodes(letter, "shift_jis") for letter in characters)
    chinese += len(_OF.findall(outside)) + len(_SUBJECT.findall(outside))
    if japanese != chinese:
        return japanese > chinese
    kana = sum(map(len, runs))
    return kana > 0 and kana >= _LEAST_KANA * (kana + len(characters))


def chinese_script(text: str) -> str | None:
    """Tell simplified from traditional characters: ``"Hans"``, ``"Hant"``, or ``None`` where neither is told.

    Characters count that only one of the two national encodings holds (GB 2312, simplified; Big5,
    traditional); four fifths of these must agree.
    """
    simplified = traditional = 0
    for letter in _CHARACTER.findall(text):
        in_gb, in_big5 = _encodes(letter, "gb2312"), _encodes(letter, "big5")
        simplified += in_gb and not in_big5
        traditional += in_big5 and not in_gb
    both = simplified + traditional
    if not both or max(simplified, traditional) < _LEAST_SHARE * both:
        return None
    return "Hans" if simplified > traditional else "Hant"
