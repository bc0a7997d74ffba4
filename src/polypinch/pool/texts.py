"""What a checker asks of one text: is it clean, which numbers does it hold, which language is it in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from polypinch.languages import language

MIN_LETTERS = 25
"""A text of fewer letters is too short to tell its language (of a script of words, 10)."""
SURE = 0.9
RUN = 3
COUNTED_IN_WORDS = frozenset({"1", "2"})
"""Numbers that languages write as a word, a dual or not at all: "1 hour" is «ساعة», "2 hours" «ساعتين»."""
LARGE = 5
"""Numbers of so many digits are counted in other units where a language has its own: 60,000 is 6万."""

_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# A clock time of French or Portuguese (17h15, 17 h 15), of Japanese, Chinese or Korean (17時15分, 17시 15분).
_HOURS = r"(?<!\d)(?:[01]?\d|2[0-3])[ \u00a0\u202f]?(?:[hH]|時|时|点|點|시)[ \u00a0\u202f]?[0-5]\d(?!\d)"
_NUMBER = re.compile(_HOURS + r"|\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+(?:[.,:٫٬’'\u00a0\u202f]\d+)*")
_SEPARATOR = re.compile(r"\D")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SCALE = re.compile(r"[ -](?:thousand|million|billion|trillion)\b")
_LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]+(?:[ ,;]+[A-Za-z][A-Za-z'’-]*)*")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`|https?://\S+", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?。！？।؟])\s*|\n+")
_WORD_SCRIPTS = frozenset({"Hans", "Hant", "Hani", "Jpan", "Kore"})


def flaws(text: str) -> list[str]:
    """Return what is wrong with a text whatever its language: empty, padded, not NFC, bidi controls."""
    if not text.strip():
        return ["empty text"]
    found = []
    if text != text.strip():
        found.append("white space around the text")
    if not unicodedata.is_normalized("NFC", text):
        found.append("not in Unicode normal form NFC")
    control = _BIDI.search(text)
    if control:
        found.append(f"bidi control U+{ord(control[0]):04X} at character {control.start() + 1}")
    return found


def numbers(text: str) -> dict[str, str]:
    """Return the numbers written in digits: their digits alone, in ASCII, by how they are written.

    ``18:30``, ``18.30``, ``18 h 30``, ``18時30分`` and ``١٨:٣٠`` are all 1830;
    ``1 000`` and ``1,000`` are 1000.
    """
    return {_ascii(_SEPARATOR.sub("", found)): found for found in _NUMBER.findall(text)}


def missing_numbers(english: str, translation: str) -> list[str]:
    """Return the numbers in digits that the translation lacks, as the English writes them.

    One and two may be anything, in digits, in a word or a word's ending. A clock time may be of twelve
    hours or leave out a full hour's minutes, as Hindi and Chinese do: ``22:00`` is also ``10``. A large
    number may be counted in other units: ``66 million`` is also ``6600万``, and ``384,000`` ``38.4万``.
    """
    here = numbers(translation).keys() | COUNTED_IN_WORDS
    return [written for written, ways in _english_numbers(english) if not ways & here]


def added_numbers(english: str, translation: str) -> list[str]:
    """Return the numbers in digits that only the translation has, as it writes them."""
    said = COUNTED_IN_WORDS.union(*(ways for _, ways in _english_numbers(english)))
    return [written for digits, written in numbers(translation).items() if digits not in said]


def _english_numbers(text: str) -> list[tuple[str, set[str]]]:
    """Return each number in digits with the digits by which a translation may write it."""
    return [
        (match[0], _ways(match[0], bool(_SCALE.match(text, match.end())))) for match in _NUMBER.finditer(text)
    ]


def _ways(written: str, scaled: bool) -> set[str]:
    digits = _ascii(_SEPARATOR.sub("", written))
    if scaled or len(digits) >= LARGE:
        core = digits.rstrip("0")
        return {digits, *(core + "0" * zeros for zeros in range(13))}
    clock = _CLOCK.fullmatch(written)
    if not clock:
        return {digits}
    hours = {int(clock[1]), (int(clock[1]) - 1) % 12 + 1}
    ways = {digits, *(f"{hour}{clock[2]}" for hour in hours)}
    return ways | {str(hour) for hour in hours} if clock[2] == "00" else ways


def _ascii(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(unicodedata.digit(digit)) for digit in digits)


def latin_runs(text: str) -> list[str]:
    """Return the runs of Latin words of two letters or more."""
    return _LATIN.findall(text)


def prose(text: str) -> str:
    """Return a text without code, in fences or back-ticks, and without addresses of the web."""
    return _CODE.sub(" ", text)


def sentences(text: str) -> list[str]:
    """Cut a text roughly into sentences and lines."""
    return [part for part in _SENTENCE.split(text) if part]


def long_enough(text: str, tag: str) -> bool:
    """Tell whether a text has letters enough for its language to be told."""
    least = 10 if language(tag).script in _WORD_SCRIPTS else MIN_LETTERS
    return sum(char.isalpha() for char in text) >= least


def primary(tag: str) -> str:
    """Return a tag's language alone, as py3langid labels it: ``pt`` of ``pt-BR``."""
    alone = tag.split("-", maxsplit=1)[0]
    return "se" if alone == "sme" else alone


class Identify:
    """py3langid restricted to some languages (English always among them).

    Attributes:
        candidates: primary tags that it knows, of those asked for.
    """

    def __init__(self, tags: Iterable[str]) -> None:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 (loads a model: 0.2 s)

        self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        known = set(self._model.nb_classes)
        self.candidates = sorted(({primary(tag) for tag in tags} | {"en"}) & known)
        self._model.set_languages(self.candidates)

    def __call__(self, text: str) -> tuple[str, float]:
        """Return the likeliest candidate and its probability."""
        tag, probability = self._model.classify(text)
        return str(tag), float(probability)
