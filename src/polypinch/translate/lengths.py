"""How long a language's texts usually are, for one character of English."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from statistics import median

from polypinch.languages import language
from polypinch.pool import open_pool

_OF_SCRIPT = {"Hans": 0.36, "Hant": 0.36, "Jpan": 0.5, "Kore": 0.55, "Thai": 0.9}
_OTHERWISE = 1.05
_LEAST = 40


@lru_cache(maxsize=1)
def _measured() -> Mapping[str, float]:
    rows = open_pool("pinch12").select(["item_id", "language", "messages"]).to_pylist()
    texts = {(row["item_id"], row["language"]): [turn["content"] for turn in row["messages"]] for row in rows}
    ratios: dict[str, list[float]] = defaultdict(list)
    for (item, tag), turns in texts.items():
        for english, text in zip(texts[item, "en"], turns, strict=True):
            if len(english) >= _LEAST:
                ratios[tag].append(len(text) / len(english))
    return {tag: median(values) for tag, values in ratios.items()}


def usual_lengths(tags: Sequence[str]) -> dict[str, float]:
    """Return how many characters each language takes for one of English, by tag.

    The median over the built-in pool's texts; for a language that it lacks, what is usual of its script.
    """
    measured = _measured()
    usual = {}
    for tag in tags:
        known = measured.get(tag) or measured.get(tag.partition("-")[0])
        usual[tag] = known or _OF_SCRIPT.get(language(tag).script, _OTHERWISE)
    return usual
