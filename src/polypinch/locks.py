"""A lock that one process holds at a time, on one machine or on many that share a file system."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from polypinch.errors import PinchError

_BEAT_S, _STALE_S = 10.0, 60.0
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, or works on a study.

    Attributes:
        host: its machine's name.
        pid: its process there.
        since: when it began, in UTC.
    """

    host: str
    pid: int
    since: str

    @classmethod
    def here(cls) -> Holder:
        """Return this process."""
        return cls(socket.gethostname(), os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    def runs(self, age_s: float) -> bool:
        """Tell whether it still works, by when it last gave a sign of life, and here by its number too."""
        if self.host == socket.gethostname():
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                return False
            except PermissionError:
                pass
        # A clock that was set back puts the sign in the future.
        return abs(age_s) < _STALE_S


class Busy(PinchError):  # noqa: N818  (not a failure)
    """Another process holds the lock."""

    def __init__(self, what: Path, holder: Holder | None) -> None:
        who = "another process" if holder is None else f"another process ({holder})"
        super().__init__(f"{who} is making {what}", fix="wait for it, or stop it")


def unique(name: str) -> str:
    """Return a hidden name that no other process, here or on another machine, gives a file."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:16]
    return f".{name[:120]}.{host}-{os.getpid()}-{secrets.token_hex(4)}"


@contextmanager
def locked(lock: Path, what: Path) -> Iterator[None]:
    """Hold a lock; it is the file's, which stays, so that nobody can hold a file that is gone.

    The kernel's lock excludes on this machine, and on network file systems that share theirs. Where they do
    not, a holder on another machine is known by its name in the file and by the file's time, which it
    renews. Of a machine that died the lock is free a minute later.

    Args:
        lock: the file, beside what it guards.
        what: it guards, for the error.

    Raises:
        Busy: another process holds it.
        PinchError: the file system has no locks.
    """
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(what, _read(file)) from None
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                raise PinchError(
                    f"the file system of {lock.parent} has no locks, so two processes could make one thing",
                    fix="choose a folder on a file system that has them",
                ) from error
            raise
        before = _read(file)
        if before is not None and before.host != socket.gethostname() and _gives_signs(lock):
            raise Busy(what, before)
        _write(file, json.dumps(asdict(Holder.here())).encode())
        try:
            with beating(lambda: os.utime(file)):
                yield
        finally:
            _write(file, b"")
    finally:
        os.close(file)


def _gives_signs(lock: Path) -> bool:
    """Tell whether a lock's holder on another machine lives, by the file system's clock and never by ours.

    A sign that lies far in the future was given before a clock was set back: whether another one comes tells.
    """
    last = lock.stat().st_mtime
    with tempfile.NamedTemporaryFile(dir=lock.parent, prefix=".") as dated:
        age_s = os.fstat(dated.fileno()).st_mtime - last
    if age_s > -_STALE_S:
        return age_s < _STALE_S
    deadline = time.monotonic() + 2 * _BEAT_S
    while time.monotonic() < deadline:
        time.sleep(_BEAT_S / 10)
        with lock.open("rb"):  # opening it fetches a network file system's newest times
            if lock.stat().st_mtime != last:
                return True
    return False


def holder(lock: Path) -> Holder | None:
    """Return who holds a lock; ``None`` where nobody does, or who did is dead."""
    try:
        file = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        age_s, who = time.time() - os.fstat(file).st_mtime, _read(file)
    finally:
        os.close(file)
    return who if who is not None and who.runs(age_s) else None


def _read(file: int) -> Holder | None:
    try:
        return Holder(**json.loads(os.pread(file, 4096, 0)))
    except (ValueError, TypeError):
        return None


def _write(file: int, content: bytes) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, content, 0)


@contextmanager
def beating(beat: Callable[[], object]) -> Iterator[None]:
    """Call something again and again, so that others see that this process lives."""
    stop = threading.Event()

    def go_on() -> None:
        while not stop.wait(_BEAT_S):
            try:
                beat()
            except OSError:
                # A file system that is away for a while is no reason to end.
                continue

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
