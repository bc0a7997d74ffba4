"""Fidelity of each answer: which language it is in, and whether its lines and words are in it too.

Line and word pass rate after Marchisio et al. (2024), *Understanding and Mitigating Language Confusion
in LLMs*, arXiv 2406.20052.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.fidelity.cleaning import clean, count_words
from polypinch.fidelity.identify import Identifier, cannot_be_told
from polypinch.fidelity.scripts import scripts_of
from polypinch.languages import language
from polypinch.progress import track
from polypinch.thoughts import answer_of

LEAST_WORDS_A_LINE = 5
FIDELITY_METHOD = 2
"""Raised whenever the same answers would get other rows: part of what a study's fidelity is known by."""

FIDELITY_SCHEMA = pa.schema(
    [
        ("response_language", pa.string()),
        ("confidence", pa.float64()),
        ("in_language", pa.bool_()),
        ("line_pass", pa.bool_()),
        ("word_pass", pa.bool_()),
    ]
)

# Names and acronyms have capitals, units are short, file names, addresses and identifiers hold digits
# or signs; what is left of the Latin letters in a text of another script is a word of another language.
_WRONG_WORD = re.compile(r"(?<![A-Za-zÀ-ɏ0-9_./@#&'’-])[a-z]{4,}(?![A-Za-zÀ-ɏ0-9_/@'’-]|\.[A-Za-z])")


def fidelity_table(
    texts: Sequence[str | None],
    languages: Sequence[str],
    candidates: Sequence[str] | None = None,
    *,
    as_published: bool = False,
    label: str | None = None,
) -> pa.Table:
    """Judge the language of each text.

    Args:
        texts: answers; ``None`` counts as empty. A thought that one begins with is no part of it.
        languages: the tag asked for, of each text.
        candidates: tags to choose among; ``None`` for every language that py3langid knows.
        as_published: judge lines as the benchmark's own script does: code and URLs stay in, and a line
            of at least five words whose language cannot be told counts as wrong. Otherwise code is left
            out and such lines are not judged.
        label: show a progress bar under this name.

    Returns:
        A table in ``FIDELITY_SCHEMA``, one row per text. ``in_language`` is null where the response is too
        short or no language; all is null where a language is asked for in a script in which it cannot be told
        (``hi-Latn``), see :func:`fidelity_notes`; ``line_pass`` where no line can be judged; ``word_pass``
        where the line level is not passed, and for languages in Latin script.

    Raises:
        PinchError: as many languages as texts are not given; a language is unknown, or not a candidate.
    """
    if len(texts) != len(languages):
        raise PinchError(
            f"{len(texts)} texts but {len(languages)} languages", fix="give one language per text"
        )
    told = [tag for tag in dict.fromkeys(languages) if not cannot_be_told(language(tag).tag)]
    if languages and not told:
        return pa.Table.from_pylist([{}] * len(texts), schema=FIDELITY_SCHEMA)
    kept = None if candidates is None else [t for t in candidates if not cannot_be_told(language(t).tag)]
    identifier = Identifier(kept)
    expected = {tag: identifier.expected(tag) for tag in told}
    in_latin = {tag: "LATIN" in scripts_of(tag) for tag in expected}
    rows: list[dict[str, str | float | bool | None]] = []
    pairs = list(zip(texts, languages, strict=True))
    for whole, tag in track(pairs, label) if label else pairs:
        if tag not in expected:
            rows.append({})
            continue
        text = answer_of(whole or "")
        cleaned = clean(text)
        found, confidence = identifier.identify_clean(cleaned)
        lines = judged_lines(text if as_published else cleaned)
        line_pass = _line_pass(lines, expected[tag], identifier, as_published)
        rows.append(
            {
                "response_language": found,
                "confidence": confidence,
                "in_language": None if found is None else found in expected[tag],
                "line_pass": line_pass,
                "word_pass": not any(map(wrong_words, lines)) if line_pass and not in_latin[tag] else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=FIDELITY_SCHEMA)


def judged_lines(text: str) -> list[str]:
    """Return the lines of at least five words: shorter ones the benchmark leaves out too."""
    return [line for line in text.splitlines() if count_words(line) >= LEAST_WORDS_A_LINE]


def wrong_words(text: str) -> list[str]:
    """Return the words of another language in a text that is not in Latin script.

    These are runs of four or more lower-case Latin letters, alone or grown into a word of the text's own
    script, that are not part of an identifier, a file name or an address. The benchmark looks words up in
    an English list instead; ``docs/fidelity.md`` says how far the two agree.
    """
    return _WRONG_WORD.findall(text)


def _line_pass(
    lines: Sequence[str], expected: frozenset[str], identifier: Identifier, undecided_fails: bool
) -> bool | None:
    found = [identifier.identify_clean(line)[0] for line in lines]
    judged = found if undecided_fails else [tag for tag in found if tag is not None]
    return all(tag in expected for tag in judged) if judged else None
