"""Which translations are wanted: exactly those that a plan lacks, or the first items of a pool."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.conversation import Messages
from polypinch.errors import PinchError
from polypinch.languages import languages
from polypinch.mix import Counter, MixPlan, make_mixture, quotas
from polypinch.pool import POOL_SCHEMA, Pool
from polypinch.seeded import ranks


class Wanted(NamedTuple):
    """One row to be translated.

    Attributes:
        item_id: its item.
        language: into which.
        messages: the conversation as it is.
        source: where the item comes from.
        licence: its licence.
        split: ``train`` or ``heldout``.
    """

    item_id: str
    language: str
    messages: Messages
    source: str
    licence: str
    split: str


def wanted_by_plan(
    plan: MixPlan,
    pool: Pool,
    counter: Counter | None = None,
    *,
    without: Set[tuple[str, str]] = frozenset(),
) -> list[Wanted]:
    """Return the rows that a plan would take and its pool does not have, item by item.

    A larger dose wants the rows of a smaller one and more, as mixtures are nested.

    Args:
        plan: with doses, ``items: parallel``.
        pool: the plan's.
        counter: counts tokens, for a plan in tokens; a row counts as many as in the base language.
        without: (item, language) pairs that cannot be had: other items take their places.

    Raises:
        PinchError: the plan is impossible whatever is translated, or wants other items than the base's.
    """
    if plan.items != "parallel":
        raise PinchError(
            "the plan takes other items in other languages, which are no translations of the base's",
            fix="set items: parallel in the plan",
        )
    base_rows = pool.base(plan.base).select(where=pc.field("language") == plan.base)
    base = base_rows.filter(pc.equal(base_rows["split"], "train"))
    have = _pairs(pool.select(["item_id", "language"]))
    tables = [base_rows, pool.select(where=pc.field("language").isin(list(quotas(plan))))]
    for tag in quotas(plan):
        lacking = [
            (item, tag) not in have and (item, tag) not in without for item in base["item_id"].to_pylist()
        ]
        rows = base.filter(pa.array(lacking, pa.bool_()))
        place = rows.schema.get_field_index("language")
        tables.append(rows.set_column(place, "language", pa.array([tag] * rows.num_rows, pa.string())))
    whole = Pool.from_table(pa.concat_tables(tables).cast(POOL_SCHEMA), pool.name)
    mixture = make_mixture(plan, whole, counter).table
    pairs = dict.fromkeys(_ordered(mixture.select(["item_id", "language"])))
    return _rows(base, [pair for pair in pairs if pair[1] != plan.base and pair not in have])


def wanted_of_pool(
    pool: Pool, base: str, tags: Sequence[str], items: int | None = None, seed: int = 0
) -> list[Wanted]:
    """Return the first items of a pool that lack a translation, in every language.

    Args:
        pool: where the items are.
        base: from which language.
        tags: into which.
        items: how many, first in the seeded order; all by default. More hold those of fewer.
        seed: of the order.

    Raises:
        PinchError: the pool has no rows in ``base``, or a language is none.
    """
    rows = pool.select(where=pc.field("language") == base)
    if not rows.num_rows:
        raise PinchError(
            f"pool {pool.name} has no rows in {base!r}", fix=f"it has {', '.join(pool.languages())}"
        )
    have = _pairs(pool.select(["item_id", "language"]))
    order = ranks(rows["item_id"], seed, "translate").argsort(kind="stable")
    chosen = rows.take(pa.array(order[:items]))
    pairs = [(item, tag) for item in chosen["item_id"].to_pylist() for tag in languages(list(tags))]
    return _rows(chosen, [pair for pair in pairs if pair not in have and pair[1] != base])


def _rows(base: pa.Table, pairs: Sequence[tuple[str, str]]) -> list[Wanted]:
    by_item = {row["item_id"]: row for row in base.to_pylist()}
    rows = []
    for item, tag in pairs:
        row = by_item[item]
        rows.append(Wanted(item, tag, row["messages"], row["source"], row["licence"], row["split"]))
    return rows


def _pairs(table: pa.Table) -> set[tuple[str, str]]:
    return set(_ordered(table))


def _ordered(table: pa.Table) -> list[tuple[str, str]]:
    return list(zip(table["item_id"].to_pylist(), table["language"].to_pylist(), strict=True))
