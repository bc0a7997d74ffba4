"""Which script a text is written in, and which scripts a language is written in."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

from polypinch.fidelity.han import is_japanese
from polypinch.languages import language

# ISO 15924 code and first word of the Unicode names of its letters.
_NAMES = """
Latn:LATIN Arab:ARABIC Armn:ARMENIAN Beng:BENGALI Cyrl:CYRILLIC Deva:DEVANAGARI Ethi:ETHIOPIC Geor:GEORGIAN
Grek:GREEK Gujr:GUJARATI Guru:GURMUKHI Hans:CJK Hant:CJK Hebr:HEBREW Jpan:KANA Khmr:KHMER Knda:KANNADA
Kore:HANGUL Laoo:LAO Mlym:MALAYALAM Mymr:MYANMAR Orya:ORIYA Sinh:SINHALA Taml:TAMIL Telu:TELUGU Thai:THAI
Tibt:TIBETAN
"""
_WORDS = dict(pair.split(":") for pair in _NAMES.split())
# Languages that the identifier knows in other scripts than their usual one, or in several.
_KNOWN = {
    "zh": {"Hans", "Hant"},
    "wuu": {"Hans", "Hant"},
    "yue": {"Hans", "Hant"},
    "sr": {"Cyrl", "Latn"},
    "uz": {"Cyrl", "Latn"},
    "crh": {"Latn"},
    "grc": {"Grek"},
    "hbo": {"Hebr"},
}
_KANA = ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")


def known_scripts(tag: str) -> frozenset[str]:
    """Return the ISO 15924 codes of the scripts in which the identifier knows a tag's primary language."""
    primary = tag.split("-", maxsplit=1)[0]
    return frozenset(_KNOWN.get(primary) or {language(primary, literal=True).script})


@lru_cache(maxsize=1024)
def scripts_asked(tag: str) -> frozenset[str]:
    """Return the ISO 15924 codes of the scripts that a tag asks for.

    A tag that names its script, or a place where the language is written in another than its usual one
    (``sr-Latn``, ``zh-TW``), asks for that one; any other is content with every script that the identifier
    knows the language in.
    """
    own = language(tag, literal=True)
    primary, *others = own.tag.split("-")
    named = any(len(part) == 4 and part.isalpha() for part in others)
    placed = bool(others) and (primary == "zh" or own.script != language(primary, literal=True).script)
    return frozenset({own.script}) if named or placed else known_scripts(primary)


@lru_cache(maxsize=1024)
def scripts_of(tag: str) -> frozenset[str]:
    """Return the scripts that a tag asks for, as the words of :func:`dominant_script`."""
    own = {_WORDS[code] for code in scripts_asked(tag) if code in _WORDS}
    return frozenset(own | ({"CJK"} if "KANA" in own else set()))


@lru_cache(maxsize=1024)
def known_codes(tag: str, script: str) -> frozenset[str]:
    """Return the ISO codes of a primary language's known scripts whose letters bear the name ``script``."""
    codes = {code for code in known_scripts(tag) if _WORDS.get(code) == script}
    return frozenset(codes | ({"Jpan"} if script == "CJK" and "Jpan" in known_scripts(tag) else set()))


@lru_cache(maxsize=65536)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split(" ", 1)[0]


def dominant_script(text: str) -> tuple[str | None, float, int]:
    """Find the script that most of a text is written in.

    Letters weigh their UTF-8 bytes (Latin 1, Cyrillic or Arabic 2, Han or Devanagari 3), since scripts
    that take more bytes say more with a letter.

    Returns:
        The first word of its letters' Unicode names (``"LATIN"``, ``"CJK"``; ``"KANA"`` for Japanese
        with kana, which Chinese that quotes some is not), its share of the weight, and its number of
        letters; ``(None, 0.0, 0)`` without letters.
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
    if kana and (not letters["CJK"] or is_japanese(text)):
        letters["KANA"] = kana + letters.pop("CJK", 0)
        weights["KANA"] = kana_weight + weights.pop("CJK", 0)
    total = weights.total()
    if not total:
        return None, 0.0, 0
    script = max(weights, key=lambda name: (weights[name], name))
    return script, weights[script] / total, letters[script]
