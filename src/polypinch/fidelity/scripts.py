"""Which script a text is written in, and which scripts a language is written in."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

from polypinch.languages import language

# ISO 15924 code and first word of the Unicode names of its letters.
_NAMES = """
Latn:LATIN Arab:ARABIC Armn:ARMENIAN Beng:BENGALI Cyrl:CYRILLIC Deva:DEVANAGARI Ethi:ETHIOPIC Geor:GEORGIAN
Grek:GREEK Gujr:GUJARATI Guru:GURMUKHI Hans:CJK Hant:CJK Hebr:HEBREW Jpan:KANA Khmr:KHMER Knda:KANNADA
Kore:HANGUL Laoo:LAO Mlym:MALAYALAM Mymr:MYANMAR Orya:ORIYA Sinh:SINHALA Taml:TAMIL Telu:TELUGU Thai:THAI
Tibt:TIBETAN
"""
_WORDS = dict(pair.split(":") for pair in _NAMES.split())
# Languages that the identifier also knows in another script than their usual one.
_ALSO = {
    "ja": {"CJK"},
    "sr": {"LATIN", "CYRILLIC"},
    "bs": {"CYRILLIC"},
    "uz": {"CYRILLIC"},
    "az": {"CYRILLIC"},
    "tk": {"CYRILLIC"},
    "kk": {"LATIN"},
    "tt": {"LATIN"},
    "crh": {"LATIN"},
    "gom": {"LATIN"},
    "ku": {"ARABIC"},
    "grc": {"GREEK"},
    "hbo": {"HEBREW"},
}
_KANA = ("HIRAGANA", "KATAKANA")
_KANA_SHARE = 0.05  # Japanese without any kana is a title or a name; Chinese has none.


@lru_cache(maxsize=1024)
def scripts_of(tag: str) -> frozenset[str]:
    """Return the scripts that a language is written in, as the words of :func:`dominant_script`."""
    found = language(tag, literal=True)
    own = {_WORDS[found.script]} if found.script in _WORDS else set()
    return frozenset(own | _ALSO.get(found.tag.split("-")[0], set()))


@lru_cache(maxsize=65536)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split(" ", 1)[0]


def dominant_script(text: str) -> tuple[str | None, float, int]:
    """Find the script that most of a text is written in.

    Letters weigh their UTF-8 bytes (Latin 1, Cyrillic or Arabic 2, Han or Devanagari 3), since scripts
    that take more bytes say more with a letter.

    Returns:
        The first word of its letters' Unicode names (``"LATIN"``, ``"CJK"``; ``"KANA"`` for Japanese
        with kana), its share of the weight, and its number of letters; ``(None, 0.0, 0)`` without letters.
    """
    letters: Counter[str] = Counter()
    weights: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if character.isalpha():
            script = _script(character)
            letters[script] += count
            weights[script] += count * len(character.encode("utf-8", "surrogatepass"))
    kana = sum(letters.pop(name, 0) for name in _KANA)
    kana_weight = sum(weights.pop(name, 0) for name in _KANA)
    if kana and kana >= _KANA_SHARE * (kana + letters["CJK"]):
        letters["KANA"] = kana + letters.pop("CJK", 0)
        weights["KANA"] = kana_weight + weights.pop("CJK", 0)
    total = weights.total()
    if not total:
        return None, 0.0, 0
    script = max(weights, key=lambda name: (weights[name], name))
    return script, weights[script] / total, letters[script]
