"""Answers of a server, each on the disk as soon as it came."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType

from polypinch.answer.http import Reply
from polypinch.files import disk_errors

Place = tuple[int, int]
"""A prompt's row and a sample's number."""


class AnswerLog:
    """A file of JSON Lines, one an answer; the last line may be torn by a kill, and is then left out.

    Attributes:
        places: whose answers it holds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        answers = self.read()
        self.places = set(answers)

    def read(self) -> dict[Place, Reply]:
        """Return the answers by place, in their order."""
        lines = self._whole()
        read = [json.loads(line) for line in lines]
        return dict(sorted(((row, sample), Reply(*reply)) for row, sample, reply in read))

    def _whole(self) -> list[bytes]:
        content = self._path.read_bytes() if self._path.exists() else b""
        return content[: content.rfind(b"\n") + 1].splitlines()

    def __enter__(self) -> AnswerLog:
        with disk_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            whole = sum(len(line) + 1 for line in self._whole())
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT)
            os.ftruncate(self._file, whole)
            os.lseek(self._file, whole, os.SEEK_SET)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def append(self, row: int, sample: int, reply: Reply) -> None:
        """Write an answer down; it is on the disk when this returns.

        Raises:
            PinchError: the disk is full.
        """
        assert self._file is not None
        line = json.dumps([row, sample, list(reply)], ensure_ascii=True) + "\n"
        with disk_errors(self._path):
            os.write(self._file, line.encode())
            os.fsync(self._file)
