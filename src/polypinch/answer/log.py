"""Answers of a server, each on the disk as soon as it came."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path

from polypinch.answer.http import Reply
from polypinch.journal import Journal

Place = tuple[int, int]
"""A prompt's row and a sample's number."""


class AnswerLog:
    """A journal of answers.

    Attributes:
        places: whose answers it held when it was opened.
    """

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self.places = set(self.read())

    def read(self) -> dict[Place, Reply]:
        """Return the answers by place, in their order."""
        read = [json.loads(line) for line in self._journal.lines()]
        return dict(sorted(((row, sample), Reply(*reply)) for row, sample, reply in read))

    def writing(self) -> AbstractContextManager[None]:
        """Open it for :meth:`append`."""
        return self._journal.writing()

    def append(self, row: int, sample: int, reply: Reply) -> None:
        """Write an answer down; it is on the disk when this returns.

        Raises:
            PinchError: the disk is full.
        """
        self._journal.append(json.dumps([row, sample, list(reply)]))
