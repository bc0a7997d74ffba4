"""An index of a study's answers: what filters ask for, beside the store's Parquet files with the texts.

It is a DuckDB file in a temporary folder, so that a million answers need little memory; each run is added
when its answers are done, and anew when its fidelity or verdicts are.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from polypinch.study import Compared, Graph, Stage, State, Store, Tuned
from polypinch.study import artifacts as kept
from polypinch.web.view.filters import MARKS, Filters

PAGE = 50
_LOOK_AGAIN_S = 2.0
_EXPORTED_AT_ONCE = 2000
_KEPT = 8

Places = npt.NDArray[np.int64]

# Texts to be searched are stored as they are: unpacking them would take as long as the search.
_FACTS = """
CREATE TABLE facts (
    run INTEGER, place BIGINT, item_id VARCHAR, language VARCHAR, sample INTEGER, missing BOOLEAN,
    cut_off BOOLEAN, fidelity BOOLEAN, in_language BOOLEAN, response_language VARCHAR,
    won BOOLEAN, lost BOOLEAN, tied BOOLEAN, flipped BOOLEAN, failed BOOLEAN,
    folded VARCHAR USING COMPRESSION uncompressed
)
"""
# Of each comparison and pair: how many orders were judged, and whom they chose.
_OUTCOMES = """
SELECT item_id, language,
    bool_or(known = orders AND arm = orders) AS won,
    bool_or(known = orders AND against = orders) AS lost,
    bool_or(known = orders AND arm < orders AND against < orders) AS tied,
    bool_or(arm = 1 AND against = 1) AS flipped,
    bool_or(known < orders) AS failed
FROM (
    SELECT item_id, language, seed, count(*) AS orders, count(winner) AS known,
        count(*) FILTER (sided AND (winner = 'first') = arm_first) AS arm,
        count(*) FILTER (sided AND (winner = 'first') != arm_first) AS against
    FROM (
        SELECT *, winner IN ('first', 'second') AS sided, "order" = 'arm_first' AS arm_first
        FROM read_parquet(?)
    ) GROUP BY item_id, language, seed
) GROUP BY item_id, language
"""
_NO_OUTCOMES = """
SELECT NULL::VARCHAR AS item_id, NULL::VARCHAR AS language, NULL::BOOLEAN AS won, NULL::BOOLEAN AS lost,
    NULL::BOOLEAN AS tied, NULL::BOOLEAN AS flipped, NULL::BOOLEAN AS failed WHERE false
"""
_NO_FIDELITY = """
SELECT NULL::VARCHAR AS item_id, NULL::VARCHAR AS language, NULL::INTEGER AS sample,
    NULL::BOOLEAN AS in_language, NULL::VARCHAR AS response_language WHERE false
"""
_ADD = """
INSERT INTO facts
SELECT ?, a.file_row_number, a.item_id, a.language, a.sample, a.text IS NULL,
    coalesce(a.finish_reason = 'length', false), f.item_id IS NOT NULL, f.in_language, f.response_language,
    coalesce(o.won, false), coalesce(o.lost, false), coalesce(o.tied, false), coalesce(o.flipped, false),
    coalesce(o.failed, false), nfc_normalize(lower(a.text))
FROM read_parquet(?, file_row_number = true) a
LEFT JOIN ({fidelity}) f ON f.item_id = a.item_id AND f.language = a.language AND f.sample = a.sample
LEFT JOIN ({outcomes}) o ON o.item_id = a.item_id AND o.language = a.language
"""


@dataclass(frozen=True)
class Run:
    """A run whose answers can be shown.

    Attributes:
        number: in the index.
        tuned: its model, arm and seed, and its steps.
        compared: its comparisons, one for each seed.
    """

    number: int
    tuned: Tuned
    compared: tuple[Compared, ...]

    @property
    def seed(self) -> str:
        """Its training seed as text."""
        return "none" if self.tuned.seed is None else str(self.tuned.seed)


@dataclass(frozen=True)
class Answer:
    """An answer and what is known of it.

    Attributes:
        run: whose.
        place: its row in the run's file.
        item_id: the item.
        language: asked for.
        sample: which of several.
        text: the answer; ``None`` where there is none.
        thought: what was thought aloud before it.
        finish_reason: how it ended.
        in_language: whether it is in the language asked for; ``None`` where that is not told.
        response_language: which it is in, or ``None``.
        marks: the names of what holds of it.
    """

    run: Run
    place: int
    item_id: str
    language: str
    sample: int
    text: str | None
    thought: str
    finish_reason: str | None
    in_language: bool | None
    response_language: str | None
    marks: tuple[str, ...]


class AnswerIndex:
    """The index of one study.

    Args:
        graph: the study's steps.
        store: their artifacts.
    """

    def __init__(self, graph: Graph, store: Store) -> None:
        self.store = store
        self.runs = [
            Run(number, tuned, tuple(one for one in graph.compared if one.arm is tuned))
            for number, tuned in enumerate(graph.tuned)
        ]
        self._folder = tempfile.TemporaryDirectory(prefix="polypinch-view-")
        self._lock = threading.Lock()
        self._done: set[str] = set()
        self._indexed: dict[int, tuple[str, ...]] = {}
        self._looked = -_LOOK_AGAIN_S
        self._places: OrderedDict[object, tuple[Places, Places]] = OrderedDict()
        # Nothing is installed or fetched: the readers that are built in are enough.
        settings: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": "1GB",
            "temp_directory": self._folder.name,
        }
        self._db = duckdb.connect(str(Path(self._folder.name) / "index.duckdb"), config=settings)
        self._db.execute(_FACTS)

    def close(self) -> None:
        """Remove the index."""
        self._db.close()
        self._folder.cleanup()

    def is_done(self, stage: Stage | None) -> bool:
        """Tell whether a step is done; one that was stays so."""
        if stage is None:
            return False
        if stage.fingerprint not in self._done and self.store.state(stage) is State.DONE:
            self._done.add(stage.fingerprint)
        return stage.fingerprint in self._done

    def refresh(self) -> int:
        """Take in what was finished since; return how many runs are in the index."""
        with self._lock:
            if time.monotonic() - self._looked < _LOOK_AGAIN_S:
                return len(self._indexed)
            for run in self.runs:
                if self.is_done(run.tuned.answers):
                    steps = (run.tuned.answers, run.tuned.fidelity, *(one.verdicts for one in run.compared))
                    have = tuple(step.fingerprint for step in steps if self.is_done(step))
                    if self._indexed.get(run.number) != have:
                        self._add(run)
                        self._indexed[run.number] = have
            self._looked = time.monotonic()
            return len(self._indexed)

    def _add(self, run: Run) -> None:
        files: list[Any] = [run.number, self._file(run.tuned.answers)]
        fidelity, outcomes = _NO_FIDELITY, _NO_OUTCOMES
        if self.is_done(run.tuned.fidelity):
            fidelity = "SELECT * FROM read_parquet(?)"
            files.append(self._file(run.tuned.fidelity))
        verdicts = [self._file(one.verdicts) for one in run.compared if self.is_done(one.verdicts)]
        if verdicts:
            outcomes = _OUTCOMES
            files.append(verdicts)
        with self._db.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("DELETE FROM facts WHERE run = ?", [run.number])
            cursor.execute(_ADD.format(fidelity=fidelity, outcomes=outcomes), files)
            cursor.execute("COMMIT")

    def _file(self, stage: Stage) -> str:
        """Return a name for a step's table in which no letter means anything to a pattern."""
        name = Path(self._folder.name) / f"{stage.fingerprint}.parquet"
        if not name.exists():
            own = self.store.verified(stage) / kept.TABLES[stage.kind].name
            name.symlink_to(own.resolve())
        return str(name)

    def _where(self, filters: Filters) -> tuple[str, list[Any]]:
        runs = [
            run.number
            for run in self.runs
            if (not filters.arms or run.tuned.arm in filters.arms)
            and (not filters.seeds or run.seed in filters.seeds)
            and (not filters.models or run.tuned.model in filters.models)
        ]
        parts, values = ["true"], list[Any]()
        if len(runs) < len(self.runs):
            parts.append("list_contains(?::INTEGER[], run)")
            values.append(runs)
        if filters.languages:
            parts.append("list_contains(?::VARCHAR[], language)")
            values.append(list(filters.languages))
        parts += [MARKS[mark][1] for mark in filters.marks]
        if filters.item:
            parts.append("item_id = ?")
            values.append(filters.item)
        if filters.text:
            parts.append("contains(folded, nfc_normalize(lower(?)))")
            values.append(filters.text)
        return " AND ".join(f"({part})" for part in parts), values

    def places(self, filters: Filters) -> tuple[Places, Places]:
        """Return where all answers of some filters are: (n,) numbers of runs, and (n,) rows of their files.

        They are found by one search, and kept for the pages that follow.
        """
        with self._lock:
            key = (filters.query(page=1), tuple(self._indexed.items()))
            if key in self._places:
                self._places.move_to_end(key)
                return self._places[key]
        where, values = self._where(filters)
        with self._db.cursor() as cursor:
            query = f"SELECT run, place FROM facts WHERE {where} ORDER BY run, place"
            columns = cursor.execute(query, values).fetchnumpy()
        found = (np.asarray(columns["run"], np.int64), np.asarray(columns["place"], np.int64))
        with self._lock:
            self._places[key] = found
            while len(self._places) > _KEPT:
                self._places.popitem(last=False)
        return found

    def count(self, filters: Filters) -> int:
        """Return how many answers there are."""
        return len(self.places(filters)[0])

    def answers(self, filters: Filters, limit: int = PAGE, offset: int | None = None) -> list[Answer]:
        """Return a page of answers, run by run in their order."""
        start = (filters.page - 1) * PAGE if offset is None else offset
        runs, places = (one[start : start + limit] for one in self.places(filters))
        rows: list[Any] = []
        with self._db.cursor() as cursor:
            for run in dict.fromkeys(runs.tolist()):
                own = places[runs == run].tolist()
                query = (
                    f"SELECT {_SHOWN} FROM facts WHERE run = ? AND place BETWEEN ? AND ?"
                    " AND list_contains(?::BIGINT[], place) ORDER BY place"
                )
                rows += cursor.execute(query, [run, own[0], own[-1], own]).fetchall()
        return self._with_texts(rows)

    def every_answer(self, filters: Filters) -> Iterator[Answer]:
        """Yield all answers of some filters, a few thousand in memory at a time."""
        for offset in range(0, self.count(filters), _EXPORTED_AT_ONCE):
            yield from self.answers(filters, _EXPORTED_AT_ONCE, offset)

    def of_prompt(self, item: str, language: str) -> list[Answer]:
        """Return what every run answered to one prompt, arm by arm and then seed by seed."""
        query = f"SELECT {_SHOWN} FROM facts WHERE item_id = ? AND language = ? ORDER BY run, place"
        with self._db.cursor() as cursor:
            answers = self._with_texts(cursor.execute(query, [item, language]).fetchall())
        arms = list(dict.fromkeys((run.tuned.model, run.tuned.arm) for run in self.runs))
        return sorted(answers, key=lambda one: arms.index((one.run.tuned.model, one.run.tuned.arm)))

    def counts(self) -> list[tuple[Run, str, dict[str, int]]]:
        """Return by run and language how many answers there are, and how many of them have each mark."""
        marks = ", ".join(f"count(*) FILTER ({condition})" for _, condition in MARKS.values())
        query = f"SELECT run, language, count(*), {marks} FROM facts GROUP BY ALL ORDER BY run, language"
        with self._db.cursor() as cursor:
            rows = cursor.execute(query).fetchall()
        names = ("answers", *(mark.value for mark in MARKS))
        return [(self.runs[run], tag, dict(zip(names, numbers, strict=True))) for run, tag, *numbers in rows]

    def verdicts(self, run: Run, item: str, language: str) -> list[dict[str, Any]]:
        """Return all verdicts on a run's answer to one prompt, order by order."""
        files = [self._file(one.verdicts) for one in run.compared if self.is_done(one.verdicts)]
        if not files:
            return []
        columns = ("against", "seed", "order", "judge", "winner", "error", "reason", "raw", "probabilities")
        named = ", ".join(f'"{name}"' for name in columns)
        query = (
            f'SELECT {named} FROM read_parquet(?) WHERE item_id = ? AND language = ? ORDER BY seed, "order"'
        )
        with self._db.cursor() as cursor:
            rows = cursor.execute(query, [files, item, language]).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def _with_texts(self, rows: Sequence[Sequence[Any]]) -> list[Answer]:
        places: dict[int, list[int]] = {}
        for run, place, *_ in rows:
            places.setdefault(run, []).append(place)
        texts = {run: self._texts(self.runs[run], wanted) for run, wanted in places.items()}
        made = []
        for run, place, item, tag, sample, in_language, response, marks in rows:
            text, thought, finish = texts[run][place]
            named = tuple(name for (name, _), holds in zip(MARKS.values(), marks, strict=True) if holds)
            own = self.runs[run]
            made.append(
                Answer(own, place, item, tag, sample, text, thought, finish, in_language, response, named)
            )
        return made

    def _texts(self, run: Run, places: Sequence[int]) -> dict[int, tuple[str | None, str, str | None]]:
        query = (
            "SELECT file_row_number, text, coalesce(thought, ''), finish_reason"
            " FROM read_parquet(?, file_row_number = true)"
            " WHERE file_row_number BETWEEN ? AND ? AND list_contains(?::BIGINT[], file_row_number)"
        )
        values = [self._file(run.tuned.answers), min(places), max(places), list(places)]
        with self._db.cursor() as cursor:
            found = cursor.execute(query, values).fetchall()
        return {place: (text, thought, finish) for place, text, thought, finish in found}


_SHOWN = (
    "run, place, item_id, language, sample, in_language, response_language, ["
    + ", ".join(f"coalesce({condition}, false)" for _, condition in MARKS.values())
    + "]"
)
