"""Opening a pool by name or path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.pool.builtin import BUILTIN, PINCH12, PINCH25, pinch12
from polypinch.pool.pool import Pool


def open_pool(name_or_path: str | Sequence[str]) -> Pool:
    """Open a built-in pool, a Parquet file or folder that ``polypinch pool import`` made, or several as one.

    Built in are ``pinch12`` and, of more languages, ``pinch25``;
    ``pinch12@1`` is ``pinch12`` as it first was.

    Raises:
        PinchError: it is neither; the message says how to make a pool of it. Or ids of several clash.
    """
    if not isinstance(name_or_path, str):
        return Pool.joined([open_pool(name) for name in name_or_path])
    if name_or_path in BUILTIN:
        return pinch12(name_or_path)
    path = Path(name_or_path)
    has_parquet = (
        any(path.glob("*.parquet")) if path.is_dir() else path.suffix == ".parquet" and path.is_file()
    )
    if has_parquet:
        return Pool.from_parquet(path)
    if path.is_dir():
        raise PinchError(f"{path} holds no Parquet file", fix="give the pool's file, or the folder it is in")
    if path.exists():
        raise PinchError(
            f"{path} is not a pool: that is a Parquet file",
            fix=f"polypinch pool import {path} --language TAG --out POOL.parquet",
        )
    raise PinchError(
        f"no pool {name_or_path!r}: neither {PINCH12}, {PINCH25} nor a file or folder",
        fix="give a path, or import one from the Hub: polypinch pool import hub:NAME --out POOL.parquet",
    )
