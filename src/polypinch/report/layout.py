"""Tables laid out for reading: on the page and in LaTeX alike, cells as texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polypinch.report.data import ArmInfo
from polypinch.report.part import Cells


@dataclass(frozen=True)
class Head:
    """A column that is no arm's.

    Attributes:
        label: its head.
        name: what is beneath.
    """

    label: str
    name: str


@dataclass(frozen=True)
class ArmLine:
    """A line of a table by arm.

    Attributes:
        name: what it is of.
        average: whether it stands for several languages.
        first: whether a part of the table begins with it.
        cells: one for each column; ``None`` where nothing was measured.
    """

    name: str
    average: bool
    first: bool
    cells: Cells


@dataclass(frozen=True)
class ArmTable:
    """A table with a column for each arm.

    Attributes:
        title: what it holds.
        corner: what its lines are.
        arms: its columns.
        rows: its lines.
        summary: what is read where it is folded.
    """

    title: str
    corner: str
    arms: Sequence[ArmInfo | Head]
    rows: Sequence[ArmLine]
    summary: str = "The numbers"


@dataclass(frozen=True)
class ManifestCell:
    """A cell of a manifest; ``lack`` says that something was lost: truncated, repeated, or not delivered."""

    text: str
    lack: bool = False


@dataclass(frozen=True)
class ManifestLine:
    """What a mixture was to hold of a language and what it holds; ``first`` marks an arm's first line."""

    arm: str
    language: str
    first: bool
    cells: Sequence[ManifestCell]
