"""Pairs of answers to be judged, as a table."""

from __future__ import annotations

import pyarrow as pa

from polypinch.conversation import Messages, prompt
from polypinch.errors import PinchError
from polypinch.thoughts import answer_of

PAIR_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        ("arm_text", pa.string()),
        ("against_text", pa.string()),
        ("reference", pa.string()),
    ]
)
"""One row per (item, language). ``prompt`` is the conversation's text as the judge shall see it; an answer
that is null is missing (its verdicts will be, too), an empty one is an answer; ``reference`` may be null."""


def conversation(messages: Messages) -> str:
    """Return what was asked as one text: the only turn's, or all turns with their speakers."""
    turns = prompt(messages)
    if len(turns) == 1:
        return turns[0]["content"]
    return "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)


def check_pairs(pairs: pa.Table) -> pa.Table:
    """Return the pairs in :data:`PAIR_SCHEMA`, columns in its order; further columns are dropped.

    A thought that an answer begins with is left out: answers are judged.

    Raises:
        PinchError: a column is missing or of another type, a cell that must be there is null, or an item
            stands twice in a language.
    """
    lacking = [name for name in PAIR_SCHEMA.names if name not in pairs.column_names and name != "reference"]
    if lacking:
        raise PinchError(f"the pairs have no column {', '.join(lacking)}", fix="see PAIR_SCHEMA")
    if "reference" not in pairs.column_names:
        pairs = pairs.append_column("reference", pa.nulls(pairs.num_rows, pa.string()))
    for field in PAIR_SCHEMA:
        nulls = pairs[field.name].null_count
        if nulls and not field.nullable:
            raise PinchError(f"the pairs lack {field.name} in {nulls} of {pairs.num_rows} rows")
    try:
        checked = pairs.select(PAIR_SCHEMA.names).cast(PAIR_SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PinchError(f"the pairs are no table of texts: {error}", fix="see PAIR_SCHEMA") from error
    for side in ("arm_text", "against_text"):
        texts = [None if text is None else answer_of(text) for text in checked[side].to_pylist()]
        place = checked.schema.get_field_index(side)
        checked = checked.set_column(place, checked.schema.field(side), pa.array(texts, pa.string()))
    seen: set[tuple[str, str]] = set()
    for item, tag in zip(checked["item_id"].to_pylist(), checked["language"].to_pylist(), strict=True):
        if (item, tag) in seen:
            raise PinchError(
                f"item {item!r} stands twice in {tag!r} among the pairs",
                fix="keep one answer per item and language on either side",
            )
        seen.add((item, tag))
    return checked
