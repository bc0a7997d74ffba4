"""OpenAssistant's rankings of replies, as pairs (Köpf et al. 2023, arXiv 2304.07327)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations

from polypinch.conversation import RowError
from polypinch.errors import PinchError
from polypinch.judge.labels.fields import Row
from polypinch.judge.labels.layouts import Numbered
from polypinch.languages import language

ANNOTATOR = "ranking"


def is_oasst(row: Row) -> bool:
    """Tell whether a row is a message of a tree, with its rank among its siblings."""
    return {"message_id", "parent_id", "rank"} <= row.keys()


def _texts(row: Row) -> dict[str, str]:
    """Return a message's text by language: ``text`` and ``lang``, or a column for each language."""
    if isinstance(row.get("lang"), str):
        said = row.get("output") if isinstance(row.get("output"), str) else row.get("text")
        return {language(row["lang"]).tag: said} if isinstance(said, str) else {}
    found = {}
    for name, value in row.items():
        if isinstance(value, str) and 2 <= len(name) <= 3 and name.isalpha():
            try:
                found[language(name).tag] = value
            except PinchError:
                continue
    if not found:
        raise RowError("there is neither text with lang nor a column named by a language")
    return found


def oasst(rows: Iterable[Numbered]) -> Iterator[tuple[int, Row]]:
    """Pair the ranked replies to each prompt; the one with the lower rank was preferred.

    Ranks join many people's orderings, so a pair has one label. Which reply comes first goes by the names of
    the messages, which know nothing of the rank. Translations of a pair share its ``item_id`` and its rank.

    Args:
        rows: messages with their row numbers; ``message_tree_id``, where there is one, is the cluster.

    Yields:
        Labels with the row number of the second reply.

    Raises:
        RowError: a message has no text in any language.
    """
    messages = {row["message_id"]: (number, row, _texts(row)) for number, row in rows}
    siblings: dict[str, list[str]] = defaultdict(list)
    for name, (_, row, _) in messages.items():
        if row["parent_id"] is not None and row["rank"] is not None and row.get("role") != "prompter":
            siblings[row["parent_id"]].append(name)
    for parent, names in siblings.items():
        for one, other in combinations(sorted(names), 2):
            number, second, other_texts = messages[other]
            _, first, one_texts = messages[one]
            order = (first["rank"] > second["rank"]) - (first["rank"] < second["rank"])
            for tag in one_texts.keys() & other_texts.keys():
                yield (
                    number,
                    {
                        "item_id": f"{parent}/{one}/{other}",
                        "language": tag,
                        "annotator": ANNOTATOR,
                        "prompt": _thread(messages, parent, tag),
                        "one_text": one_texts[tag],
                        "other_text": other_texts[tag],
                        "winner": {-1: "first", 1: "second", 0: "tie"}[order],
                        "cluster": first.get("message_tree_id") or parent,
                    },
                )


def _thread(messages: dict[str, tuple[int, Row, dict[str, str]]], last: str | None, tag: str) -> str | None:
    """Return what was said up to a message, a blank line between turns; ``None`` where a turn is missing."""
    said: list[str] = []
    while last is not None:
        if last not in messages or tag not in messages[last][2]:
            return None
        _, row, texts = messages[last]
        said.append(texts[tag])
        last = row["parent_id"]
    return "\n\n".join(reversed(said))
