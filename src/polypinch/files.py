"""Writing so that a kill at any moment leaves nothing half-done that looks finished."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polypinch.errors import PinchError

SPEC, DONE = "spec.json", "done.json"


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


def _sync(path: Path) -> None:
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
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
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
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            pq.write_table(table, beside, compression="zstd")
            _sync(beside)
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
    except pa.ArrowInvalid as error:
        raise PinchError(f"{path}: not a Parquet file ({error})") from error


def read_json(path: Path) -> Any:
    """Read a UTF-8 JSON file.

    Raises:
        PinchError: it is missing, not UTF-8 or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PinchError(f"{path}: no such file") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise PinchError(f"{path}: not UTF-8 JSON ({error})") from error


def is_done(directory: Path) -> bool:
    """Tell whether a directory is a finished artifact."""
    return (directory / DONE).is_file()


def partial(final: Path) -> Path:
    """Return the directory beside ``final`` in which :func:`artifact` lets it be made."""
    return final.with_name(f".partial-{final.name}")


@contextmanager
def artifact(final: Path, spec: Mapping[str, Any], *, overwrite: bool = False) -> Iterator[Path]:
    """Make an artifact directory: ``spec.json``, the data, and ``done.json`` last; then rename.

    The data is written into a directory beside ``final``. It outlives a kill, so a step that keeps
    its own progress there (tuning checkpoints, answered shards) resumes from it; it is emptied when
    the spec differs from the one it was begun with. A lock keeps a second process out.

    Args:
        final: where the finished artifact will stand.
        spec: the resolved spec, JSON-able.
        overwrite: replace a finished artifact; otherwise one that stands is an error.

    Yields:
        The directory to write into.

    Raises:
        PinchError: it stands already, another process is making it, or it can't be written.
    """
    beside = partial(final)
    lock = final.with_name(f".lock-{final.name}")
    with disk_errors(final):
        if final.exists() and not overwrite and (is_done(final) or any(final.iterdir())):
            raise PinchError(f"{final} exists already", fix="choose another folder, or pass --overwrite")
        final.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise PinchError(
                    f"another process is making {final}", fix="wait for it, or stop it"
                ) from error
            written = json.loads(canonical_json(dict(spec)))
            if beside.exists() and (not (beside / SPEC).is_file() or read_json(beside / SPEC) != written):
                shutil.rmtree(beside)
            beside.mkdir(exist_ok=True)
            write_json(beside / SPEC, written)
            yield beside
            write_json(beside / DONE, {"fingerprint": fingerprint(written)})
            for path in beside.rglob("*"):
                if path.is_file():
                    _sync(path)
            if final.exists():
                shutil.rmtree(final)
            beside.rename(final)
            _sync(final.parent)
            lock.unlink(missing_ok=True)
