"""A store that stands elsewhere: at S3, or wherever else fsspec reaches, with a verified copy here.

An object store renames no folder. So an artifact is made here, its files go up under a name that nobody else
uses, and a marker that names them goes up last, by a write that is refused where one stands already: the
first of two writers wins, and the other takes what the first made. Everything is read from the copy here.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import urlsplit

import fsspec

from polypinch.errors import PinchError
from polypinch.files import DONE, damage, disk_errors, read_json, sync, write_json
from polypinch.locks import Busy, Holder, beating, locked, unique
from polypinch.progress import say
from polypinch.study.artifacts import Kind
from polypinch.study.store import Damaged, Stage, State, Store

_FRESH_S = 2.0
_LEDGERS = ".budget-"
_BUCKETS = {"s3", "s3a", "gs", "gcs", "abfs", "az"}


def is_elsewhere(where: str) -> bool:
    """Tell whether a store's name is an address and not a folder."""
    return "://" in where


def open_store(where: str, copy: Path) -> Store:
    """Return the store of a name.

    Args:
        where: a folder, or an address that fsspec knows, such as ``s3://bucket/studies``.
        copy: the folder for the verified copy of a store that stands elsewhere.

    Raises:
        PinchError: what reaches such an address is not installed, or it holds a password.
    """
    return StoreElsewhere(where, copy) if is_elsewhere(where) else Store(Path(where))


class Bucket:
    """Files at an address."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if "@" in parts.netloc:
            raise PinchError(
                f"the store's address {parts.scheme}://… holds a name or a password",
                fix="keys come from the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        try:
            self._files, path = fsspec.url_to_fs(address, use_listings_cache=False)
        except ImportError as error:
            name = "s3" if parts.scheme in ("s3", "s3a") else parts.scheme
            how = 'pip install "polypinch[s3]"' if name == "s3" else str(error)
            raise PinchError(f"{name}:// cannot be reached: a package is missing", fix=how) from error
        except ValueError as error:
            raise PinchError(f"no store at {address}: {error}", fix="such as s3://bucket/studies") from error
        self.address, self._root = address, str(path).rstrip("/")
        named = self._files.protocol
        self._protocols = (named,) if isinstance(named, str) else tuple(named)

    def path(self, *names: str) -> str:
        """Return where a file stands, as fsspec names it."""
        return "/".join((self._root, *names))

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Turn what goes wrong on the way into an error that names the store."""
        try:
            yield
        except (PinchError, FileExistsError, FileNotFoundError):
            raise
        except Exception as error:  # each backend has errors of its own
            first = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
            raise PinchError(
                f"the store {self.address} cannot be reached or written: {first}",
                fix="look at the address, the keys and their rights; finished work is kept, run again",
            ) from error

    def _folder(self, path: str) -> None:
        """Make the folder of a file, where there are folders: to an object store it would be a bucket."""
        if not _BUCKETS & set(self._protocols):
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)

    def names(self, folder: str) -> set[str]:
        """Return the names in a folder; none where it does not stand."""
        with self.reached():
            self._files.invalidate_cache()
            try:
                paths = self._files.ls(self.path(folder), detail=False)
            except FileNotFoundError:
                return set()
        return {str(path).rpartition("/")[2] for path in paths}

    def read(self, *names: str) -> Any:
        """Return a JSON file's content; ``None`` where there is none."""
        with self.reached():
            try:
                return json.loads(self._files.cat_file(self.path(*names)))
            except (FileNotFoundError, ValueError):
                return None

    def write(self, value: Any, *names: str, new: bool = False) -> bool:
        """Write a JSON file; return whether it was written: a ``new`` one is not where one stands."""
        path, data = self.path(*names), json.dumps(value).encode()
        with self.reached():
            self._folder(path)
            try:
                self._files.pipe_file(path, data, mode="create" if new else "overwrite")
            except FileExistsError:
                return False
        return True

    def remove(self, *names: str) -> None:
        """Remove a file, if it is there."""
        with self.reached(), suppress(FileNotFoundError):
            self._files.rm_file(self.path(*names))

    def send(self, directory: Path, *names: str) -> None:
        """Send a directory's files."""
        with self.reached():
            for file in sorted(path for path in directory.rglob("*") if path.is_file()):
                there = self.path(*names, *file.relative_to(directory).parts)
                self._folder(there)
                self._files.put_file(str(file), there)

    def fetch(self, files: Iterable[str], directory: Path, *names: str) -> None:
        """Fetch files of a folder into a directory.

        Raises:
            FileNotFoundError: one is not there.
        """
        with self.reached():
            for name in files:
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                self._files.get_file(self.path(*names, *name.split("/")), str(directory / name))


class StoreElsewhere(Store):
    """Artifacts at an address, shared by all who name it; ``root`` is the copy here.

    A step's claim there keeps two machines from making one thing. It excludes as far as the address refuses
    to overwrite (S3 does); where it does not, two may make the same, which is harmless.
    """

    def __init__(self, address: str, copy: Path) -> None:
        super().__init__(copy)
        self.address = address
        self._seen: dict[str, tuple[float, dict[str, str]]] = {}

    def __str__(self) -> str:
        return self.address

    @cached_property
    def bucket(self) -> Bucket:
        """What stands there; a copy that is whole is read without it."""
        return Bucket(self.address)

    def _markers(self, kind: str, *, now: bool = False) -> dict[str, str]:
        """Return the markers of a kind by the end of their fingerprints."""
        known = self._seen.get(kind)
        if now or known is None or time.monotonic() - known[0] > _FRESH_S:
            names = (name for name in self.bucket.names(kind) if name.endswith(".json") and name[0] != ".")
            by_mark = {name.removesuffix(".json").rpartition("-")[2]: name for name in names}
            known = self._seen[kind] = (time.monotonic(), by_mark)
        return known[1]

    def state(self, stage: Stage) -> State:
        """Return how far a step is, here and there."""
        here = super().state(stage)
        if here in (State.DONE, State.DAMAGED) or self.mark(stage) not in self._markers(stage.kind):
            return here
        return State.DONE

    def make(self, stage: Stage) -> bool:
        """Make a stage's artifact unless it is there, and send it; see :meth:`Store.make`."""
        if self.state(stage) is State.DONE:
            return False
        with self._claimed(stage, self.mark(stage)):
            if self.mark(stage) in self._markers(stage.kind, now=True):
                if super().state(stage) is State.DAMAGED:
                    self.discard(self.path(stage), "it is damaged here, and whole elsewhere")
                return False
            with self._within_budget(stage):
                super().make(stage)
            self._send(stage)
        return True

    def share(self, stages: Iterable[Stage]) -> None:
        """Send what was made here before, or was not sent to its end."""
        for stage in stages:
            if super().state(stage) is State.DONE and self.mark(stage) not in self._markers(stage.kind):
                self._send(stage)

    def verified(self, stage: Stage) -> Path:
        """Return the directory of a finished stage here, fetched if it is not; see :meth:`Store.verified`."""
        if not self.path(stage).is_dir():
            self._fetch(stage)
        return super().verified(stage)

    def mend(self, damaged: Damaged) -> None:
        """Set a damaged copy aside: it is fetched again."""
        if damaged.path.is_dir():
            super().mend(damaged)

    def _send(self, stage: Stage) -> None:
        own, final = secrets.token_hex(8), self.path(stage)
        self.bucket.send(final, stage.kind, "data", own)
        marker = {"data": own, "done": read_json(final / DONE)}
        name = f"{stage.name}-{self.mark(stage)}.json"
        if not self.bucket.write(marker, stage.kind, name, new=True):
            # Somebody was first: theirs is everybody's.
            self._drop(final)
        self._seen.pop(stage.kind, None)

    def _fetch(self, stage: Stage) -> None:
        name = self._markers(stage.kind).get(self.mark(stage))
        if name is None:
            return
        folder = self.root / stage.kind
        final = folder / f"{stage.name}-{self.mark(stage)}"
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            coming = folder / unique(f"coming-{self.mark(stage)}")
            coming.mkdir()
            why = self._bring(stage, name, coming)
            if why is None:
                self._name(stage, final.name)
                with suppress(OSError):  # another process here was quicker
                    coming.rename(final)
                    sync(folder)
            if coming.exists():
                rmtree(coming)
        if why is not None:
            self.bucket.remove(stage.kind, name)
            self._seen.pop(stage.kind, None)
            say(f"{self.address}: {stage.kind} {stage.name}: {why}; it is made again")
            raise Damaged(stage, final, why)

    def _bring(self, stage: Stage, name: str, coming: Path) -> str | None:
        """Fetch what a marker names into a directory, and return what is wrong with it, or ``None``."""
        marker = self.bucket.read(stage.kind, name)
        try:
            files = [*map(str, marker["done"]["files"]), DONE]
            self._refuse_outside(files, coming)
            self.bucket.fetch(files, coming, stage.kind, "data", str(marker["data"]))
        except (FileNotFoundError, KeyError, TypeError) as error:
            return f"not all of it is there ({error})"
        return damage(coming, stage.fingerprint, hashes=True)

    @staticmethod
    def _refuse_outside(files: Iterable[str], directory: Path) -> None:
        for name in files:
            if not (directory / name).resolve().is_relative_to(directory.resolve()):
                raise KeyError(name)

    def _drop(self, path: Path) -> None:
        gone = path.with_name(unique(path.name))
        path.rename(gone)
        rmtree(gone)
        self._verified.discard(path)
        self._listings.clear()

    @contextmanager
    def _claimed(self, stage: Stage, mark: str) -> Iterator[None]:
        """Hold a claim that others see, renewed while the work goes on."""
        name, own = f".claim-{mark}.json", secrets.token_hex(8)

        def claim() -> dict[str, Any]:
            return {"holder": asdict(Holder.here()), "at": time.time(), "own": own}

        if not self.bucket.write(claim(), stage.kind, name, new=True):
            there = _claimant(self.bucket.read(stage.kind, name))
            if there is not None:
                raise Busy(Path(stage.kind) / stage.name, there)
            self.bucket.write(claim(), stage.kind, name)
        try:
            with beating(lambda: self.bucket.write(claim(), stage.kind, name)):
                yield
        finally:
            if (self.bucket.read(stage.kind, name) or {}).get("own") == own:
                self.bucket.remove(stage.kind, name)

    @contextmanager
    def _within_budget(self, stage: Stage) -> Iterator[None]:
        """Where a budget is shared, let one machine at a time spend of it, knowing what others spent."""
        if not stage.about.get("budget"):
            yield
            return
        with self._claimed(stage, f"{stage.kind}-budget"):
            self._take_ledgers(stage.kind)
            try:
                yield
            finally:
                self._send_ledgers(stage.kind)

    def _take_ledgers(self, kind: Kind) -> None:
        """Bring what others have spent: of each step the larger of the two sums."""
        folder = self.root / kind
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.bucket.names(kind):
            if name.startswith(_LEDGERS):
                with locked(folder / f".lock-elsewhere{name}", folder / name):
                    here = read_json(folder / name) if (folder / name).is_file() else {}
                    there = self.bucket.read(kind, name) or {}
                    steps = {**here, **there}
                    both = {step: max(here.get(step, 0.0), there.get(step, 0.0)) for step in steps}
                    write_json(folder / name, both)

    def _send_ledgers(self, kind: Kind) -> None:
        for ledger in (self.root / kind).glob(f"{_LEDGERS}*.json"):
            self.bucket.write(read_json(ledger), kind, ledger.name)


def _claimant(claim: Any) -> Holder | None:
    """Return who holds a claim; ``None`` where whoever did is dead, or it is none."""
    try:
        there, age_s = Holder(**claim["holder"]), time.time() - float(claim["at"])
    except (TypeError, KeyError, ValueError):
        return None
    return there if there.runs(age_s) else None
