"""What a study was about: enough to read its results, without its models and pools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.conversation import instruction, response
from polypinch.judge import Orders, conversation
from polypinch.study.spec import Study
from polypinch.tasks import TaskSet


@dataclass(frozen=True)
class JudgeFacts:
    """Who compared a study's answers, for who reads of it.

    Attributes:
        words: the judge in words.
        orders: in which pairs were judged.
        ordered: whether the judge is shown an order at all.
        identity: of a language model or people: all that verdicts depend on; ``None`` of ``reference``.
        people: whether people judged.
    """

    words: str = "reference"
    orders: Orders = "both"
    ordered: bool = False
    identity: Mapping[str, Any] | None = None
    people: bool = False


@dataclass(frozen=True)
class Record:
    """What a study was about: enough to read its results.

    Attributes:
        study: the spec.
        heldout: the held-out rows, one per item and evaluated language, in a fixed order.
        tasks: held-out sets whose answers can be checked.
        chat_names: by model the name of its chat format.
        judge: who compares answers.
    """

    study: Study
    heldout: pa.Table
    tasks: tuple[TaskSet, ...]
    chat_names: Mapping[str, str]
    judge: JudgeFacts

    @cached_property
    def answered(self) -> pa.Table:
        """Those of the held-out rows that are answered."""
        few = self.study.heldout.answered
        if few is None:
            return self.heldout
        items = self.heldout["item_id"].unique().slice(0, few)
        return self.heldout.filter(pc.is_in(self.heldout["item_id"], value_set=items))

    @cached_property
    def has_references(self) -> bool:
        """Whether the held-out rows have reference responses: all of them, or none."""
        return bool(self.references())

    @property
    def is_compared(self) -> bool:
        """Whether answers can be compared: a language model and people need no references."""
        return self.has_references or self.judge.identity is not None

    def references(self) -> dict[tuple[str, str], str]:
        """Return the reference response of each (item, language) that has one."""
        return self._references

    @cached_property
    def _references(self) -> dict[tuple[str, str], str]:
        texts = {
            (item, tag): (response(messages) or "").strip() for item, tag, messages in _rows(self.heldout)
        }
        return {key: text for key, text in texts.items() if text}

    def conversations(self) -> dict[tuple[str, str], str]:
        """Return what a judge is shown of each answered (item, language), in the order of the rows."""
        return {(item, tag): conversation(messages) for item, tag, messages in _rows(self.answered)}

    def prompts(self) -> dict[tuple[str, str], str]:
        """Return the instruction of each (item, language)."""
        return {(item, tag): instruction(messages) for item, tag, messages in _rows(self.heldout)}


def _rows(table: pa.Table) -> zip[tuple[str, str, Any]]:
    return zip(*(table[name].to_pylist() for name in ("item_id", "language", "messages")), strict=True)
