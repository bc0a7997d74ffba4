"""The number in an answer, in whatever digits and with whatever separators it is written."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

# CLDR's default decimal separator is a point in these (Arabic: by country); elsewhere a comma.
_POINT = frozenset((
    "en", "zh", "yue", "ja", "ko", "he", "hi", "bn", "ta", "te", "kn", "ml", "mr", "gu", "pa", "ur", "ne",
    "si", "th", "sw", "am", "ha", "yo", "ig", "ms", "my", "fil",
))  # fmt: skip
_SPACES = " \u00a0\u2009\u202f"
_APART = _SPACES + "'’٬"  # these only group digits
_TOKEN = re.compile(rf"\d+(?:[.,٫{_APART}]\d+)*")
_SIGNED = re.compile(r"(?:^|[\s(=:：≈$€£])[-−﹣－][^\w\s]?$")  # "-5", "-$5"; not in "3-5" or "10 - 5"
_LATEX = re.compile(r"\{,\}|(?<=\d)(?:,?\\[,!;])(?=\d)")  # 1{,}234, 1\,234 and 1,\!234
_MYRIADS = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
_FULL_WIDTH = str.maketrans({"，": ",", "．": "."})


def last_number(text: str, tag: str) -> frozenset[Decimal]:
    """Return what the last number of a text can mean; nothing where there is none.

    Read are all of Unicode's decimal digits, thousands set apart by comma, point, space or apostrophe (in
    threes, or as in India), a decimal comma or point, a minus sign, and 万 and 亿. What the language and the
    grouping leave open (Spanish ``2.125``) is read both ways. Not read: numbers in words, fractions,
    exponents, Chinese numerals.

    Args:
        text: an answer.
        tag: its language.
    """
    plain = _ascii_digits(_LATEX.sub(",", text).translate(_FULL_WIDTH))
    found = list(_TOKEN.finditer(plain))
    if not found:
        return frozenset()
    last = found[-1]
    sign = -1 if _SIGNED.search(plain[: last.start()]) else 1
    times = _MYRIADS.get(plain[last.end() :].lstrip(" ")[:1], 1)
    return frozenset(sign * times * value for value in _readings(last[0], tag))


def number_match(answer: str, right: str, tag: str) -> float:
    """Return 1 if an answer's last number can mean the right one, else 0."""
    return float(not last_number(answer, tag).isdisjoint(last_number(right, tag)))


def _ascii_digits(text: str) -> str:
    return "".join(
        str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char for char in text
    )


def _readings(token: str, tag: str) -> set[Decimal]:
    for space in _SPACES:
        token = token.replace(space, " ")
    groups, marks = re.split(r"\D", token), re.findall(r"\D", token)
    point = tag.partition("-")[0] in _POINT
    found = set()
    if _grouped(groups, marks) and not (point and marks == ["."]):
        found.add(Decimal("".join(groups)))
    whole, mark = marks[:-1], marks[-1] if marks else ""
    # English "1,125" is a thousand and some; "1,25" can only be a slip for 1.25.
    thousand = point and mark == "," and _grouped(groups, marks)
    if mark and mark in ".,٫" and mark not in whole and _grouped(groups[:-1], whole) and not thousand:
        found.add(Decimal("".join(groups[:-1]) + "." + groups[-1]))
    if " " in token and (point or not found):  # or they are several numbers
        found |= _readings(token.partition(" ")[2], tag)
    return found or {Decimal(groups[-1])}


def _grouped(groups: list[str], marks: list[str]) -> bool:
    """Tell whether marks set thousands apart, all with one mark: 1,234,567 or 12,34,567."""
    if not marks:
        return True
    if len(set(marks)) > 1 or marks[0] == "٫" or len(groups[0]) > 3 or groups[0].startswith("0"):
        return False
    inner = {len(group) for group in groups[1:-1]}
    return len(groups[-1]) == 3 and (inner <= {3} or (inner == {2} and len(groups[0]) <= 2))
