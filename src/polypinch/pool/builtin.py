"""The built-in pools: items written for this project, parallel in the paper's twelve languages and in others.

``pinch12`` is the twelve; ``pinch25`` is the same items in these and more, and grows towards twenty-five.

Its first version can be opened by name too (``pinch12@1``), so that a study of it can be run again and
shares the work that was done on it: rows, order and fingerprint are as they were. Of what changed since, the
package holds the old texts alone.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.json as pj

from polypinch.languages import PAPER_LANGUAGES
from polypinch.pool.pool import Pool
from polypinch.pool.table import MESSAGES, POOL_SCHEMA

PINCH12 = "pinch12"
PINCH12_FIRST = "pinch12@1"
PINCH25 = "pinch25"
BUILTIN = (PINCH12, PINCH12_FIRST, PINCH25)
WIDER_LANGUAGES = ("de", "fr", "hr", "id", "ja", "ko", "pl", "pt", "sk", "sr", "tr", "vi")
"""Those that ``pinch25`` has so far beside the paper's twelve."""
LICENCE = "CC0-1.0"
FIELDS = ("item_id", "split", "domain", "task", "instruction", "response")
FIRST_ITEMS = 200
"""The items of the first version lead each language's file."""
_REPLACED = "version1.jsonl.xz"
_ROW = pa.schema([(name, pa.string()) for name in FIELDS])


@lru_cache(maxsize=len(BUILTIN))
def _read(name: str) -> tuple[pa.Table, str]:
    """Return all rows with their language, and the SHA-256 of the files in the order of the languages."""
    digest, tables = hashlib.sha256(), []
    options = pj.ParseOptions(explicit_schema=_ROW, unexpected_field_behavior="error")
    with as_file(files("polypinch.pool")) as folder:
        replaced = _replaced(folder / PINCH12 / _REPLACED) if name == PINCH12_FIRST else {}
        paths = [(tag, folder / PINCH12 / f"{tag}.jsonl") for tag in PAPER_LANGUAGES]
        if name == PINCH25:
            paths += [(tag, folder / PINCH25 / f"{tag}.jsonl") for tag in WIDER_LANGUAGES]
        for tag, path in paths:
            data = path.read_bytes()
            if name == PINCH12_FIRST:
                data = _first(data, replaced[tag])
            digest.update(tag.encode() + b"\0" + data)
            rows = pj.read_json(pa.BufferReader(data), parse_options=options)
            tables.append(rows.append_column("language", pa.repeat(pa.scalar(tag), rows.num_rows)))
    return pa.concat_tables(tables).combine_chunks(), digest.hexdigest()


def _replaced(path: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Read the texts that later versions replaced: by language and item, the fields as they were."""
    texts: dict[str, dict[str, dict[str, str]]] = {tag: {} for tag in PAPER_LANGUAGES}
    for line in lzma.decompress(path.read_bytes()).decode().splitlines():
        row = json.loads(line)
        texts[row.pop("language")][row.pop("item_id")] = row
    return texts


def _first(data: bytes, replaced: dict[str, dict[str, str]]) -> bytes:
    """Return a language's file as the first version had it."""
    rows = [json.loads(line) for line in data.decode().splitlines()[:FIRST_ITEMS]]
    lines = [json.dumps(row | replaced.get(row["item_id"], {}), ensure_ascii=False) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode()


def pinch12_items(name: str = PINCH12) -> pa.Table:
    """Return what every item of a built-in pool is, a row each: item_id, split, domain, task and stratum.

    The stratum tells held-out items apart, and is null for items to train on: ``first`` were there in the
    first version; of the later ones, ``known`` are of a task that is trained on, and ``unseen`` are not.
    """
    rows = _read(name)[0]
    items = rows.filter(pc.equal(rows["language"], "en")).select(["item_id", "split", "domain", "task"])
    held = pc.equal(items["split"], "heldout")
    trained = pc.unique(items.filter(pc.invert(held))["task"])
    first = pa.array([place < FIRST_ITEMS for place in range(items.num_rows)])
    later = pc.if_else(pc.is_in(items["task"], value_set=trained), "known", "unseen")
    stratum = pc.if_else(held, pc.if_else(first, "first", later), pa.scalar(None, pa.string()))
    return items.append_column("stratum", stratum)


def pinch12(name: str = PINCH12) -> Pool:
    """Open a built-in pool by name; the fingerprint is of its files' bytes."""
    rows, digest = _read(name)
    table = pa.table(
        {
            "item_id": rows["item_id"],
            "language": rows["language"],
            "messages": pa.chunked_array([_turns(rows)]),
            "source": pa.repeat(pa.scalar(PINCH25 if name == PINCH25 else PINCH12), rows.num_rows),
            "licence": pa.repeat(pa.scalar(LICENCE), rows.num_rows),
            "origin": pc.if_else(pc.equal(rows["language"], "en"), "model", "translated"),
            "split": rows["split"],
        },
        schema=POOL_SCHEMA,
    )
    return Pool(ds.dataset(table), name, digest)


def _turns(rows: pa.Table) -> pa.ListArray:
    """Interleave instructions and responses into two-turn conversations."""
    count = rows.num_rows
    texts = pa.concat_arrays([rows["instruction"].combine_chunks(), rows["response"].combine_chunks()])
    interleaved = pa.array([half * count + row for row in range(count) for half in (0, 1)], pa.int32())
    roles = pa.array(["user", "assistant"] * count)
    turns = pa.StructArray.from_arrays([roles, texts.take(interleaved)], names=["role", "content"])
    offsets = pa.array(range(0, 2 * count + 1, 2), pa.int32())
    return pa.ListArray.from_arrays(offsets, turns).cast(MESSAGES)
