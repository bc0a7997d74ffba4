"""What silently ruins a tuning run, found in the tokens before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from polypinch.chat.format import ChatFormat, Encoded


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


def check_rows(chat: ChatFormat, rows: Sequence[tuple[str, str, Encoded]]) -> list[Problem]:
    """Check the masks and ends of encoded rows.

    Args:
        chat: the format they were encoded with.
        rows: (item_id, language, encoded) of each.

    Returns:
        At most one problem per row and kind of problem: an empty mask, a full mask, a doubled BOS, an
        end of turn that is not supervised. A truncated row's end cannot be supervised; it is not named
        here, truncation being counted by language.
    """
    problems = []
    bos = chat.tokenizer.bos_token_id
    for number, (item, tag, row) in enumerate(rows, 1):
        where = f"row {number} (item {item!r} in {tag!r})"
        if not any(row.supervised):
            fix = (
                "raise max_length"
                if row.truncated
                else "give it an assistant turn, or mend the chat template"
            )
            problems.append(Problem("error", where, "no token is supervised", fix))
            continue
        if all(row.supervised):
            problems.append(
                Problem("error", where, "every token is supervised", "name another chat template")
            )
        if bos is not None and row.input_ids[:2] == [bos, bos]:
            fix = "let either the template or the tokenizer write the BOS"
            problems.append(Problem("error", where, "the BOS is doubled", fix))
        if not row.truncated and not _ends_supervised(chat, row):
            fix = "let the chat template close assistant turns with its end-of-turn token"
            problems.append(Problem("error", where, "the end of the last turn is not supervised", fix))
    return problems


def _ends_supervised(chat: ChatFormat, row: Encoded) -> bool:
    last = max(index for index, flag in enumerate(row.supervised) if flag)
    return row.input_ids[last] in chat.stop_ids
