"""No held-out item may be trained on, in any language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.conversation import Messages
from polypinch.errors import PinchError
from polypinch.mix.plan import MixPlan
from polypinch.pool import Pool


def normalised(text: str) -> str:
    """Fold case, width and composition and drop ASCII punctuation, so trivial edits do not hide a copy."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum() or (not char.isascii() and not char.isspace()))


def _asked(messages: Messages) -> Iterator[str]:
    for message in messages:
        text = normalised(message["content"]) if message["role"] == "user" else ""
        if text:
            yield text


def check_heldout(plan: MixPlan, pool: Pool, table: pa.Table, others: Sequence[Pool] = ()) -> None:
    """Refuse a mixture that trains on held-out items.

    An item is held out if any of its rows is, in any language, in this pool or, from the same source,
    in another; or if a held-out row asks what a training row asks in any of its turns (case, spacing and
    ASCII punctuation aside).

    Raises:
        PinchError: naming how many items, and the first of them.
    """
    rows = [table[name].to_pylist() for name in ("item_id", "language", "source", "messages")]
    sources = {item: source for item, _, source, _ in zip(*rows, strict=True)}
    texts = {
        text: (item, tag) for item, tag, _, messages in zip(*rows, strict=True) for text in _asked(messages)
    }
    for held in (pool, *others):
        # A pool that says what of it is held out means no more than that.
        whole = held is not pool and "heldout" not in held.split_languages()
        where = None if whole else pc.field("split") == "heldout"
        same_id: dict[str, str] = {}
        same_text: list[tuple[str, str, str]] = []
        for batch in held.batches(["item_id", "language", "source", "messages"], where):
            for row in batch.to_pylist():
                item = row["item_id"]
                if item in sources and (held is pool or row["source"] == sources[item]):
                    same_id[item] = row["language"]
                for text in _asked(row["messages"]):
                    if text in texts:
                        same_text.append((*texts[text], item))
        _refuse(held, same_id, same_text)


def _refuse(held: Pool, same_id: dict[str, str], same_text: list[tuple[str, str, str]]) -> None:
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
