"""Verdicts in a SQLite file, one row per call, written one by one: what was paid for is never asked again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import disk_errors

_FORMAT = 1
_AT_ONCE = 500  # keys in one query
_TABLE = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY,
    judge TEXT NOT NULL, version TEXT NOT NULL, model TEXT NOT NULL, revision TEXT, sampling TEXT NOT NULL,
    item_id TEXT NOT NULL, language TEXT NOT NULL, first TEXT NOT NULL, second TEXT,
    winner TEXT, grade INTEGER, error TEXT, raw TEXT, reason TEXT, probabilities TEXT,
    prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL,
    seconds REAL NOT NULL, attempts INTEGER NOT NULL, called INTEGER NOT NULL
)
"""


@dataclass(frozen=True)
class Record:
    """One call and what came of it.

    Attributes:
        key: 64 hex digits of all that the verdict depends on.
        judge: the judge's name.
        version: its prompt's, schema's and settings' fingerprint.
        model: who was asked.
        revision: of the model, or ``None`` where a server does not say.
        sampling: settings of the call, as JSON.
        item_id: the item.
        language: its language.
        first: SHA-256 of the answer shown first, or of the only one.
        second: SHA-256 of the answer shown second.
        winner: ``first``, ``second``, ``tie``, or ``None``.
        grade: of a single answer, or ``None``.
        error: why there is neither.
        raw: the reply as received.
        reason: what the judge gave as its reason.
        probabilities: of first, second and tie.
        prompt_tokens: spent, failed calls for this verdict included; ``None`` where nobody said.
        completion_tokens: the same.
        cost: the same, by the user's prices.
        seconds: that the last call took, its waits aside.
        attempts: requests sent for it.
        called: false where nobody had to be asked: both answers are the same.
    """

    key: str
    judge: str
    version: str
    model: str
    revision: str | None
    sampling: str
    item_id: str
    language: str
    first: str
    second: str | None
    winner: str | None = None
    grade: int | None = None
    error: str | None = None
    raw: str | None = None
    reason: str | None = None
    probabilities: tuple[float, float, float] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    seconds: float = 0.0
    attempts: int = 0
    called: bool = True


_COLUMNS = tuple(field.name for field in fields(Record))
_PROBABILITIES = _COLUMNS.index("probabilities")
_SPENT = ("prompt_tokens", "completion_tokens", "cost", "attempts")
# A verdict that stands is never overwritten; what a failure had cost is added up.
_PUT = (
    f"INSERT INTO calls ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
    " ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(
        f"{name} = coalesce(calls.{name} + excluded.{name}, excluded.{name}, calls.{name})"
        if name in _SPENT
        else f"{name} = excluded.{name}"
        for name in _COLUMNS[1:]
    )
    + " WHERE calls.error IS NOT NULL"
)


class VerdictStore:
    """A file of calls. Several processes may write it at once; a kill loses at most the calls in flight."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            PinchError: it can't be written, or holds something else.
        """
        self.path = path
        with disk_errors(path), _sqlite_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Autocommit: each verdict is on its own.
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, _FORMAT):
                raise PinchError(f"{path}: verdicts of another format ({found})", fix="name another file")
            self._db.execute(_TABLE)
            self._db.execute(f"PRAGMA user_version = {_FORMAT}")

    def __enter__(self) -> VerdictStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._db.close()

    def get(self, keys: Sequence[str]) -> dict[str, Record]:
        """Return what is stored of some calls, by key."""
        found = {}
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT {', '.join(_COLUMNS)} FROM calls WHERE key IN ({marks})"
            with _sqlite_errors(self.path):
                for row in self._db.execute(query, some):
                    found[row[0]] = _record(row)
        return found

    def put(self, *records: Record) -> None:
        """Write calls down at once, all or none. A verdict that is there already stays; a failure gives way.

        Raises:
            PinchError: the disk is full, or the file is broken.
        """
        with disk_errors(self.path), _sqlite_errors(self.path):
            if len(records) == 1:
                self._db.execute(_PUT, _values(records[0]))
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(_PUT, map(_values, records))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def records(self) -> Iterator[Record]:
        """Yield every call."""
        with _sqlite_errors(self.path):
            for row in self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM calls ORDER BY key"):
                yield _record(row)

    def totals(self) -> dict[str, Any]:
        """Return what all calls together came to: calls, requests, failed, identical, tokens and cost."""
        query = (
            "SELECT total(called), total(attempts), total(error IS NOT NULL), total(NOT called),"
            " total(prompt_tokens), total(completion_tokens), sum(cost) FROM calls"
        )
        names = ("calls", "requests", "failed", "identical", "prompt_tokens", "completion_tokens")
        with _sqlite_errors(self.path):
            *counts, cost = self._db.execute(query).fetchone()
        return {**dict(zip(names, map(int, counts), strict=True)), "cost": cost}

    def seconds_per_call(self, model: str, version: str) -> float | None:
        """Return how long a judge's calls to a model took on average, or ``None`` if there was none."""
        query = "SELECT avg(seconds) FROM calls WHERE model = ? AND version = ? AND called AND error IS NULL"
        with _sqlite_errors(self.path):
            found = self._db.execute(query, (model, version)).fetchone()[0]
        return None if found is None else float(found)


def _values(record: Record) -> list[Any]:
    values = [getattr(record, name) for name in _COLUMNS]
    if record.probabilities is not None:
        values[_PROBABILITIES] = json.dumps(record.probabilities)
    return values


def _record(row: Sequence[Any]) -> Record:
    values = dict(zip(_COLUMNS, row, strict=True))
    chances = values["probabilities"]
    values["probabilities"] = None if chances is None else tuple(json.loads(chances))
    values["called"] = bool(values["called"])
    return Record(**values)


@contextmanager
def _sqlite_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "disk is full" in str(error):
            raise PinchError(
                f"the disk is full: could not write {path}",
                fix="free space, then run the same command: verdicts that were paid for are kept",
            ) from error
        raise PinchError(
            f"{path}: {error}", fix="name a file of verdicts, or one that isn't there yet"
        ) from error
