"""The store: one directory per artifact, named by what it was made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from polypinch.files import artifact, canonical_json, fingerprint, is_done

FORMAT = 2
"""Raised when the same spec would make different data, so that old artifacts are not taken for new."""


@dataclass(frozen=True)
class Stage:
    """One artifact to be made.

    Attributes:
        kind: ``mixture``, ``tune``, ``loss``, ``answers``, ``fidelity``, ``task``, ``verdicts``.
        name: readable; the fingerprint makes it unique.
        spec: all that its content depends on, JSON-able, fingerprints of outside inputs included.
        needs: the stages whose artifacts it reads.
        work: writes the data into a directory.
        about: facts for the reader (arm, model, seed) that its content does not depend on.
    """

    kind: str
    name: str
    spec: dict[str, Any]
    needs: tuple[Stage, ...]
    work: Callable[[Path], None]
    about: dict[str, Any]

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The spec with the fingerprints of what it needs."""
        whole = {
            "format": FORMAT,
            "kind": self.kind,
            "spec": self.spec,
            "needs": [stage.fingerprint for stage in self.needs],
        }
        return dict(json.loads(canonical_json(whole)))

    @cached_property
    def fingerprint(self) -> str:
        """64 hex digits: the same for the same work, in whatever study."""
        return fingerprint(self.resolved)


class Store:
    """Artifacts under one folder, shared by every study that is given it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, stage: Stage) -> Path:
        """Return where a stage's artifact stands, or will.

        The fingerprint decides, not the name: another arm or study may have made the same under its own.
        """
        mark = stage.fingerprint[:12]
        made = sorted((self.root / stage.kind).glob(f"[!.]*-{mark}"))
        begun = sorted((self.root / stage.kind).glob(f".partial-*-{mark}"))
        if made:
            return made[0]
        if begun:
            return begun[0].with_name(begun[0].name.removeprefix(".partial-"))
        return self.root / stage.kind / f"{stage.name}-{mark}"

    def state(self, stage: Stage) -> str:
        """Return ``done``, ``begun`` (a kill or an error left a part of it) or ``to do``."""
        final = self.path(stage)
        if is_done(final):
            return "done"
        return "begun" if final.with_name(f".partial-{final.name}").exists() else "to do"

    def make(self, stage: Stage) -> bool:
        """Make a stage's artifact unless it is there; return whether there was work to do.

        Raises:
            PinchError: the work failed by the user's hand or the machine's; what it had done is kept.
        """
        final = self.path(stage)
        if is_done(final):
            return False
        with artifact(final, stage.resolved) as directory:
            stage.work(directory)
        return True
