"""The rows that a season begins with, as a pool."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from polypinch.errors import PinchError
from polypinch.files import file_sha256, read_json, write_json, write_table
from polypinch.pool import POOL_SCHEMA, Pool, import_pool, open_pool
from polypinch.season.request import Request

ROWS, ASKED = "rows.parquet", "season.json"


@dataclass(frozen=True)
class Gathered:
    """The rows that a season begins with.

    Attributes:
        pool: the rows as a pool.
        path: its file.
        examples: training rows in the base language.
        notes: what the import has to tell.
    """

    pool: Pool
    path: Path
    examples: int
    notes: tuple[str, ...]


def gather_rows(asked: Request) -> Gathered:
    """Import the rows, once for each folder: later runs find them there.

    Rows read otherwise take their place as long as nothing was made of them.

    Raises:
        PinchError: they cannot be read, none is in the base language, or the folder is another season's.
    """
    path, record = asked.out / ROWS, asked.out / ASKED
    identity = _identity(asked)
    if record.exists() and (read_json(record)["rows"] == identity or _is_begun(asked.out)):
        if read_json(record)["rows"] != identity:
            raise PinchError(
                f"{asked.out} holds a season of other rows, or of these read otherwise",
                fix="choose another --out",
            )
        notes = tuple(read_json(record)["notes"])
    else:
        notes = _imported(asked, path)
        write_json(record, {"rows": identity, "notes": notes})
    pool = open_pool(str(path))
    examples = pool.split_languages().get("train", {}).get(asked.base, 0)
    if not examples:
        raise PinchError(
            f"{asked.rows} has no training rows in {asked.base!r}",
            fix="--language names the rows' own language",
        )
    return Gathered(pool, path, examples, notes)


def _is_begun(out: Path) -> bool:
    """Whether more is there than the rows and their record: something that may have been paid for."""
    return any(path.name not in (ROWS, ASKED) for path in out.iterdir())


def _identity(asked: Request) -> dict[str, Any]:
    path = Path(asked.rows)
    content = file_sha256(path) if path.is_file() else None
    return {"name": asked.rows, "sha256": content, "base": asked.base, "reading": _reading(asked)}


def _reading(asked: Request) -> dict[str, Any]:
    return {name: value for name, value in asdict(asked.reading).items() if value not in (None, (), [])}


def _imported(asked: Request, path: Path) -> tuple[str, ...]:
    asked.out.mkdir(parents=True, exist_ok=True)
    if _is_pool(asked.rows):
        pool = open_pool(asked.rows)
        kept = pool.select(where=pc.field("language").isin([asked.base, *asked.languages]))
        write_table(path, kept.cast(POOL_SCHEMA))
        return (f"{asked.rows} is a pool: {kept.num_rows:,} of its rows are in these languages",)
    done = import_pool([asked.rows], path, asked.reading, overwrite=True)
    bad = [f"left out, as they can't be used: {line}" for line in done.bad.by_reason()]
    return (*done.notes, *bad)


def _is_pool(name: str) -> bool:
    path = Path(name)
    if path.suffix != ".parquet" or not path.is_file():
        return path.is_dir() and any(path.glob("*.parquet")) and _is_pool(str(next(path.glob("*.parquet"))))
    return set(POOL_SCHEMA.names) <= set(pq.read_schema(path).names)
