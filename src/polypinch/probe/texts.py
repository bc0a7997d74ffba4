"""Parallel texts to probe a model with: a pool's items, or a file with one column for each language."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polypinch.errors import PinchError
from polypinch.files import file_sha256
from polypinch.languages import languages
from polypinch.pool import PINCH12, Pool, open_pool
from polypinch.reading import SUFFIXES, read_rows
from polypinch.seeded import ranks

ENGLISH = "en"


@dataclass(frozen=True)
class Texts:
    """The same contents in several languages.

    Attributes:
        name: where they are from.
        fingerprint: 64 hex digits of the whole they were chosen from.
        languages: English first, the others sorted.
        items: their ids, in the seeded order they were chosen in.
        texts: by (item, language); an item may lack a language, but not English.
    """

    name: str
    fingerprint: str
    languages: tuple[str, ...]
    items: tuple[str, ...]
    texts: dict[tuple[str, str], str]


def read_texts(where: str, items: int | None = None, only: list[str] | None = None) -> Texts:
    """Read parallel texts.

    Args:
        where: a pool (``pinch12``, a Parquet file or a folder of them), whose turns are joined to one text
            an item; or a CSV, TSV, JSON or JSON Lines file with a column for each language, named by tag.
        items: take so many, those in most languages first, in a seeded order; all by default.
        only: the languages; all by default. English always belongs to them.

    Raises:
        PinchError: there is no English, no other language, or no item in both.
    """
    chosen = languages([*only, *([] if ENGLISH in only else [ENGLISH])]) if only else None
    suffix = Path(where.removesuffix(".gz")).suffix.lower()
    if where != PINCH12 and suffix in SUFFIXES and suffix != ".parquet":
        texts = {key: text for key, text in _from_file(Path(where), chosen).items() if text.strip()}
        kept, tags = _choose(where, set(texts), items, chosen)
        name, digest = where, file_sha256(Path(where))
    else:
        pool = open_pool(where)
        rows = pool.select(["item_id", "language"], pc.field("language").isin(chosen) if chosen else None)
        keys = set(zip(rows["item_id"].to_pylist(), rows["language"].to_pylist(), strict=True))
        kept, tags = _choose(pool.name, keys, items, chosen)
        name, digest, texts = pool.name, pool.fingerprint, _from_pool(pool, kept, tags)
    held = set(kept)
    clean = {
        key: unicodedata.normalize("NFC", text.strip())
        for key, text in texts.items()
        if key[0] in held and key[1] in tags
    }
    return Texts(name, digest, tags, kept, clean)


def _from_pool(pool: Pool, items: tuple[str, ...], tags: tuple[str, ...]) -> dict[tuple[str, str], str]:
    where = pc.field("language").isin(tags) & pc.field("item_id").isin(pa.array(items, pa.string()))
    texts: dict[tuple[str, str], str] = {}
    for batch in pool.batches(["item_id", "language", "messages"], where):
        for row in batch.to_pylist():
            text = "\n\n".join(message["content"] for message in row["messages"])
            texts.setdefault((row["item_id"], row["language"]), text)
    return texts


def _from_file(path: Path, only: list[str] | None) -> dict[tuple[str, str], str]:
    texts: dict[tuple[str, str], str] = {}
    tags: dict[str, str] | None = None
    for chunk in read_rows(str(path)):
        for number, row in chunk.rows:
            if tags is None:
                tags = _columns(path, list(row), only)
            for column, tag in tags.items():
                text = row.get(column)
                if text is not None and not isinstance(text, str):
                    raise PinchError(f"{path}: row {number}: {column} is a {type(text).__name__}, not a text")
                texts[str(number), tag] = text or ""
    return texts


def _columns(path: Path, names: list[str], only: list[str] | None) -> dict[str, str]:
    """Return each language column's tag; without ``only`` every column but ``item_id`` has to be one."""
    found = {}
    for name in names:
        try:
            tag = languages([name])[0]
        except PinchError as error:
            if only or name == "item_id":
                continue
            raise PinchError(
                f"{path}: column {name!r} is no language",
                fix="name columns by tag (en, fi, sw), or say which are languages: --languages en,fi,sw",
            ) from error
        if only is None or tag in only:
            found[name] = tag
    languages(list(found.values()))
    missing = sorted(set(only or ()) - set(found.values()))
    if missing:
        raise PinchError(f"{path}: no column for {', '.join(missing)}", fix="name columns by tag: en, fi, sw")
    return found


def _choose(
    name: str, keys: set[tuple[str, str]], items: int | None, only: list[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the items to take, all of them in English, and the languages they are in, English first."""
    counts = dict.fromkeys(sorted(item for item, tag in keys if tag == ENGLISH), 0)
    for item, _ in keys:
        if item in counts:
            counts[item] += 1
    ids = list(counts)
    seeded = ranks(pa.array(ids, pa.string()), 0, "probe")
    order = np.lexsort((seeded, np.array([-counts[item] for item in ids])))
    kept = tuple(ids[index] for index in order.tolist())[:items]
    held = set(kept)
    tags = sorted({tag for item, tag in keys if item in held} - {ENGLISH})
    lacking = sorted(set(only or ()) - {ENGLISH, *tags})
    if not tags or lacking:
        has = ", ".join(sorted({tag for _, tag in keys}))
        raise PinchError(
            f"{name}: no text in {', '.join(lacking) or 'another language'} beside the same in English"
            f" (it has {has or 'none'})",
            fix="a probe needs parallel texts, English among them: --text pinch12 has twelve languages",
        )
    return kept, (ENGLISH, *tags)
