"""Writing so that a kill at any moment leaves nothing half-done that looks finished."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polypinch.errors import PinchError
from polypinch.locks import Holder, locked, unique
from polypinch.progress import say

SPEC, DONE = "spec.json", "done.json"
PACKAGES = ("polypinch", "torch", "transformers", "peft", "datasets", "py3langid", "sacrebleu", "numpy")
"""Whose versions an artifact names, beside Python's."""


def canonical_json(value: Any) -> str:
    """Return the one JSON text that stands for ``value``: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def fingerprint(value: Any) -> str:
    """Return the SHA-256 (64 hex digits) of a JSON-able value's canonical text."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 (64 hex digits) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_NEARLY_FULL = 64 * 1024


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a forbidden folder into a :class:`PinchError` that names ``path``."""
    try:
        yield
    except PinchError:
        raise
    except Exception as error:
        # Libraries that write for us (safetensors, torch, Arrow) raise errors of their own, and may keep
        # neither the number nor the words of the system's.
        number, text = getattr(error, "errno", None), str(error)
        if number in (errno.ENOSPC, errno.EDQUOT) or "No space left" in text or _is_full(path):
            raise PinchError(
                f"the disk is full: could not write {path}",
                fix="free space or choose another folder, then run the same command: finished work is kept",
            ) from error
        if number in (errno.EACCES, errno.EPERM, errno.EROFS) or "Permission denied" in text:
            raise PinchError(
                f"no permission to write {path}", fix="choose a folder that you may write to"
            ) from error
        raise


def _is_full(path: Path) -> bool:
    there = next((folder for folder in (path, *path.parents) if folder.exists()), None)
    return there is not None and shutil.disk_usage(there).free < _NEARLY_FULL


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all (written beside, synced, renamed).

    Raises:
        PinchError: the disk is full or the folder may not be written to.
    """
    beside = path.with_name(unique(path.name))
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all; see :func:`write_bytes`."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON whole or not at all; see :func:`write_bytes`."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False) + "\n")


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whole or not at all; see :func:`write_bytes`."""
    beside = path.with_name(unique(path.name))
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            pq.write_table(table, beside, compression="zstd")
            sync(beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def read_table(path: Path) -> pa.Table:
    """Read a Parquet file.

    Raises:
        PinchError: it is missing or not Parquet.
    """
    try:
        return pq.read_table(path)
    except FileNotFoundError as error:
        raise PinchError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError) as error:  # damaged columns are either
        raise PinchError(f"{path}: not a Parquet file ({error})") from error


def read_json(path: Path) -> Any:
    """Read a UTF-8 JSON file.

    Raises:
        PinchError: it is missing, not UTF-8 or not JSON.
    """
    try:
        return parse_json(read_bytes(path))
    except ValueError as error:
        raise PinchError(f"{path}: not UTF-8 JSON ({error})") from error


def read_bytes(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        PinchError: it is missing, no file, or may not be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PinchError(f"{path}: no such file") from error
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise PinchError(f"{path}: cannot be read ({said})", fix="name a file that you may read") from error


def parse_json(content: str | bytes) -> Any:
    """Return what JSON says.

    Raises:
        ValueError: it is none, is not UTF-8, or lies deeper than we read; never another error.
    """
    try:
        return json.loads(content if isinstance(content, str) else content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("its values lie too deep in one another") from error


def is_done(directory: Path) -> bool:
    """Tell whether a directory is a finished artifact."""
    return (directory / DONE).is_file()


def partial(final: Path) -> Path:
    """Return the directory beside ``final`` in which :func:`artifact` lets it be made."""
    return final.with_name(f".partial-{final.name}")


def damage(directory: Path, mark: str | None = None, *, hashes: bool = False) -> str | None:
    """Return what is wrong with a finished artifact, or ``None``.

    Args:
        directory: the artifact.
        mark: the fingerprint that it must have.
        hashes: compare the files' content too, not their sizes alone.
    """
    try:
        done = read_json(directory / DONE)
        listed = {str(name): (int(of["size"]), str(of["sha256"])) for name, of in done["files"].items()}
        own = str(done["fingerprint"])
    except PinchError as error:
        return error.message
    except (KeyError, TypeError, ValueError, AttributeError):
        return f"{directory / DONE} does not list the files"
    if mark not in (None, own):
        return f"it is another artifact, {own[:12]}"
    wrong = (
        _file_damage(directory, name, size, sha256 if hashes else None)
        for name, (size, sha256) in listed.items()
    )
    return next((why for why in wrong if why is not None), None)


def _file_damage(directory: Path, name: str, size: int, sha256: str | None) -> str | None:
    path = directory / name
    try:
        there = path.stat().st_size
        if there != size:
            return f"{name} has {there:,} bytes, not the {size:,} that it was made with"
        if sha256 is not None and file_sha256(path) != sha256:
            return f"{name} was changed after it was made"
    except OSError:
        return f"{name} is missing"
    return None


def set_aside(path: Path, why: str) -> Path:
    """Give a folder that cannot be used another name, say so, and return it."""
    mark = unique(path.name).rpartition(".")[2]
    there = path.with_name(f".aside-{path.name.removeprefix('.')}-{mark}")
    path.rename(there)
    say(f"{path}: {why}; it was set aside as {there.name} and is made again")
    return there


@contextmanager
def artifact(
    final: Path,
    spec: Mapping[str, Any],
    *,
    kind: str = "",
    overwrite: bool = False,
    used: Callable[[], Mapping[str, Any]] | None = None,
) -> Iterator[Path]:
    """Make an artifact directory: ``spec.json``, the data, and ``done.json`` last; then rename.

    The data is written into a directory beside ``final``. It outlives a kill, so a step that keeps
    its own progress there (tuning checkpoints, answered shards) resumes from it; one that was begun with
    another spec is set aside. A lock keeps a second process out.

    Args:
        final: where the finished artifact will stand.
        spec: the resolved spec, JSON-able.
        kind: what it is; only another of the same kind is overwritten.
        overwrite: replace a finished artifact; otherwise one that stands is an error.
        used: asked at the end for what it was made with (``device``, ``dtype``), for ``done.json``.

    Yields:
        The directory to write into.

    Raises:
        Busy: another process is making it.
        PinchError: something stands there, which may not be replaced, or it can't be written.
    """
    with disk_errors(final):
        _refuse_standing(final, kind, overwrite)
        final.parent.mkdir(parents=True, exist_ok=True)
        with locked(final.with_name(f".lock-{final.name}"), final):
            _refuse_standing(final, kind, overwrite)
            with making(final, partial(final), spec, kind=kind, used=used) as directory:
                yield directory


@contextmanager
def making(
    final: Path,
    beside: Path,
    spec: Mapping[str, Any],
    *,
    kind: str = "",
    used: Callable[[], Mapping[str, Any]] | None = None,
) -> Iterator[Path]:
    """Make an artifact as :func:`artifact` does, for who holds its lock and knows that it may stand there."""
    started, clock = datetime.now(UTC), time.monotonic()
    written = json.loads(canonical_json(dict(spec)))
    if beside.exists() and not _is_of(beside, written):
        set_aside(beside, "it was begun with other settings")
    beside.mkdir(exist_ok=True)
    write_json(beside / SPEC, written)
    yield beside
    files = {}
    for path in sorted(beside.rglob("*")):
        if path.is_file() and path != beside / DONE:
            sync(path)
            files[str(path.relative_to(beside))] = {"size": path.stat().st_size, "sha256": file_sha256(path)}
    here = Holder.here()
    done = {
        "fingerprint": fingerprint(written),
        "kind": kind,
        "files": files,
        "versions": versions(),
        **(used() if used is not None else {}),
        "host": here.host,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 2),
    }
    write_json(beside / DONE, done)
    replaced = final.with_name(unique(final.name))
    if final.exists() and any(final.iterdir()):
        final.rename(replaced)
    beside.rename(final)
    sync(final.parent)
    if replaced.exists():
        shutil.rmtree(replaced)


def _is_of(beside: Path, spec: dict[str, Any]) -> bool:
    try:
        return bool(read_json(beside / SPEC) == spec)
    except PinchError:
        return False


def _refuse_standing(final: Path, kind: str, overwrite: bool) -> None:
    """Refuse to replace what stands there, unless it is a whole artifact of the same kind and may go."""
    if not final.exists() or (final.is_dir() and not any(final.iterdir())):
        return
    if not overwrite:
        raise PinchError(f"{final} exists already", fix="choose another folder, or pass --overwrite")
    try:
        done = read_json(final / DONE)
        own, listed = done.get("kind", ""), {final / name for name in done.get("files", ())}
    except (PinchError, AttributeError, OSError) as error:
        raise PinchError(
            f"{final} is no folder that polypinch finished: it is not replaced", fix="choose another folder"
        ) from error
    if own != kind:
        what = own or "another kind of thing"
        raise PinchError(f"{final} holds {what}, not {kind}: it is not replaced", fix="choose another folder")
    others = sorted(path for path in final.rglob("*") if not path.is_dir() and path not in listed)
    others = [path for path in others if path != final / DONE]
    if others:
        raise PinchError(
            f"{final} holds {others[0].relative_to(final)}, which is not of what polypinch made there: the"
            " folder is not replaced",
            fix="move it away, or choose another folder",
        )


@cache
def versions() -> dict[str, str]:
    """Return the versions of what makes artifacts here."""
    known = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known
