"""No held-out item may be trained on, in any language."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.errors import PinchError
from polypinch.mix.plan import MixPlan
from polypinch.pool.pool import Pool
from polypinch.pool.table import instruction


def normalised(text: str) -> str:
    """Fold case and drop all but letters, marks and digits, so trivial edits do not hide a copy."""
    return "".join(
        char for char in text.casefold() if char.isalnum() or (not char.isascii() and not char.isspace())
    )


def check_heldout(plan: MixPlan, pool: Pool, table: pa.Table, others: Sequence[Pool] = ()) -> None:
    """Refuse a mixture that trains on held-out items.

    An item is held out if any of its rows is, in any language, or if a held-out row has the same
    instruction (case, spacing and ASCII punctuation aside).

    Raises:
        PinchError: naming how many items, and the first of them.
    """
    chosen = pa.array(sorted(set(table["item_id"].to_pylist())), pa.string())
    texts = {
        normalised(instruction(messages)): (item, tag)
        for item, tag, messages in zip(
            table["item_id"].to_pylist(),
            table["language"].to_pylist(),
            table["messages"].to_pylist(),
            strict=True,
        )
    }
    for held in (pool, *others):
        # A pool that says what of it is held out means no more than that.
        whole = held is not pool and "heldout" not in held.split_languages()
        where = None if whole else pc.field("split") == "heldout"
        same_id: dict[str, str] = {}
        same_text: list[tuple[str, str, str]] = []
        for batch in held.batches(["item_id", "language", "messages"], where):
            if held is pool:
                hit = batch.filter(pc.is_in(batch.column("item_id"), value_set=chosen))
                same_id.update(
                    zip(hit.column("item_id").to_pylist(), hit.column("language").to_pylist(), strict=True)
                )
            for item, messages in zip(
                batch.column("item_id").to_pylist(), batch.column("messages").to_pylist(), strict=True
            ):
                trained = texts.get(normalised(instruction(messages)))
                if trained is not None:
                    same_text.append((*trained, item))
        if same_id:
            item, tag = next(iter(sorted(same_id.items())))
            raise PinchError(
                f"{len(same_id)} items of the mixture are held out: item {item!r} is held out in {tag!r}"
                f" (pool {held.name})",
                fix="give every translation of an item the same split",
            )
        if same_text:
            item, tag, other = same_text[0]
            raise PinchError(
                f"{len(same_text)} held-out rows of {held.name} are trained on: row {item!r} in {tag!r}"
                f" has the instruction of held-out item {other!r}",
                fix="remove them from the pool, or hold them out too",
            )
