"""A mixture's rows: what was trained on, which dose each row came with, and what was cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.study import Graph, Stage, State, Store, Tuned

PAGE = 50

Key = tuple[str, str]
"""(item_id, language)."""


@dataclass(frozen=True)
class MixtureRow:
    """One row of a mixture.

    Attributes:
        position: in the mixture, from 1.
        item_id: the item.
        language: of the row.
        source: where it is from.
        tokens: of the conversation, or ``None``.
        supervised_tokens: of them, those that are learnt.
        truncated: whether its end was cut off.
        messages: role and content of each turn.
        base_messages: of a row in another language, the item in the base language where a mixture of this
            seed has it; else none.
        came_with: the arm with the smallest dose that has the row, by its rows in other languages.
    """

    position: int
    item_id: str
    language: str
    source: str
    tokens: int | None
    supervised_tokens: int | None
    truncated: bool
    messages: list[dict[str, str]]
    base_messages: list[dict[str, str]]
    came_with: str


@dataclass(frozen=True)
class MixturePage:
    """A page of a mixture.

    Attributes:
        rows: of this page.
        count: of all that the filters leave.
        languages: of the mixture, with their number of rows.
        truncated: rows that were cut off, in all.
    """

    rows: list[MixtureRow]
    count: int
    languages: dict[str, int]
    truncated: int


class MixtureRows:
    """The mixtures of a study.

    Args:
        graph: the study's steps.
        store: their artifacts.
        base: the study's base language.
    """

    def __init__(self, graph: Graph, store: Store, base: str) -> None:
        self.graph, self.store, self.base = graph, store, base
        self._keys: dict[str, tuple[frozenset[Key], int]] = {}

    def page(
        self, run: Tuned, language: str = "", only_truncated: bool = False, number: int = 1
    ) -> MixturePage:
        """Return a page of a run's mixture, which is done.

        Args:
            run: whose.
            language: of the rows; all by default.
            only_truncated: leave out what was not cut off.
            number: of the page, from 1.
        """
        assert run.mixture is not None
        whole = self.store.read(run.mixture)
        counts = {row["values"]: row["counts"] for row in pc.value_counts(whole["language"]).to_pylist()}
        cut = pc.fill_null(whole["truncated"], False)
        table = whole.append_column("position", pa.array(range(1, whole.num_rows + 1), pa.int64()))
        if only_truncated:
            table = table.filter(cut)
        if language:
            table = table.filter(pc.equal(table["language"], language))
        shown = table.slice((number - 1) * PAGE, PAGE).to_pylist()
        others = self._beside(run)
        bases = self._in_base([row["item_id"] for row in shown], [stage for _, stage in others])
        rows = [
            MixtureRow(
                row["position"],
                row["item_id"],
                row["language"],
                row["source"],
                row["tokens"],
                row["supervised_tokens"],
                bool(row["truncated"]),
                row["messages"],
                bases.get(row["item_id"], []) if row["language"] != self.base else [],
                self._came_with((row["item_id"], row["language"]), others),
            )
            for row in shown
        ]
        ordered = dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))
        return MixturePage(rows, table.num_rows, ordered, int(pc.sum(cut).as_py() or 0))

    def _beside(self, run: Tuned) -> list[tuple[str, Stage]]:
        """Return the mixtures of the run's seed and model that are done, its own among them."""
        return [
            (one.arm, one.mixture)
            for one in self.graph.tuned
            if (one.model, one.seed) == (run.model, run.seed)
            and one.mixture is not None
            and self.store.state(one.mixture) is State.DONE
        ]

    def _came_with(self, key: Key, others: Sequence[tuple[str, Stage]]) -> str:
        having = [(self._known(stage)[1], arm) for arm, stage in others if key in self._known(stage)[0]]
        return min(having, key=lambda one: one[0])[1] if having else ""

    def _known(self, stage: Stage) -> tuple[frozenset[Key], int]:
        """Return the (item, language)s of a mixture, and how many rows are not in the base."""
        if stage.fingerprint not in self._keys:
            table = self.store.read(stage)
            keys = list(zip(table["item_id"].to_pylist(), table["language"].to_pylist(), strict=True))
            self._keys[stage.fingerprint] = frozenset(keys), sum(tag != self.base for _, tag in keys)
        return self._keys[stage.fingerprint]

    def _in_base(self, items: Sequence[str], stages: Sequence[Stage]) -> dict[str, list[dict[str, str]]]:
        """Return items in the base language, from whichever mixture has them."""
        known: dict[str, list[dict[str, str]]] = {}
        for stage in stages:
            wanted = [item for item in items if item not in known]
            if wanted:
                table = self.store.read(stage)
                here = pc.and_(
                    pc.equal(table["language"], self.base),
                    pc.is_in(table["item_id"], value_set=pa.array(wanted, pa.string())),
                )
                known |= {row["item_id"]: row["messages"] for row in table.filter(here).to_pylist()}
        return known
