"""Every try at a translation, on the disk as soon as it came; what was paid for is never asked for again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from polypinch.files import disk_errors

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
    """A file of JSON Lines; its last line may be torn by a kill, and is then left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def read(self) -> dict[Key, list[Try]]:
        """Return the tries of each row, first to last."""
        tries: dict[Key, list[Try]] = {}
        for line in self._whole():
            values = json.loads(line)
            one = Try(**{**values, "turns": tuple(values["turns"]), "doubts": tuple(values["doubts"])})
            tries.setdefault(one.key, []).append(one)
        return tries

    def _whole(self) -> list[bytes]:
        content = self._path.read_bytes() if self._path.exists() else b""
        return content[: content.rfind(b"\n") + 1].splitlines()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Open the file for :meth:`append`."""
        with disk_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            whole = sum(len(line) + 1 for line in self._whole())
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT)
            os.ftruncate(self._file, whole)
            os.lseek(self._file, whole, os.SEEK_SET)
        try:
            yield
        finally:
            os.close(self._file)
            self._file = None

    def append(self, one: Try) -> None:
        """Write a try down; it is on the disk when this returns.

        Raises:
            PinchError: the disk is full.
        """
        assert self._file is not None
        with disk_errors(self._path):
            os.write(self._file, (json.dumps(asdict(one), ensure_ascii=True) + "\n").encode())
            os.fsync(self._file)
