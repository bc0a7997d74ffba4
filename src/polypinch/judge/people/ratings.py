"""Ratings in a SQLite file: each is on the disk before the next is asked for, and none can stand twice."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.files import disk_errors
from polypinch.judge.people.job import Assigned, Rater

_FORMAT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS raters (
    name TEXT PRIMARY KEY, language TEXT NOT NULL, adjudicates INTEGER NOT NULL,
    link TEXT UNIQUE, expires TEXT
);
CREATE TABLE IF NOT EXISTS lists (
    rater TEXT NOT NULL REFERENCES raters (name), position INTEGER NOT NULL, task TEXT NOT NULL,
    arm_first INTEGER, repeat INTEGER NOT NULL, PRIMARY KEY (rater, position)
);
CREATE TABLE IF NOT EXISTS ratings (
    rater TEXT NOT NULL, position INTEGER NOT NULL, choice TEXT NOT NULL, flags TEXT NOT NULL,
    comment TEXT NOT NULL, seconds REAL, time TEXT NOT NULL, form TEXT NOT NULL UNIQUE,
    PRIMARY KEY (rater, position), FOREIGN KEY (rater, position) REFERENCES lists (rater, position)
);
CREATE TABLE IF NOT EXISTS taken_back (
    form TEXT PRIMARY KEY, rater TEXT NOT NULL, position INTEGER NOT NULL, choice TEXT NOT NULL,
    seconds REAL, time TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Rating:
    """What a rater said at one place of their list.

    Attributes:
        rater: who.
        position: in the list.
        choice: as :class:`~polypinch.judge.people.Choice`, of what was shown first and second.
        flags: as ``first:unsafe``; of a single answer ``first`` is the only one.
        comment: in the rater's words.
        seconds: that it was in view; ``None`` where the browser did not say.
        time: when it was stored, in UTC, ISO 8601.
        form: a random name of the form that was sent, so that one sent twice counts once.
    """

    rater: str
    position: int
    choice: str
    flags: tuple[str, ...] = ()
    comment: str = ""
    seconds: float | None = None
    time: str = ""
    form: str = ""


class Ratings:
    """The file of a job's raters, lists and ratings. Threads share one; so may several processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            PinchError: it can't be written, or holds something else.
        """
        self.path = path
        self._lock = threading.RLock()
        with disk_errors(path), self._errors():
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            # A rater goes on to the next pair knowing that this one is kept, power cut or not.
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            form = self._db.execute("PRAGMA user_version").fetchone()[0]
            if form not in (0, _FORMAT):
                raise PinchError(f"{path}: ratings of another format ({form})", fix="make the job again")
            self._db.executescript(_TABLES)
            self._db.execute(f"PRAGMA user_version = {_FORMAT}")

    def __enter__(self) -> Ratings:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written stays."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise PinchError(
                f"{self.path}: {error}", fix="name a job that polypinch rate make wrote"
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, disk_errors(self.path), self._errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _all(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with self._lock, self._errors():
            return self._db.execute(query, values).fetchall()

    def add(self, raters: Iterable[Rater], lists: Iterable[Assigned]) -> None:
        """Add raters and places of lists; those that are there stay as they are."""
        with self._writing() as db:
            db.executemany(
                "INSERT OR IGNORE INTO raters (name, language, adjudicates) VALUES (?, ?, ?)",
                [(one.name, one.language, one.adjudicates) for one in raters],
            )
            db.executemany(
                "INSERT OR IGNORE INTO lists VALUES (?, ?, ?, ?, ?)",
                [(one.rater, one.position, one.task, one.arm_first, one.repeat) for one in lists],
            )

    def raters(self) -> list[Rater]:
        """Return who rates, by name."""
        rows = self._all("SELECT name, language, adjudicates FROM raters ORDER BY name")
        return [Rater(str(name), str(language), bool(decides)) for name, language, decides in rows]

    def without_link(self) -> list[str]:
        """Return the raters who have no link yet."""
        return [
            str(name) for (name,) in self._all("SELECT name FROM raters WHERE link IS NULL ORDER BY name")
        ]

    def new_link(self, rater: str, days: float | None = None) -> str:
        """Give a rater a new secret, which alone opens their list, and return it; an older one is void.

        Only its SHA-256 is kept.

        Args:
            rater: whose.
            days: after which it is void; ``None`` for never.
        """
        secret = secrets.token_urlsafe(24)
        until = None if days is None else (datetime.now(UTC) + timedelta(days=days)).isoformat()
        with self._writing() as db:
            done = db.execute(
                "UPDATE raters SET link = ?, expires = ? WHERE name = ?", (_hash(secret), until, rater)
            )
            if not done.rowcount:
                raise PinchError(
                    f"no rater {rater!r} in {self.path.parent}", fix="polypinch rate report lists them"
                )
        return secret

    def forever(self) -> list[str]:
        """Return the raters whose link never expires."""
        rows = self._all("SELECT name FROM raters WHERE link IS NOT NULL AND expires IS NULL ORDER BY name")
        return [str(name) for (name,) in rows]

    def rater_of(self, secret: str) -> Rater | None:
        """Return whose link it is; ``None`` where it is nobody's, or void."""
        rows = self._all(
            "SELECT name, language, adjudicates, expires FROM raters WHERE link = ?", (_hash(secret),)
        )
        for name, language, decides, expires in rows:
            if expires is None or datetime.fromisoformat(str(expires)) > datetime.now(UTC):
                return Rater(str(name), str(language), bool(decides))
        return None

    def lists(self) -> list[Assigned]:
        """Return every place of every list, in order."""
        rows = self._all(
            "SELECT rater, position, task, arm_first, repeat FROM lists ORDER BY rater, position"
        )
        return [_assigned(row) for row in rows]

    def next(self, rater: str) -> Assigned | None:
        """Return the first place of a rater's list that they have not rated; ``None`` at the end."""
        rows = self._all(
            "SELECT rater, position, task, arm_first, repeat FROM lists WHERE rater = ? AND position NOT IN"
            " (SELECT position FROM ratings WHERE rater = ?) ORDER BY position LIMIT 1",
            (rater, rater),
        )
        return _assigned(rows[0]) if rows else None

    def place(self, rater: str, position: int) -> Assigned | None:
        """Return a place of a rater's list, or ``None`` where they have none such."""
        rows = self._all(
            "SELECT rater, position, task, arm_first, repeat FROM lists WHERE rater = ? AND position = ?",
            (rater, position),
        )
        return _assigned(rows[0]) if rows else None

    def progress(self, rater: str) -> tuple[int, int]:
        """Return how many places a rater has rated, and how many there are."""
        done = self._all("SELECT count(*) FROM ratings WHERE rater = ?", (rater,))
        places = self._all("SELECT count(*) FROM lists WHERE rater = ?", (rater,))
        return int(str(done[0][0])), int(str(places[0][0]))

    def put(self, rating: Rating) -> bool:
        """Keep a rating, and return whether it is kept now that was not before.

        A form that was sent before changes nothing, nor does one for a place that is rated, nor one that was
        taken back.

        Raises:
            PinchError: there is no such place, or the disk is full.
        """
        time = rating.time or datetime.now(UTC).isoformat(timespec="seconds")
        with self._writing() as db:
            if db.execute("SELECT 1 FROM taken_back WHERE form = ?", (rating.form,)).fetchone():
                return False
            done = db.execute(
                "INSERT INTO ratings VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    rating.rater,
                    rating.position,
                    rating.choice,
                    json.dumps(rating.flags),
                    rating.comment,
                    rating.seconds,
                    time,
                    rating.form or secrets.token_urlsafe(12),
                ),
            )
            return bool(done.rowcount)

    def last(self, rater: str) -> Rating | None:
        """Return what a rater said last; ``None`` at the beginning."""
        rows = self._all(f"{_SELECT} WHERE rater = ? ORDER BY rowid DESC LIMIT 1", (rater,))
        return _rating(rows[0]) if rows else None

    def take_back(self, rater: str, form: str) -> bool:
        """Take back the rating of one form, if it is the rater's last; return whether anything changed."""
        with self._writing() as db:
            last = db.execute(f"{_SELECT} WHERE rater = ? ORDER BY rowid DESC LIMIT 1", (rater,))
            row = last.fetchone()
            if row is None or _rating(row).form != form:
                return False
            db.execute(
                "INSERT INTO taken_back SELECT form, rater, position, choice, seconds, time FROM ratings"
                " WHERE form = ?",
                (form,),
            )
            db.execute("DELETE FROM ratings WHERE form = ?", (form,))
            return True

    def ratings(self) -> list[Rating]:
        """Return every rating, by rater and place."""
        return [_rating(row) for row in self._all(f"{_SELECT} ORDER BY rater, position")]


_SELECT = "SELECT rater, position, choice, flags, comment, seconds, time, form FROM ratings"


def _rating(row: Sequence[object]) -> Rating:
    rater, position, choice, flags, comment, seconds, time, form = row
    return Rating(
        str(rater),
        int(str(position)),
        str(choice),
        tuple(json.loads(str(flags))),
        str(comment),
        None if seconds is None else float(str(seconds)),
        str(time),
        str(form),
    )


def _assigned(row: Sequence[object]) -> Assigned:
    rater, position, task, arm_first, repeat = row
    first = None if arm_first is None else bool(arm_first)
    return Assigned(str(rater), int(str(position)), str(task), first, bool(repeat))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
