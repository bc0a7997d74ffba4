"""Answers that are words of a text: exact match and F1, as SQuAD, MLQA and XQuAD are scored.

After SQuAD 1.1 (Rajpurkar et al. 2016, arXiv 1606.05250) with MLQA's rules by language (Lewis et al. 2020,
arXiv 1910.07475, ``mlqa_evaluation_v1.py``): lower case, no punctuation, no articles, words parted at white
space, Chinese at every character. Before that both are brought to one form, which theirs are not: composed
letters, narrow and wide ones (NFKC), ASCII digits, and no marks that are not seen.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

# As in MLQA; languages that it does not have keep all their words.
_ARTICLES = {
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "vi": "của là cái chiếc những",
    "de": "ein eine einen einem eines einer der die das den dem des",
}
_HAN = "\u4e00-\u9fa5"
# Beyond MLQA: the other scripts without spaces between words go by the character too.
_UNSPACED = {
    "zh": _HAN,
    "yue": _HAN,
    "ja": _HAN + "\u3040-\u30ff",
    "th": "\u0e00-\u0e7f",
    "lo": "\u0e80-\u0eff",
    "my": "\u1000-\u109f",
    "km": "\u1780-\u17ff",
}


def words(text: str, tag: str) -> list[str]:
    """Return the words by which two answers are compared."""
    code = tag.partition("-")[0]
    plain = "".join(char for char in _normal(text).lower() if not _is_punctuation(char))
    if code == "ar":
        plain = plain.replace("ال", " ")  # wherever it stands, as MLQA's script does
    if code in _ARTICLES:
        plain = re.sub(rf"\b(?:{_ARTICLES[code].replace(' ', '|')})\b", " ", plain)
    if code in _UNSPACED:
        plain = re.sub(f"([{_UNSPACED[code]}])", r" \1 ", plain)
    return plain.split()


def _normal(text: str) -> str:
    """Return a text in the one form in which answers are compared."""
    return "".join(
        str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char
        for char in unicodedata.normalize("NFKC", text)
        if unicodedata.category(char) != "Cf" and char != "ـ"  # Arabic's letter to draw out a word
    )


def exact_match(answer: str, right: Sequence[str], tag: str) -> float:
    """Return 1 if an answer has the very words of one of the right ones, else 0."""
    return _best(lambda one: float(words(answer, tag) == words(one, tag)), right)


def span_f1(answer: str, right: Sequence[str], tag: str) -> float:
    """Return the harmonic mean of precision and recall in words, 0 to 1, for the nearest right answer."""
    ours = words(answer, tag)

    def f1(one: str) -> float:
        theirs = words(one, tag)
        shared = (Counter(ours) & Counter(theirs)).total()
        return 2 * shared / (len(ours) + len(theirs)) if shared else 0.0

    return _best(f1, right)


def _best(score: Callable[[str], float], right: Sequence[str]) -> float:
    return max(score(one) for one in right)


@lru_cache(maxsize=4096)
def _is_punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")
