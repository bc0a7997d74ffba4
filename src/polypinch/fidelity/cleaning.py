"""Leaving out what no language is written in, and counting words."""

from __future__ import annotations

import re
import unicodedata

_LEFT_OUT = re.compile(
    r"```.*?(?:```|\Z)"  # fenced code; an answer may be cut off inside it
    r"|~~~.*?(?:~~~|\Z)"
    r"|`[^`\n]+`"
    r"|\$\$.+?\$\$"
    r"|\\\[.+?\\\]|\\\(.+?\\\)"
    r"|(?<=\]\()[^)\s]+(?=\))"  # the address of a Markdown link
    r"|\b(?:https?://|ftp://|www\.)\S+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|</?[A-Za-z][^<>\n]*>"
    r"|&(?:[a-z]+|#\d+);"
    r"|\\[a-zA-Z]+",  # a LaTeX command
    re.DOTALL,
)
# Han, kana, Thai, Lao, Tibetan, Myanmar, Khmer: no spaces between words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
_LETTER = re.compile(r"[^\W\d_]")
_LETTERS_A_WORD = 2


def clean(text: str) -> str:
    """Take out fenced and inline code, formulas, URLs, e-mail addresses and tags; lines stay lines.

    Letters in compatibility forms (full-width, mathematical bold) become plain ones (NFKC).
    """
    return _LEFT_OUT.sub(" ", unicodedata.normalize("NFKC", text))


def count_words(text: str) -> int:
    """Count words with at least one letter; without spaces (Han, kana, Thai …) two letters make a word."""
    spaced, unspaced = _UNSPACED.subn(" ", text)
    return unspaced // _LETTERS_A_WORD + sum(bool(_LETTER.search(word)) for word in spaced.split())
