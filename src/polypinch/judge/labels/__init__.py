"""What people chose: published preference files read into one table, and laid out as a panel of raters."""

from polypinch.judge.labels.judged import judge_labels
from polypinch.judge.labels.reading import LAYOUT_NAMES, read_labels
from polypinch.judge.labels.table import CODES, LABEL_SCHEMA, TIE, WINNERS, Panel, pair_rows, panel

__all__ = [
    "CODES",
    "LABEL_SCHEMA",
    "LAYOUT_NAMES",
    "TIE",
    "WINNERS",
    "Panel",
    "judge_labels",
    "pair_rows",
    "panel",
    "read_labels",
]
