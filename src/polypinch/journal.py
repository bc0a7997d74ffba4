"""A file of lines that grows: each is on the disk before the next step is taken, and a kill loses none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polypinch.files import disk_errors


class Journal:
    """A file of lines; the last one may be torn by a kill, and is then left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def lines(self) -> list[bytes]:
        """Return its whole lines, without their ends."""
        content = self._path.read_bytes() if self._path.exists() else b""
        return content[: content.rfind(b"\n") + 1].splitlines()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Open it for :meth:`append`, less a torn line.

        Raises:
            PinchError: it may not be written to.
        """
        with disk_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            whole = sum(len(line) + 1 for line in self.lines())
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT)
            os.ftruncate(self._file, whole)
            os.lseek(self._file, whole, os.SEEK_SET)
        try:
            yield
        finally:
            os.close(self._file)
            self._file = None

    def append(self, line: str) -> None:
        """Write a line of ASCII without an end of its own; it is on the disk when this returns.

        Raises:
            PinchError: the disk is full.
        """
        assert self._file is not None
        with disk_errors(self._path):
            os.write(self._file, f"{line}\n".encode("ascii"))
            os.fsync(self._file)
