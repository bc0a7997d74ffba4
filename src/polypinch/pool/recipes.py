"""How well-known instruction sets become pools: named recipes, each for the layout its authors published."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from polypinch.conversation import RowError, Turns, is_missing
from polypinch.errors import PinchError
from polypinch.pool.layouts import with_context
from polypinch.reading import BadRows, Chunk
from polypinch.tabular import Row


class Example(NamedTuple):
    """A row on its way into a pool; ``None`` leaves the choice to the options of the import.

    Attributes:
        row: its number in its file.
        turns: the conversation.
        key: what joins translations of one item.
        language: its tag, as the file says it.
        origin: native, translated or model.
        source_row: the file's row, for options that name a column.
        where: the file.
        shard: which of several files that are read as one, from 0.
    """

    row: int
    turns: Turns
    key: str | None
    language: str | None
    origin: str | None
    source_row: Row
    where: str = ""
    shard: int | None = None


class Step(NamedTuple):
    """What came of a chunk: its examples, how many rows made none on purpose, and how far reading is."""

    examples: list[Example]
    left_out: int
    done: float


Reading = Callable[[Iterator[Chunk], BadRows], Iterator[Step]]
"""Takes the chunks of one input, yields steps; rows that can't be used are put with the bad ones."""


@dataclass(frozen=True)
class Recipe:
    """A data set's layout, and what is known about it.

    Attributes:
        read: turns its rows into examples.
        licence: as its authors state it.
        origin: where a row doesn't say.
        language: where a row doesn't say.
        hub: its usual name there.
    """

    read: Reading
    licence: str
    origin: str
    language: str | None
    hub: str


def by_row(convert: Callable[[int, Row], Example | None]) -> Reading:
    """Make a reading of a function of one row; ``None`` leaves the row out.

    A row on which ``convert`` raises :class:`RowError` or misses a key is put with the bad ones.
    """

    def read(chunks: Iterator[Chunk], bad: BadRows) -> Iterator[Step]:
        for chunk in chunks:
            examples, left_out = [], 0
            for number, row in chunk.rows:
                try:
                    example = convert(number, row)
                except RowError as error:
                    bad.add(chunk.where, number, str(error))
                except KeyError as error:
                    bad.add(chunk.where, number, f"no key {error}: this is not the recipe's layout")
                else:
                    left_out += example is None
                    if example is not None:
                        examples.append(example._replace(where=chunk.where, shard=chunk.shard))
            yield Step(examples, left_out, chunk.done)

    return read


def _lima(number: int, row: Row) -> Example:
    texts = row["conversations"]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RowError("conversations is not a list of texts")
    turns = [("assistant" if turn % 2 else "user", text) for turn, text in enumerate(texts)]
    return Example(number, turns, None, None, None, row)


_AYA_ORIGINS = {"original-annotations": "native", "re-annotations": "translated"}


def _aya(number: int, row: Row) -> Example:
    # A re-annotation is a person's edit of a machine's (mostly translated) prompt and completion.
    turns = [("user", row["inputs"]), ("assistant", row["targets"])]
    kind = row.get("annotation_type")
    return Example(number, turns, None, row["language_code"], _AYA_ORIGINS.get(str(kind)), row)


def _bactrian(number: int, row: Row) -> Example:
    turns = [("user", with_context(row["instruction"], row.get("input"))), ("assistant", row["output"])]
    return Example(number, turns, str(row["id"]), None, None, row)


def _dolly(number: int, row: Row) -> Example:
    turns = [("user", with_context(row["instruction"], row.get("context"))), ("assistant", row["response"])]
    return Example(number, turns, None, None, None, row)


_TAG = re.compile(r"[a-z]{2,3}([-_][A-Z][A-Za-z]{1,3})?")
_TREE_KEYS = frozenset({"message_id", "parent_id", "role", "rank"})


def _oasst(chunks: Iterator[Chunk], bad: BadRows) -> Iterator[Step]:
    """Join root prompts with their best-ranked replies; only these are held, in any order of rows.

    A language is the row's ``lang`` and its text ``text``; or, in the layout of TurkuNLP's oasst-fi,
    every key that is a language tag holds the text in that language, translated from the English.
    """
    roots: dict[str, Example] = {}
    best: dict[str, Row] = {}
    rows = 0
    for chunk in chunks:
        for number, row in chunk.rows:
            if not row.keys() >= _TREE_KEYS:
                missing = ", ".join(sorted(_TREE_KEYS - row.keys()))
                bad.add(chunk.where, number, f"no key {missing}: this is not the recipe's layout")
                continue
            rows += 1
            if row.get("deleted") or row.get("review_result") is False:
                continue
            key, rank = str(row["message_id"]), row["rank"]
            if row["parent_id"] is None:
                roots[key] = Example(number, [], key, None, None, row, chunk.where, chunk.shard)
            elif row["role"] == "assistant" and isinstance(rank, int | float) and not is_missing(rank):
                other = best.get(str(row["parent_id"]))
                if other is None or rank < other["rank"]:
                    best[str(row["parent_id"])] = row
        yield Step([], 0, chunk.done)
    examples = [
        root._replace(turns=[("user", asked), ("assistant", said)], language=tag, origin=origin)
        for key, root in roots.items()
        if key in best
        for tag, origin, asked, said in _texts(root.source_row, best[key])
    ]
    yield Step(examples, rows - 2 * len({example.key for example in examples}), 1.0)


def _texts(root: Row, reply: Row) -> Iterator[tuple[str, str, Any, Any]]:
    if "text" in root:
        if root.get("lang") == reply.get("lang"):
            yield str(root.get("lang")), "native", root["text"], reply.get("text")
        return
    for tag in root:
        if _TAG.fullmatch(tag) and root[tag] and reply.get(tag):
            yield tag, "native" if tag == "en" else "translated", root[tag], reply[tag]


RECIPES: dict[str, Recipe] = {
    "lima": Recipe(by_row(_lima), "CC-BY-NC-SA-4.0", "native", "en", "GAIR/lima"),
    "oasst1": Recipe(_oasst, "Apache-2.0", "native", None, "OpenAssistant/oasst1"),
    "oasst2": Recipe(_oasst, "Apache-2.0", "native", None, "OpenAssistant/oasst2"),
    "aya": Recipe(by_row(_aya), "Apache-2.0", "native", None, "CohereForAI/aya_dataset"),
    "bactrian-x": Recipe(by_row(_bactrian), "CC-BY-NC-4.0", "model", None, "MBZUAI/Bactrian-X"),
    "dolly": Recipe(by_row(_dolly), "CC-BY-SA-3.0", "native", "en", "databricks/databricks-dolly-15k"),
}


def recipe(name: str) -> Recipe:
    """Return a recipe by name.

    Raises:
        PinchError: there is none.
    """
    if name not in RECIPES:
        raise PinchError(f"unknown recipe {name!r}", fix=f"known: {', '.join(RECIPES)}")
    return RECIPES[name]
