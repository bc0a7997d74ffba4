"""Is a translation what it should be? Each reason to doubt it is a check of its own, and is counted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from polypinch.fidelity import Identifier, dominant_script, scripts_of
from polypinch.languages import language
from polypinch.pool import long_enough, missing_numbers, prose, sentences
from polypinch.translate.kept import Marks, marks


class Check(StrEnum):
    """What may be wrong with a translation."""

    TURNS = "turns"
    EMPTY = "empty"
    SCRIPT = "script"
    LANGUAGE = "language"
    COPIED = "copied"
    REMARK = "remark"
    REFUSAL = "refusal"
    SWAPPED = "swapped"
    LENGTH = "length"
    CUT_OFF = "cut off"
    DOUBLED = "doubled"
    NUMBERS = "numbers"
    CODE = "code"
    ADDRESSES = "addresses"
    PLACEHOLDERS = "placeholders"
    STRUCTURE = "structure"


class Doubt(NamedTuple):
    """One reason to doubt a translation, and what a person should know of it."""

    check: Check
    detail: str


LEAST_CHARACTERS = 40
"""A source of fewer characters is too short for its translation's length to mean something."""
SHORTEST, LONGEST = 0.6, 1.8
"""A translation's length, over what its language usually takes for that source."""
SURE = 0.9
_ENDS = tuple(".!?…。！？।॥؟:;)]}\"'»”“’‘«›」』】）*`|~%")
_TRANSLATION_WORDS = re.compile(
    r"translat|übersetz|tradu[czt]|tradui|перевод|перевед|перекл|převod|přelož|překlad|preklad|prelož|prijevod"
    r"|prevod|prevest|превод|tłumacz|przetłum|käännö|käännet|tõlge|tõlgi|fordít|vertal|oversæt|oversett|översät"
    r"|çevir|tercüme|dịch|terjemah|tafsir|翻译|翻譯|译文|譯文|翻訳|訳|번역|ترجم|תרגו|תרגמ|अनुवाद|ترجمہ|แปล|μετάφρ|անգլ",
    re.IGNORECASE,
)
_OPENINGS = re.compile(
    r"^(?:sure|certainly|of course|absolutely|here(?:'s| is| are)|okay|ok|note)\b[^\n]{0,80}[:!.\n]",
    re.IGNORECASE,
)
_REFUSALS = re.compile(
    r"\b(?:I(?:'m| am) sorry|I apologi[sz]e|I (?:can(?:'|no|’)t|cannot|am unable|won(?:'|’)t)|as an AI)\b",
    re.IGNORECASE,
)
_STATED = 200
_SIGNED = 40  # characters of a line that needs no full stop: the end of a letter
_LINES = 3
_SENTENCE_TWICE = 30


def check_turns(
    source: Sequence[str],
    target: Sequence[str],
    source_language: str,
    target_language: str,
    *,
    identifier: Identifier,
    usual: Mapping[str, float],
) -> list[Doubt]:
    """Return every reason to doubt a translation of a conversation's turns; none is a good one.

    Args:
        source: the texts, turn by turn.
        target: their translations.
        source_language: a tag.
        target_language: a tag.
        identifier: tells the language of a text, both languages among its candidates.
        usual: how many characters a language takes for one of English, by tag; see
            :func:`~polypinch.translate.usual_lengths`.
    """
    if len(source) != len(target):
        return [Doubt(Check.TURNS, f"{len(target)} texts for {len(source)}")]
    ratio = usual.get(target_language, 1.0) / usual.get(source_language, 1.0)
    doubts: list[Doubt] = []
    for before, after in zip(source, target, strict=True):
        if not before.strip():
            continue
        if not after.strip():
            doubts.append(Doubt(Check.EMPTY, f"nothing for {_cut(before)}"))
            continue
        doubts += _language(before, after, source_language, target_language, identifier)
        doubts += _remarks(before, after)
        doubts += _extent(before, after, ratio)
        doubts += _kept(marks(before), marks(after))
        lost = missing_numbers(before, after)
        if lost:
            doubts.append(Doubt(Check.NUMBERS, f"lacks {', '.join(lost)}"))
    if not doubts and len(source) > 1:
        doubts += _order(source, target, ratio)
    return list(dict.fromkeys(doubts))


def _language(
    before: str, after: str, source_language: str, target_language: str, identifier: Identifier
) -> list[Doubt]:
    same_language = source_language.partition("-")[0] == target_language.partition("-")[0]
    if after.strip() == before.strip() and not same_language:
        words = [word for word in re.findall(r"[^\W\d_]+", prose(before)) if len(word) > 1]
        return [Doubt(Check.COPIED, _cut(after))] if len(words) > 2 else []
    written = prose(after)
    script, share, letters = dominant_script(written)
    expected = scripts_of(target_language)
    if script is not None and letters >= 8 and expected and script not in expected and share > 0.5:
        return [Doubt(Check.SCRIPT, f"{script.lower()} letters, of {language(target_language).name}")]
    doubts: list[Doubt] = []
    if long_enough(written, target_language):
        guess, confidence = identifier.identify(written)
        if guess is not None and not _alike(guess, target_language) and confidence >= SURE:
            doubts.append(Doubt(Check.LANGUAGE, f"looks like {guess}: {_cut(written)}"))
    if not doubts and not same_language:
        doubts += _left_over(before, written, source_language, identifier)
    return doubts


def _left_over(before: str, written: str, source_language: str, identifier: Identifier) -> list[Doubt]:
    """Find a sentence that was left in the source's language."""
    for sentence in sentences(written):
        if not long_enough(sentence, source_language):
            continue
        guess, confidence = identifier.identify(sentence)
        is_source = guess is not None and _alike(guess, source_language) and confidence >= SURE
        if is_source or (sentence in before and len(sentence.split()) > 4):
            return [Doubt(Check.COPIED, _cut(sentence))]
    return []


def _alike(guess: str, wanted: str) -> bool:
    return guess.partition("-")[0] == wanted.partition("-")[0]


def _remarks(before: str, after: str) -> list[Doubt]:
    """Find a translator who talks: before the translation, after it, or instead of it."""
    edges = (after[:_STATED], after[-_STATED:])
    doubts = []
    if not _REFUSALS.search(before) and _REFUSALS.search(after[:_STATED]):
        doubts.append(Doubt(Check.REFUSAL, _cut(after)))
    about = not _TRANSLATION_WORDS.search(before) and any(map(_TRANSLATION_WORDS.search, edges))
    if about or (_OPENINGS.search(after.lstrip()) and not _OPENINGS.search(before.lstrip())):
        doubts.append(Doubt(Check.REMARK, _cut(after)))
    return doubts


def _extent(before: str, after: str, ratio: float) -> list[Doubt]:
    doubts = []
    if len(prose(before).split()) and len(prose(before)) >= LEAST_CHARACTERS:
        times = len(prose(after)) / (len(prose(before)) * ratio)
        if not SHORTEST <= times <= LONGEST:
            doubts.append(Doubt(Check.LENGTH, f"{times:.2f} times as long as usual: {_cut(after)}"))
    last = (after.rstrip().splitlines() or [""])[-1]
    closes = after.rstrip().endswith(_ENDS) or (len(last) <= _SIGNED and last != after.rstrip())
    if before.rstrip().endswith(_ENDS) and not closes and len(after) > 8:
        doubts.append(Doubt(Check.CUT_OFF, f"… {after.rstrip()[-40:]}"))
    repeated = [part for part in _repeated(after) if not _repeated(before)]
    if (_is_twice(after) and not _is_twice(before)) or repeated:
        doubts.append(Doubt(Check.DOUBLED, _cut(repeated[0] if repeated else after)))
    return doubts


def _is_twice(text: str) -> bool:
    words = text.split()
    half = len(words) // 2
    return len(words) > 1 and words[:half] == words[half:]


def _repeated(text: str) -> list[str]:
    """Return the longer sentences that stand more than once."""
    parts = [part.strip() for part in sentences(prose(text)) if len(part.strip()) >= _SENTENCE_TWICE]
    return [part for part in dict.fromkeys(parts) if parts.count(part) > 1]


def _kept(before: Marks, after: Marks) -> list[Doubt]:
    doubts = []
    if before.fences != after.fences or before.code != after.code:
        names = ", ".join((before.code - after.code) or (after.code - before.code)) or "a block of code"
        doubts.append(Doubt(Check.CODE, f"differs in {names}"))
    if before.addresses != after.addresses:
        differs = (before.addresses - after.addresses) or (after.addresses - before.addresses)
        doubts.append(Doubt(Check.ADDRESSES, f"differs in {', '.join(differs)}"))
    if before.placeholders != after.placeholders:
        differs = (before.placeholders - after.placeholders) or (after.placeholders - before.placeholders)
        doubts.append(Doubt(Check.PLACEHOLDERS, f"differs in {', '.join(differs)}"))
    for name in ("bullets", "numbered", "headings", "rows", "bold"):
        here, there = getattr(before, name), getattr(after, name)
        # Ordinals and dates at the head of a line look like steps that were added.
        added = name == "numbered" and here < 2
        if here != there and max(here, there) > 1 and not added:
            doubts.append(Doubt(Check.STRUCTURE, f"{there} {name} for {here}"))
    if before.lines >= _LINES and not before.lines / 1.5 <= after.lines <= before.lines * 1.5:
        doubts.append(Doubt(Check.STRUCTURE, f"{after.lines} lines for {before.lines}"))
    return doubts


def _order(source: Sequence[str], target: Sequence[str], ratio: float) -> list[Doubt]:
    """Find turns that would fit each other's places better than their own."""
    for index in range(len(source) - 1):
        here, there = source[index : index + 2], target[index : index + 2]
        straight = _distance(here[0], there[0], ratio) + _distance(here[1], there[1], ratio)
        crossed = _distance(here[0], there[1], ratio) + _distance(here[1], there[0], ratio)
        if crossed < straight:
            return [Doubt(Check.SWAPPED, f"turn {index + 1} and {index + 2}: {_cut(there[0])}")]
    return []


_ASKS = re.compile(r"[?？؟][\"'»”’」)]*\s*$")


def _distance(before: str, after: str, ratio: float) -> float:
    """Return how unlike a source's translation a text looks, by what needs no knowledge of the language."""
    far = abs(math.log((len(after) + 2) / (len(before) * ratio + 2)))
    far += 0.7 * (bool(_ASKS.search(before)) != bool(_ASKS.search(after)))
    here, there = marks(before), marks(after)
    far += 0.5 * len(here.numbers ^ there.numbers) + abs(math.log((there.lines + 1) / (here.lines + 1)))
    return far


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 60 else flat[:59] + "…")
