"""What before and after are measured on: the built-in pool's held-out items, in every language asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.errors import PinchError
from polypinch.files import write_table
from polypinch.pool import PINCH25, POOL_SCHEMA, Pool, open_pool
from polypinch.seeded import ranks
from polypinch.translate import Translator, Wanted, translate_rows, wanted_of_pool

HELDOUT = "heldout.parquet"
_FEWEST = 4
_ENGLISH = "en"


def heldout_wanted(tags: Sequence[str], items: int) -> list[Wanted]:
    """Return the held-out rows that are to be translated: in languages that the built-in pool lacks.

    Args:
        tags: all languages that are evaluated, the base among them.
        items: how many items.
    """
    whole = _heldout()
    return wanted_of_pool(whole, _ENGLISH, [tag for tag in tags if tag not in whole.languages()], items)


def write_heldout(
    tags: Sequence[str],
    items: int,
    folder: Path,
    translator: Translator | None,
    max_cost: float | None = None,
) -> tuple[Path, tuple[str, ...]]:
    """Write the held-out items that are there in every language.

    Args:
        tags: all languages that are evaluated, the base among them.
        items: how many items at most.
        folder: to write to.
        translator: from English, for the languages that the built-in pool lacks.
        max_cost: dollars for that.

    Returns:
        The pool's file, and the languages that are there only in translation.

    Raises:
        PinchError: a language is lacking and nobody translates, or hardly an item came through.
    """
    whole = _heldout()
    wanted = heldout_wanted(tags, items)
    made = tuple(sorted({row.language for row in wanted}))
    tables = [whole.select(where=pc.field("language").isin(list(tags)))]
    if wanted:
        if translator is None:
            raise PinchError(
                f"there are no held-out rows in {', '.join(made)}",
                fix="name a --translator, or leave --tune out",
            )
        done = translate_rows(
            wanted, translator, _ENGLISH, folder / "heldout", max_cost=max_cost, label="translate held-out"
        )
        tables.append(done.rows)
    rows = pa.concat_tables(tables).cast(POOL_SCHEMA)
    counts = rows.group_by("item_id").aggregate([("language", "count_distinct")])
    complete = counts.filter(pc.equal(counts["language_count_distinct"], len(tags)))["item_id"]
    chosen = _first(complete, items)
    if len(chosen) < _FEWEST:
        raise PinchError(
            f"only {len(chosen)} held-out items came through in every one of {', '.join(tags)}",
            fix="another --translator, or fewer --languages",
        )
    path = folder / HELDOUT
    write_table(path, rows.filter(pc.is_in(rows["item_id"], value_set=chosen)))
    return path, made


def _heldout() -> Pool:
    rows = open_pool(PINCH25).select(where=pc.field("split") == "heldout")
    return Pool.from_table(rows.cast(POOL_SCHEMA), f"held-out items of {PINCH25}")


def _first(items: pa.ChunkedArray, count: int) -> pa.Array:
    """Return the first items in the order in which they were wanted: those that were translated."""
    whole = items.combine_chunks()
    return whole.take(pa.array(ranks(whole, 0, "translate").argsort(kind="stable")[:count]))
