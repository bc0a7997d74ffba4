"""What silently ruins a tuning run, found in the tokens before the first step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from polypinch.chat.control import spoken
from polypinch.chat.encoded import Encoded
from polypinch.chat.format import ChatFormat
from polypinch.chat.rendering import TODAY
from polypinch.conversation import uneven_systems
from polypinch.errors import PinchError

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes:
        level: an ``error`` stops the run, a ``warning`` is for the reader to weigh.
        where: the row, arm or language.
        message: what is wrong.
        fix: what to do about it.
    """

    level: Literal["error", "warning"]
    where: str
    message: str
    fix: str


def encode_with_keys(
    chat: ChatFormat, rows: pa.Table, max_length: int | None
) -> Iterator[tuple[str, str, Encoded]]:
    """Encode a mixture's rows for training, each with its item and language.

    Raises:
        PinchError: a row cannot be encoded; it is named, with the fix.
    """
    number = 0
    for batch in rows.to_batches(_ROWS_AT_ONCE):
        encoded = chat.encode_each(batch["messages"].to_pylist(), max_length)
        for item, tag in zip(batch["item_id"].to_pylist(), batch["language"].to_pylist(), strict=True):
            number += 1
            try:
                yield item, tag, next(encoded)
            except PinchError as error:
                where = f"row {number} (item {item!r} in {tag!r})"
                raise PinchError(f"{where}: {error.message}", fix=error.fix) from error


def check_rows(chat: ChatFormat, rows: Iterable[tuple[str, str, Encoded]]) -> list[Problem]:
    """Check the masks and ends of encoded rows.

    Args:
        chat: the format they were encoded with.
        rows: (item_id, language, encoded) of each.

    Returns:
        At most one problem per row and kind of problem: more tokens than the model takes in, an empty mask,
        a full mask, a doubled BOS, an end of turn that is not supervised. A truncated row's end cannot be
        supervised; it is not named here, truncation being counted by language.
    """
    problems = []
    bos = chat.tokenizer.bos_token_id
    for number, (item, tag, row) in enumerate(rows, 1):
        where = f"row {number} (item {item!r} in {tag!r})"
        if chat.context is not None and len(row) > chat.context:
            message = f"it has {len(row):,} tokens, and the model takes in {chat.context:,}"
            problems.append(Problem("error", where, message, f"max_length: {chat.context}"))
        if not row.supervised.any():
            fix = (
                "raise max_length"
                if row.truncated
                else "give it an assistant turn, or mend the chat template"
            )
            problems.append(Problem("error", where, "no token is supervised", fix))
            continue
        if row.supervised.all():
            problems.append(
                Problem("error", where, "every token is supervised", "name another chat template")
            )
        if bos is not None and row.input_ids[:2].tolist() == [bos, bos]:
            fix = "let either the template or the tokenizer write the BOS"
            problems.append(Problem("error", where, "the BOS is doubled", fix))
        if not row.truncated and not _ends_supervised(chat, row):
            fix = "let the chat template close assistant turns with its end-of-turn token"
            problems.append(Problem("error", where, "the end of the last turn is not supervised", fix))
    return problems


def notices(chat: ChatFormat, rows: pa.Table, where: str) -> list[Problem]:
    """Return what a reader should know of how rows meet a chat format: it is handled, and shows in results.

    Args:
        chat: the format.
        rows: with ``language`` and ``messages``.
        where: what the rows are.

    Returns:
        Warnings: control tokens in texts, counted by language, which are encoded as text; system turns that
        the template leaves out, or that one language has and another lacks; a date that the template writes.
    """
    holding: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    systems: Counter[str] = Counter()
    tokens: Counter[str] = Counter()
    for batch in rows.select(["language", "messages"]).to_batches(_ROWS_AT_ONCE):
        for tag, messages in zip(batch["language"].to_pylist(), batch["messages"].to_pylist(), strict=True):
            held = [token for message in messages for token in chat.control.within(spoken(message))]
            tokens.update(held)
            holding[tag] += bool(held)
            counts[tag] += 1
            systems[tag] += messages[0]["role"] == "system"
    dropped = systems if chat.rendering.drops_system else Counter[str]()
    problems = []
    uneven = None if chat.rendering.drops_system else uneven_systems(systems, counts)
    if uneven is not None:
        fix = "give every language the system turn, translated, or none"
        problems.append(Problem("warning", where, uneven, fix))
    if tokens:
        most = ", ".join(token for token, _ in tokens.most_common(3))
        message = f"texts hold control tokens of the model ({most}): {_by_language(holding)}"
        fix = "they are read as text, not as control tokens; take them out if they are not meant"
        problems.append(Problem("warning", where, message, fix))
    if any(dropped.values()):
        message = f"the chat template ({chat.name}) leaves system turns out: {_by_language(dropped)}"
        fix = "name another template, or put what they say into the first user turn"
        problems.append(Problem("warning", where, message, fix))
    if chat.rendering.is_dated:
        message = f"the chat template ({chat.name}) writes today's date: it is {TODAY:%d %b %Y}"
        fix = "nothing needs doing: so a run is the same on every day"
        problems.append(Problem("warning", where, message, fix))
    return problems


def _by_language(rows: Counter[str]) -> str:
    counts = [f"{count} in {tag}" for tag, count in sorted(rows.items()) if count]
    return f"{sum(rows.values())} rows ({', '.join(counts)})"


def _ends_supervised(chat: ChatFormat, row: Encoded) -> bool:
    last = row.supervised.nonzero()[0][-1]
    return int(row.input_ids[last]) in chat.stop_ids
