"""Every try at a translation, on the disk as soon as it came; what was paid for is never asked for again."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from polypinch.journal import Journal

Key = tuple[str, str]
"""(item_id, language)."""


@dataclass(frozen=True)
class Try:
    """One try at one row.

    Attributes:
        item_id: the item.
        language: into which.
        turns: the translations, turn by turn; empty where there is none.
        doubts: what the checks said of it, ``check: detail``; none where it is good.
        error: why there is no translation, or ``None``.
        translator: who made it.
        prompt_tokens: as the server counts them, or ``None``.
        completion_tokens: the same.
        cost: in dollars, or ``None`` where no price is known.
    """

    item_id: str
    language: str
    turns: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    error: str | None = None
    translator: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None

    @property
    def key(self) -> Key:
        """Item and language."""
        return self.item_id, self.language

    @property
    def is_good(self) -> bool:
        """Whether it is a translation that no check doubts."""
        return self.error is None and not self.doubts


class Tries:
    """A journal of tries."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)

    def read(self) -> dict[Key, list[Try]]:
        """Return the tries of each row, first to last."""
        tries: dict[Key, list[Try]] = {}
        for line in self._journal.lines():
            values = json.loads(line)
            one = Try(**{**values, "turns": tuple(values["turns"]), "doubts": tuple(values["doubts"])})
            tries.setdefault(one.key, []).append(one)
        return tries

    def writing(self) -> AbstractContextManager[None]:
        """Open it for :meth:`append`."""
        return self._journal.writing()

    def append(self, one: Try) -> None:
        """Write a try down; it is on the disk when this returns.

        Raises:
            PinchError: the disk is full.
        """
        self._journal.append(json.dumps(asdict(one)))
