"""What a text holds that a translation must keep: numbers, code, addresses, placeholders, lists, tables."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from polypinch.pool import numbers

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
ADDRESS = re.compile(r"https?://[^\s<>\"'»”)\]]+|\bwww\.[^\s<>\"'»”)\]]+|[\w.+-]+@[\w-]+\.[\w.-]*\w")
PLACEHOLDER = re.compile(
    r"\{\{?[A-Za-z_][\w .-]{0,40}\}?\}|%\(\w+\)[sd]|%[sd]\b|\$\{\w+\}"
    r"|</?[A-Za-z][\w-]{0,20}(?: [^<>\n]{0,80})?/?>"
)
_BULLET = re.compile(r"^\s*[-*•–—]\s+\S", re.MULTILINE)
_NUMBERED = re.compile(r"^\s*(?:\d{1,3}|[٠-٩०-९]{1,3})\s?[.)、．:]\s?\S", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+\S", re.MULTILINE)
_ROW = re.compile(r"^\s*\|.*\|\s*$", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*")
_FREE = frozenset({"1", "2"})
"""Languages have duals and words for these, and leave them out."""


@dataclass(frozen=True)
class Marks:
    """What is to be kept of a text.

    Attributes:
        numbers: the digits of each number that it writes in digits, but 1 and 2.
        fences: how many blocks of code it has.
        code: pieces of code within its lines.
        addresses: of the web and of mail.
        placeholders: ``{name}``, ``%s``, tags.
        bullets: lines that begin with a bullet.
        numbered: lines that begin with a number.
        headings: lines that are a heading.
        rows: lines that are a table's row.
        bold: words in bold.
        lines: lines that hold something.
    """

    numbers: frozenset[str]
    fences: int
    code: Counter[str]
    addresses: Counter[str]
    placeholders: Counter[str]
    bullets: int
    numbered: int
    headings: int
    rows: int
    bold: int
    lines: int


def marks(text: str) -> Marks:
    """Return what is to be kept of a text."""
    bare = _FENCE.sub("\n", text)
    prose = ADDRESS.sub(" ", INLINE.sub(" ", bare))
    return Marks(
        numbers=frozenset(numbers(text)) - _FREE,
        fences=len(_FENCE.findall(text)),
        code=Counter(INLINE.findall(bare)),
        addresses=Counter(found.rstrip(".,;:!?") for found in ADDRESS.findall(text)),
        placeholders=Counter(PLACEHOLDER.findall(prose)),
        bullets=len(_BULLET.findall(bare)),
        numbered=len(_NUMBERED.findall(bare)),
        headings=len(_HEADING.findall(bare)),
        rows=len(_ROW.findall(bare)),
        bold=len(_BOLD.findall(bare)),
        lines=sum(bool(line.strip()) for line in bare.splitlines()),
    )
