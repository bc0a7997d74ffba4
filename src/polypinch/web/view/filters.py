"""What of a study's answers is shown: filters that combine, and the address that says them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlencode

_LONGEST_TEXT = 500
_MOST_PAGES = 10_000_000


class Mark(StrEnum):
    """What can be said of an answer."""

    WRONG_LANGUAGE = "wrong-language"
    ABSTAINED = "abstained"
    WON = "won"
    LOST = "lost"
    TIED = "tied"
    FLIPPED = "flipped"
    JUDGE_FAILED = "judge-failed"
    CUT_OFF = "cut-off"
    MISSING = "missing"


MARKS: Mapping[Mark, tuple[str, str]] = {
    Mark.WRONG_LANGUAGE: ("wrong language", "in_language = false"),
    Mark.ABSTAINED: ("language not told", "fidelity AND in_language IS NULL"),
    Mark.WON: ("won", "won"),
    Mark.LOST: ("lost", "lost"),
    Mark.TIED: ("tied", "tied"),
    Mark.FLIPPED: ("flipped", "flipped"),
    Mark.JUDGE_FAILED: ("judge failed", "failed"),
    Mark.CUT_OFF: ("cut off", "cut_off"),
    Mark.MISSING: ("no answer", "missing"),
}
"""What each mark is called, and its condition on the index."""


@dataclass(frozen=True)
class Filters:
    """Which answers; every part that is set must hold, of several values in one part any.

    Attributes:
        languages: tags.
        arms: names.
        seeds: training seeds, as text; ``none`` is the untuned base's.
        models: base models.
        marks: what must be so of an answer.
        item: an item's id.
        text: that the answer holds, whatever the case.
        page: from 1.
    """

    languages: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    item: str = ""
    text: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Sequence[tuple[str, str]]) -> Filters:
        """Read an address's query; what it does not know in it, and what is empty, it leaves out."""

        def values(name: str) -> tuple[str, ...]:
            return tuple(dict.fromkeys(value for key, value in query if key == name and value))

        known = set(Mark)
        page = next(iter(values("page")), "1")
        return cls(
            values("language"),
            values("arm"),
            values("seed"),
            values("model"),
            tuple(Mark(value) for value in values("mark") if value in known),
            next(iter(values("item")), "")[:_LONGEST_TEXT],
            next(iter(values("text")), "")[:_LONGEST_TEXT],
            min(max(1, int(page)), _MOST_PAGES) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
        )

    def query(self, page: int | None = None) -> str:
        """Return the address's query: the same view, or another page of it."""
        parts = [
            *(("language", tag) for tag in self.languages),
            *(("arm", arm) for arm in self.arms),
            *(("seed", seed) for seed in self.seeds),
            *(("model", model) for model in self.models),
            *(("mark", mark.value) for mark in self.marks),
            *([("item", self.item)] if self.item else []),
            *([("text", self.text)] if self.text else []),
        ]
        number = self.page if page is None else page
        return urlencode([*parts, *([("page", str(number))] if number > 1 else [])])

    def narrowed(self, **changes: object) -> Filters:
        """Return other filters, from the first page."""
        return replace(self, page=1, **changes)  # type: ignore[arg-type]
