"""The kinds of artifact that a study is made of: which files each has, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.answer import ANSWER_SCHEMA, ANSWERS_FILE
from polypinch.errors import PinchError
from polypinch.fidelity import FIDELITY_SCHEMA
from polypinch.files import read_json, read_table, write_json, write_table
from polypinch.judge import VERDICT_SCHEMA
from polypinch.mix import MANIFEST_FILE, MIXTURE_FILE, MIXTURE_SCHEMA
from polypinch.tasks import SCORE_SCHEMA, SCORES_FILE
from polypinch.tune import HELDOUT_LOSS_SCHEMA, SUMMARY_FILE


class Kind(StrEnum):
    """What a step of a study makes."""

    MIXTURE = "mixture"
    TUNE = "tune"
    LOSS = "loss"
    ANSWERS = "answers"
    FIDELITY = "fidelity"
    TASK = "task"
    VERDICTS = "verdicts"
    LOOK = "look"


@dataclass(frozen=True)
class TableFile:
    """A Parquet file of an artifact.

    Attributes:
        name: the file's.
        schema: the columns that it has at least.
    """

    name: str
    schema: pa.Schema

    def write(self, directory: Path, table: pa.Table) -> None:
        """Write the table into an artifact's directory."""
        write_table(directory / self.name, table)

    def read(self, directory: Path) -> pa.Table:
        """Read it from there.

        Raises:
            PinchError: it cannot be read, or lacks a column.
        """
        table = read_table(directory / self.name)
        lacking = [name for name in self.schema.names if name not in table.column_names]
        if lacking:
            raise PinchError(f"{directory / self.name} has no column {', '.join(lacking)}")
        return table


@dataclass(frozen=True)
class JsonFile:
    """A JSON file of an artifact."""

    name: str

    def write(self, directory: Path, value: Any) -> None:
        """Write a value into an artifact's directory."""
        write_json(directory / self.name, value)

    def read(self, directory: Path) -> Any:
        """Read it from there.

        Raises:
            PinchError: it cannot be read.
        """
        return read_json(directory / self.name)


_WHOSE = [
    pa.field("item_id", pa.string()),
    pa.field("language", pa.string()),
    pa.field("sample", pa.int32()),
]

MANIFEST = JsonFile(MANIFEST_FILE)
"""Of a mixture: requested against delivered."""
SUMMARY = JsonFile(SUMMARY_FILE)
"""Of a tuning: what was tuned, in counts, seconds and names."""
TOTALS = JsonFile("judging.json")
"""Of a language model's verdicts: what they took."""
SETTLED = JsonFile("settled.json")
"""Of adaptive judging: where each language was left; an artifact without it was judged whole."""
LOOK = JsonFile("look.json")
"""Of a look of a search: what it saw and decided."""
CALLS = "calls.sqlite"
"""Of a language model's verdicts: every call, kept as it comes."""

MIXTURE = TableFile(MIXTURE_FILE, MIXTURE_SCHEMA)
LOSS = TableFile("loss.parquet", HELDOUT_LOSS_SCHEMA)
ANSWERS = TableFile(ANSWERS_FILE, ANSWER_SCHEMA)
FIDELITY = TableFile("fidelity.parquet", pa.schema([*FIDELITY_SCHEMA, *_WHOSE]))
SCORES = TableFile(SCORES_FILE, SCORE_SCHEMA)
VERDICTS = TableFile("verdicts.parquet", VERDICT_SCHEMA)

TABLES: Mapping[Kind, TableFile] = {
    Kind.MIXTURE: MIXTURE,
    Kind.LOSS: LOSS,
    Kind.ANSWERS: ANSWERS,
    Kind.FIDELITY: FIDELITY,
    Kind.TASK: SCORES,
    Kind.VERDICTS: VERDICTS,
}
"""Of each kind the table that ``store.read`` returns; a tuning has none."""
