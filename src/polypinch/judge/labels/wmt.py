"""WMT's ratings of translations, MQM and ESA, as pairs: of two systems' translations the better rated wins.

MQM (Freitag et al. 2021, arXiv 2104.14478) lists errors; a translation's rating is what they cost, by the
weights of its section 3: a major error 5 (25 where nothing is translated), a minor one 1 (0.1 where it is
fluency's punctuation), a neutral one nothing. ESA (Kocmi et al. 2024, arXiv 2406.11580) is a score, 0 to 100.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from polypinch.conversation import RowError
from polypinch.errors import PinchError
from polypinch.files import fingerprint
from polypinch.judge.labels.fields import Row, is_empty, number, text
from polypinch.judge.labels.votes import higher
from polypinch.languages import language

_SYSTEM = ("system", "system_name", "mt_system")
_SOURCE = ("source", "src")
_TARGET = ("target", "tgt", "hyp", "translation")
_SCORE = ("esa_score", "esa", "mqm_score", "mqm", "score")
_RATER = ("rater", "annotator", "annotatorID", "login")
_PAIR = ("lp", "langs", "language_pair")
_MAJOR, _NOT_TRANSLATED, _MINOR, _PUNCTUATION = 5.0, 25.0, 1.0, 0.1


@dataclass
class _Rated:
    """One rater's view of one system's translation of a segment."""

    number: int
    text: str
    rating: float


def is_wmt(row: Row) -> bool:
    """Tell whether a row rates a system's translation."""
    rates = "severity" in row or _field(row, _SCORE) is not None
    return rates and all(_field(row, names) is not None for names in (_SYSTEM, _SOURCE, _TARGET))


def wmt(rows: Iterable[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    """Pair the translations of each segment that one rater rated.

    The language is that which was translated into: of a field such as ``en-de``, or as the row says.

    Args:
        rows: with their row numbers; of MQM one row for each error.

    Yields:
        Labels with the row number of the second translation's first rating.

    Raises:
        RowError: a row lacks a field, or a severity is unknown.
    """
    rated: dict[tuple[str | None, str, str], dict[str, _Rated]] = defaultdict(dict)
    for at, row in rows:
        try:
            source, translation = (_text(row, names).replace("<v>", "").replace("</v>", "")
                                   for names in (_SOURCE, _TARGET))  # fmt: skip
            rater = _field(row, _RATER)
            group = rated[_target(row), source, "rater" if rater is None else str(row[rater])]
            system = _text(row, _SYSTEM)
            place = group.setdefault(system, _Rated(at, translation, 0.0))
            rating = _rating(row)
        except RowError as error:
            raise RowError(f"row {at}: {error}") from error
        if "severity" in row:
            place.rating += rating
        else:
            place.rating = rating
    for (tag, source, rater), systems in rated.items():
        asked = f"Translate:\n\n{source}"
        for one, other in combinations(sorted(systems.values(), key=lambda rating: rating.text), 2):
            if one.text == other.text:
                continue
            yield (
                max(one.number, other.number),
                {
                    "item_id": fingerprint([asked, one.text, other.text])[:16],
                    "cluster": fingerprint(asked)[:16],
                    "language": tag,
                    "annotator": rater,
                    "prompt": asked,
                    "one_text": one.text,
                    "other_text": other.text,
                    "winner": higher(one.rating, other.rating),
                },
            )


def _rating(row: Row) -> float:
    """Return what a row adds to a rating: the score, or less what its error costs."""
    if "severity" not in row:
        score = number(row, _field(row, _SCORE) or _SCORE[-1])
        if score is None:
            raise RowError("there is no score")
        return score
    severity = str(row["severity"]).strip().casefold()
    category = str(row.get("category") or "").strip().casefold()
    if severity in ("major", "critical"):
        return -_NOT_TRANSLATED if category.startswith("non-translation") else -_MAJOR
    if severity == "minor":
        return -_PUNCTUATION if category == "fluency/punctuation" else -_MINOR
    if severity in ("no-error", "no error", "neutral", "none", "nan", ""):
        return 0.0
    raise RowError(f"severity is {row['severity']!r}, not major, minor, neutral or no-error")


def _target(row: Row) -> str | None:
    """Return the language that was translated into, or ``None`` where the row does not say."""
    pair = _field(row, _PAIR)
    if pair is not None:
        tag = str(row[pair]).replace("~", "-").partition("-")[2]
        try:
            return language(tag).tag
        except PinchError as error:
            raise RowError(f"{pair} is {row[pair]!r}, a pair such as en-de is needed") from error
    said = next(
        (row[name] for name in ("tgt_lang", "target_lang", "language", "lang") if row.get(name)), None
    )
    return None if said is None else str(said)


def _field(row: Row, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in row and not is_empty(row[name])), None)


def _text(row: Row, names: tuple[str, ...]) -> str:
    return text(row, _field(row, names) or names[0])
