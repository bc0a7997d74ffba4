"""The store: one directory per artifact, named by what it was made of."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.files import (
    DONE,
    canonical_json,
    damage,
    disk_errors,
    fingerprint,
    making,
    read_json,
    set_aside,
)
from polypinch.locks import Holder, holder, locked, unique
from polypinch.study.artifacts import TABLES, JsonFile, Kind

FORMAT = 3
"""Raised when the same spec would make different data, so that old artifacts are not taken for new."""

_MARK = 12


@dataclass(frozen=True, eq=False)
class Stage:
    """One artifact to be made; see :meth:`of`.

    Attributes:
        kind: of the artifact.
        name: readable; the fingerprint makes it unique.
        fingerprint: 64 hex digits: the same for the same work, in whatever study.
        needs: the stages whose artifacts it reads.
        about: facts for the reader (arm, model, seed) that its content does not depend on.
        resolved: the spec with the fingerprints of what it needs.
        work: writes the data into a directory; ``None`` in a study that is only read.
        used: returns what it is made with here (``device``, ``dtype``), for ``done.json``.
    """

    kind: Kind
    name: str
    fingerprint: str
    needs: tuple[Stage, ...]
    about: Mapping[str, Any]
    resolved: Mapping[str, Any] = field(default_factory=dict, repr=False)
    work: Callable[[Path], None] | None = field(default=None, repr=False)
    used: Callable[[], Mapping[str, Any]] | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        kind: Kind,
        name: str,
        spec: Mapping[str, Any],
        needs: tuple[Stage, ...],
        work: Callable[[Path], None],
        about: Mapping[str, Any],
        used: Callable[[], Mapping[str, Any]] | None = None,
    ) -> Stage:
        """Return a stage, named by its content.

        Args:
            kind: of the artifact.
            name: readable.
            spec: all that its content depends on, JSON-able, fingerprints of outside inputs included. It
                holds what was declared (``precision: auto``), not what a machine makes of it, so that every
                machine names a step alike.
            needs: the stages whose artifacts it reads.
            work: writes the data into a directory.
            about: facts for the reader.
            used: returns what it is made with here.
        """
        whole = {
            "format": FORMAT,
            "kind": kind.value,
            "spec": dict(spec),
            "needs": [stage.fingerprint for stage in needs],
        }
        resolved = json.loads(canonical_json(whole))
        return cls(kind, name, fingerprint(resolved), needs, about, resolved, work, used)


class State(StrEnum):
    """How far a step is."""

    DONE = "done"
    RUNNING = "running"
    BEGUN = "begun"
    DAMAGED = "damaged"
    TO_DO = "to do"


class Damaged(PinchError):  # noqa: N818  (a state of the store)
    """A finished step is not what it was when it was made."""

    def __init__(self, stage: Stage, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}", fix="polypinch run sets it aside and makes it again")
        self.stage, self.path, self.why = stage, path, why


class Store:
    """Artifacts under one folder, shared by every study that is given it, and by every process of one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listings: dict[str, dict[str, str]] = {}
        self._verified: set[Path] = set()

    def path(self, stage: Stage) -> Path:
        """Return where a stage's artifact stands, or will.

        The fingerprint decides, not the name: another arm or study may have made the same under its own.
        """
        mark = self.mark(stage)
        own = self.root / stage.kind / f"{stage.name}-{mark}"
        if own.is_dir():
            return own
        other = self._named(stage) or self._listing(stage.kind).get(mark)
        return own if other is None else self.root / stage.kind / other

    def _name(self, stage: Stage, name: str) -> None:
        """Say how a stage's artifact is named, before it stands: a kill leaves none that nobody finds."""
        file = self._beside(stage, "name")
        if not file.exists() or file.read_bytes() != name.encode():
            # Not waited for until it is on the disk: after a power cut the folder's list of names is enough.
            written = file.with_name(unique(file.name))
            written.write_bytes(name.encode())
            written.replace(file)

    def _named(self, stage: Stage) -> str | None:
        """Return the name that a stage's artifact was given, where it stands."""
        try:
            name = self._beside(stage, "name").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        plain = name and "/" not in name and not name.startswith(".")
        return name if plain and (self.root / stage.kind / name).is_dir() else None

    def __str__(self) -> str:
        return str(self.root)

    @staticmethod
    def mark(stage: Stage) -> str:
        """Return the end of the name of a stage's artifact: the beginning of its fingerprint."""
        return stage.fingerprint[:_MARK]

    def share(self, stages: Iterable[Stage]) -> None:
        """Let others have what was made here: nothing is to be done for that in a folder."""

    def _listing(self, kind: str) -> dict[str, str]:
        """Return the names of a kind's artifacts by the end of their fingerprints, as they were at first.

        What is made later is found by the file that names it; a folder of thousands is not listed for each.
        """
        if kind not in self._listings:
            try:
                names = [entry.name for entry in os.scandir(self.root / kind) if entry.name[0] != "."]
            except OSError:
                return {}
            self._listings[kind] = {name.rpartition("-")[2]: name for name in sorted(names, reverse=True)}
        return self._listings[kind]

    def _beside(self, stage: Stage, what: str) -> Path:
        return self.root / stage.kind / f".{what}-{self.mark(stage)}"

    def state(self, stage: Stage) -> State:
        """Return how far a step is; of finished files the sizes alone are compared."""
        final = self.path(stage)
        if final.is_dir():
            return State.DONE if damage(final, stage.fingerprint) is None else State.DAMAGED
        if holder(self._beside(stage, "lock")) is not None:
            return State.RUNNING
        return State.BEGUN if self._beside(stage, "partial").exists() else State.TO_DO

    def holder(self, stage: Stage) -> Holder | None:
        """Return who is making a step now."""
        return holder(self._beside(stage, "lock"))

    def make(self, stage: Stage) -> bool:
        """Make a stage's artifact unless it is there; return whether there was work to do.

        One that is damaged, or not this stage's, is set aside and made again.

        Raises:
            Busy: another process is making it.
            Damaged: one that it needs is not what it was.
            PinchError: the work failed by the user's hand or the machine's; what it had done is kept.
        """
        if self.state(stage) is State.DONE:
            return False
        if stage.work is None:
            raise PinchError(f"{stage.kind} {stage.name} is not done", fix="polypinch run goes on from there")
        folder = self.root / stage.kind
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with locked(self._beside(stage, "lock"), folder / stage.name):
                final = self.path(stage)
                if final.exists():
                    why = damage(final, stage.fingerprint)
                    if why is None:
                        return False
                    self.discard(final, why)
                    final = self.path(stage)
                self._name(stage, final.name)
                beside = self._beside(stage, "partial")
                with making(final, beside, stage.resolved, kind=stage.kind, used=stage.used) as directory:
                    stage.work(directory)
        self._verified.add(final)
        return True

    def discard(self, path: Path, why: str) -> None:
        """Set an artifact aside."""
        set_aside(path, why)
        self._verified.discard(path)
        self._listings.clear()

    def mend(self, damaged: Damaged) -> None:
        """Set a damaged artifact aside, unless another process did so already.

        Raises:
            Busy: another process is at it.
        """
        with locked(self._beside(damaged.stage, "lock"), damaged.path):
            if damage(damaged.path, damaged.stage.fingerprint, hashes=True) is not None:
                self.discard(damaged.path, damaged.why)

    def verified(self, stage: Stage) -> Path:
        """Return the directory of a finished stage; its files are hashed when it is first asked for.

        Raises:
            Damaged: it is not what it was when it was made.
        """
        path = self.path(stage)
        if path not in self._verified:
            why = damage(path, stage.fingerprint, hashes=True)
            if why is not None:
                raise Damaged(stage, path, why)
            self._verified.add(path)
        return path

    def read(self, stage: Stage) -> pa.Table:
        """Return the table of a finished stage.

        Raises:
            Damaged: it is not what it was when it was made.
        """
        return TABLES[stage.kind].read(self.verified(stage))

    def read_json(self, stage: Stage, file: JsonFile) -> Any:
        """Return one of a finished stage's JSON files; ``None`` where it has none of that name.

        Raises:
            Damaged: it is not what it was when it was made.
        """
        directory = self.verified(stage)
        return file.read(directory) if (directory / file.name).is_file() else None

    def made(self, stage: Stage) -> dict[str, Any]:
        """Return what ``done.json`` says of a finished stage: versions, device, host, start and seconds."""
        return dict(read_json(self.verified(stage) / DONE))

    def verify(self, stages: Iterable[Stage]) -> list[Damaged]:
        """Hash every file of all finished stages, and return what is damaged."""
        wrong = []
        for stage in stages:
            if self.path(stage).is_dir():
                try:
                    self.verified(stage)
                except Damaged as error:
                    wrong.append(error)
        return wrong
