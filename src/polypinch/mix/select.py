"""Which items go into which language: deterministic, and nested in dose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polypinch.pool import Found, Pool
from polypinch.seeded import Ranks, ranks

# Candidates that wait to be sorted in among the best: sorting them batch by batch takes longer than reading.
_WAITING = 65_536


def first_items(
    pool: Pool,
    language: str,
    seed: int,
    purpose: str,
    limit: int,
    exclude: pa.Array | None = None,
) -> pa.Array:
    """Return a language's first training items in the seeded order.

    Streams the pool: memory grows with ``limit``, not with the pool.

    Args:
        pool: where to look.
        language: the language of the rows.
        seed: the plan's seed.
        purpose: names the order; see :func:`~polypinch.seeded.ranks`.
        limit: the most items to return.
        exclude: item ids to pass over.

    Returns:
        Up to ``limit`` distinct item ids, first in the order first.
    """
    where = (pc.field("language") == language) & (pc.field("split") == "train")
    ids_kept: list[pa.Array] = [pa.array([], pa.string())]
    ranks_kept = [np.empty(0, np.uint64)]
    waiting, last = 0, None
    for batch in pool.batches(["item_id"], where):
        ids = batch.column("item_id")
        if len(ids) and exclude is not None and len(exclude):
            ids = ids.filter(pc.invert(pc.is_in(ids, value_set=exclude)))
        if not len(ids):
            continue
        order = ranks(ids, seed, purpose)
        if last is not None:
            better = order < last
            ids, order = ids.filter(pa.array(better)), order[better]
        ids_kept.append(ids.cast(pa.string()))
        ranks_kept.append(order)
        waiting += len(ids)
        if waiting > max(limit, _WAITING):
            best, order = _keep_first(ids_kept, ranks_kept, limit)
            ids_kept, ranks_kept, waiting = [best], [order], 0
            last = order[-1] if len(order) == limit else None
    return _keep_first(ids_kept, ranks_kept, limit)[0]


def _keep_first(ids_kept: list[pa.Array], ranks_kept: list[Ranks], limit: int) -> tuple[pa.Array, Ranks]:
    ids, order = pa.concat_arrays(ids_kept), np.concatenate(ranks_kept)
    # Equal ids have equal ranks, so the same row twice is one item here; ties between different ids
    # (one in 2**64) fall to the id itself.
    table = pa.table({"rank": order, "id": ids}).group_by(["rank", "id"]).aggregate([])
    keep = pc.select_k_unstable(table, limit, [("rank", "ascending"), ("id", "ascending")])
    table = table.take(keep)
    return table["id"].combine_chunks(), table["rank"].to_numpy()


def available(found: Iterable[Found], languages: Sequence[str]) -> dict[str, set[str]]:
    """Return, for each language, which items have a training row in it, of those found."""
    having: dict[str, set[str]] = {tag: set() for tag in languages}
    for item, tag in (pair for group in found for pair in group.pairs()):
        if tag in having:
            having[tag].add(item)
    return having


def partition(
    items: pa.Array, languages: Sequence[str], having: dict[str, set[str]], seed: int, even: bool = True
) -> dict[str, list[str]]:
    """Divide items among languages, each item to one language that has it.

    A language's dose is then a prefix of its list, so doses are nested, and one language's dose does
    not move another's. Each item goes to the language that wins it by rendezvous hashing (Thaler and
    Ravishankar 1998); the lists depend on the set of languages, not on doses.

    Args:
        items: what to divide.
        languages: among whom.
        having: from :func:`available`.
        seed: the plan's seed.
        even: give each language the same room. Without it, more items leave the lists of fewer as they
            were and only lengthen or fill them.

    Returns:
        For each language its items, first to be taken first.
    """
    tags = sorted(languages)
    ids = items.to_pylist()
    order = np.argsort(ranks(items, seed, "pinch"), kind="stable")
    wins = np.stack([ranks(items, seed, f"home/{tag}") for tag in tags], axis=1)
    preference = np.argsort(wins, axis=1, kind="stable")
    room = dict.fromkeys(tags, -(-len(ids) // len(tags)) if even else len(ids))
    lists: dict[str, list[str]] = {tag: [] for tag in tags}
    left: list[tuple[str, str]] = []
    for index in order.tolist():
        item = ids[index]
        able = [tags[choice] for choice in preference[index].tolist() if item in having[tags[choice]]]
        tag = next((tag for tag in able if room[tag]), None)
        if tag is not None:
            room[tag] -= 1
            lists[tag].append(item)
        elif able:
            left.append((able[0], item))
    for tag, item in left:
        lists[tag].append(item)
    return lists


Enough = Callable[[list[str]], int | None]
"""Given candidates in order: how many of them fill a dose, or ``None``: all are too few."""


def take(
    lists: dict[str, list[str]], having: dict[str, set[str]], enough: dict[str, Enough]
) -> tuple[dict[str, list[str]], set[str]]:
    """Take each language's dose from its own list, then from the ends of the others' lists.

    Args:
        lists: from :func:`partition`.
        having: from :func:`available`.
        enough: for each dosed language, what fills its dose.

    Returns:
        For each language the items taken, and the languages for which even the others' spare items were
        too few: they got all there were.
    """
    taken: dict[str, list[str]] = {}
    short: list[str] = []
    for tag in sorted(enough):
        needed = enough[tag](lists[tag])
        taken[tag] = lists[tag] if needed is None else lists[tag][:needed]
        if needed is None:
            short.append(tag)
    used = {item for items in taken.values() for item in items}
    lacking = set()
    for tag in short:
        spare = [item for item in _from_the_ends(lists, tag) if item not in used and item in having[tag]]
        candidates = lists[tag] + spare
        needed = enough[tag](candidates)
        taken[tag] = candidates if needed is None else candidates[:needed]
        used.update(taken[tag])
        if needed is None:
            lacking.add(tag)
    return taken, lacking


def _from_the_ends(lists: dict[str, list[str]], but: str) -> list[str]:
    others = [list(reversed(items)) for tag, items in sorted(lists.items()) if tag != but]
    longest = max((len(items) for items in others), default=0)
    return [items[i] for i in range(longest) for items in others if i < len(items)]
