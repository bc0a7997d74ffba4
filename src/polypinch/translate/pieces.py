"""A text in pieces that a sentence model takes, put together again so that lines, lists and code survive."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from polypinch.translate.kept import ADDRESS, INLINE, PLACEHOLDER

Translate = Callable[[Sequence[str]], Sequence[str]]
"""Sentences in, their translations out, in order."""

_FENCE = re.compile(r"(```.*?(?:```|\Z))", re.DOTALL)
_MARKS = re.compile(r"\s*(?:(?:[-*•–—+]|\d{1,3}[.)]|#{1,6}|>|\[[ xX]\])\s+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])(?<!\b\w\.)(?<!etc\.)(\s+)(?=[^\d\s])|(?<=[。！？])()(?=\S)")
_KEPT = re.compile(f"({INLINE.pattern}|{ADDRESS.pattern}|{PLACEHOLDER.pattern}|\\*\\*)")
_LETTER = re.compile(r"[^\W\d_]")


class Piece(NamedTuple):
    """A piece of a text.

    Attributes:
        text: as it stands.
        kept: it stays as it is: code, a list's mark, white space, figures.
    """

    text: str
    kept: bool


def pieces(text: str, spaced: bool = True) -> list[Piece]:
    """Divide a text into sentences to translate and what is kept; together they are the text.

    Args:
        text: any text.
        spaced: whether the target language has spaces between sentences; else those are left out.
    """
    listed: list[Piece] = []
    for place, part in enumerate(_FENCE.split(text)):
        if place % 2:
            listed.append(Piece(part, True))
            continue
        for line in re.split(r"(\n)", part):
            listed += _of_line(line, spaced)
    return [piece for piece in listed if piece.text]


def _of_line(line: str, spaced: bool) -> list[Piece]:
    mark = _MARKS.match(line)
    begin = mark.end() if mark else 0
    body = line[begin:].rstrip()
    end = line[begin + len(body) :]
    if body.startswith("|") and body.endswith("|") and len(body) > 1:
        cells = re.split(r"(\s*\|\s*)", body)
        inner = [Piece(cell, place % 2 == 1 or not _LETTER.search(cell)) for place, cell in enumerate(cells)]
    else:
        parts = [part for part in _SENTENCE_END.split(body) if part]
        inner = [Piece(part if spaced or part.strip() else "", not _LETTER.search(part)) for part in parts]
    return [Piece(line[:begin], True), *inner, Piece(end, True)]


def translated(text: str, translate: Translate, spaced: bool = True) -> str:
    """Translate a text sentence by sentence.

    Where a translation lost or changed a piece of code, an address, a placeholder or a bold mark of its
    sentence, what stands around these is translated alone, and they are put between.

    Args:
        text: any text.
        translate: of sentences.
        spaced: whether the target language has spaces between sentences.
    """
    listed = pieces(text, spaced)
    done = _filled(listed, translate)
    for place, piece in enumerate(listed):
        if not piece.kept and _marks(done[place]) != _marks(piece.text):
            done[place] = "".join(_filled(_around(piece.text), translate))
    return "".join(done)


def _filled(listed: Sequence[Piece], translate: Translate) -> list[str]:
    sentences = [piece.text for piece in listed if not piece.kept]
    made = iter(translate(sentences) if sentences else ())
    # A model may put a line break where there was none.
    return [piece.text if piece.kept else " ".join(next(made).split()) for piece in listed]


def _marks(text: str) -> Counter[str]:
    return Counter(match[0] for match in _KEPT.finditer(text))


def _around(sentence: str) -> list[Piece]:
    """Divide a sentence at what must be kept; white space beside it stays."""
    listed: list[Piece] = []
    at = 0
    for match in _KEPT.finditer(sentence):
        listed += [*_bare(sentence[at : match.start()]), Piece(match[0], True)]
        at = match.end()
    return [*listed, *_bare(sentence[at:])]


def _bare(text: str) -> list[Piece]:
    body = text.strip()
    if not body:
        return [Piece(text, True)]
    begin = text.index(body)
    end = begin + len(body)
    return [Piece(text[:begin], True), Piece(body, not _LETTER.search(body)), Piece(text[end:], True)]
