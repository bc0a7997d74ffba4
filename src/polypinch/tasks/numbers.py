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
_MINUS = re.compile(r"[-−–‐‑﹣－][^\w\s]?$")  # "-5", "-$5"; "- 5" may be a line of a list
# Written without spaces, or with a hyphen between no words: what stands before a minus sign may be a word.
_JOINED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]"
)
# What is raised to a power, or a unit of area or volume: their digits are no number of the answer.
_POWER = re.compile(r"(?<=[^\W\d_}])\^\{?[-−]?\d+\}?|(?<=\})\^\{?[-−]?\d+\}?")
_UNIT = re.compile(r"(?<![^\W\d_])([kcdmµμ]?m|in|ft|yd|mi|[CSN]O|к?м|[см]м|дм)[23](?!\w)")
_LATEX = re.compile(r"\{,\}|(?<=\d)(?:,?\\[,!;])(?=\d)")  # 1{,}234, 1\,234 and 1,\!234
_SMALL = {"十": 10, "百": 100, "千": 1000, "십": 10, "백": 100, "천": 1000}
_MYRIADS = {
    **dict.fromkeys("万萬만", 10**4),
    **dict.fromkeys("亿億억", 10**8),
    **dict.fromkeys("兆조", 10**12),
}
# 千克, 千米, 千瓦 are kilograms, kilometres and kilowatts.
_TIMES = re.compile(rf" ?((?:[{''.join(_SMALL)}](?![克米瓦卡赫]))?)([{''.join(_MYRIADS)}]?)")
_COMMAS = str.maketrans({"，": ",", "．": ".", "،": ","})


def last_number(text: str, tag: str) -> frozenset[Decimal]:
    """Return what the last number of a text can mean; nothing where there is none.

    Read are all of Unicode's decimal digits, thousands set apart by comma, point, space or apostrophe (in
    threes, or as in India), a decimal comma or point, a minus sign or dash right before the digits, and 万,
    亿 and their like, also inside a number (``3万5000``). What the language and the grouping leave open
    (Spanish ``2.125``) is read both ways. Left out are the digits of units and powers (``m2``, ``s^2``). Not
    read: numbers in words, fractions, exponents, Chinese numerals.

    Args:
        text: an answer.
        tag: its language.
    """
    plain = _POWER.sub("", _UNIT.sub(r"\1", _plain(text)))
    tokens = list(_TOKEN.finditer(plain))
    if not tokens:
        return frozenset()
    first = len(tokens) - 1
    while first and _goes_on(plain, tokens[first - 1], tokens[first]):
        first -= 1
    sign = -1 if _is_negative(plain[: tokens[first].start()]) else 1
    return frozenset(sign * value for value in _sums(plain, tokens[first:], tag))


def _plain(text: str) -> str:
    """Return a text without marks of direction, LaTeX spacing and wide signs, with ASCII digits."""
    seen = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return _ascii_digits(_LATEX.sub(",", seen).translate(_COMMAS))


def _is_negative(before: str) -> bool:
    """Tell whether what stands before a number ends in its minus sign; not in "3-5", "10 - 5" or "B-52"."""
    minus = _MINUS.search(before)
    if minus is None:
        return False
    last = before[: minus.start()][-1:]
    return bool(_JOINED.match(last)) or not (last.isalnum() or (last and last in ")]}%-−–"))


def _times(plain: str, token: re.Match[str]) -> re.Match[str]:
    times = _TIMES.match(plain, token.end())
    assert times is not None  # it matches an empty text
    return times


def _goes_on(plain: str, token: re.Match[str], following: re.Match[str]) -> bool:
    """Tell whether one number is written on in the next: 3万5000, 1億 2000万, 3만 5천."""
    times, after = _times(plain, token), _times(plain, following)
    if not (times[1] or times[2]) or plain[times.end() : following.start()].strip(" "):
        return False
    return not following[0].strip("0123456789") and (not after[2] or _scale(after) < _scale(times))


def _scale(times: re.Match[str]) -> int:
    return _SMALL.get(times[1], 1) * _MYRIADS.get(times[2], 1)


def _sums(plain: str, tokens: list[re.Match[str]], tag: str) -> set[Decimal]:
    """Return what one number, in parts with their 千 and 万, can come to."""
    sums = set()
    for value in _readings(tokens[0][0], tag):
        total, section = Decimal(0), Decimal(0)
        for place, token in enumerate(tokens):
            times = _times(plain, token)
            section += (value if place == 0 else Decimal(token[0])) * _SMALL.get(times[1], 1)
            if times[2]:
                total, section = total + section * _MYRIADS[times[2]], Decimal(0)
        sums.add(total + section)
    return sums


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
