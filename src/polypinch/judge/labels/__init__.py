"""What people chose: published preference files read into one table, and laid out as a panel of raters."""

from polypinch.judge.labels.judged import Judged, judge_labels, judged
from polypinch.judge.labels.reading import LAYOUT_NAMES, read_labels
from polypinch.judge.labels.table import CODES, LABEL_SCHEMA, TIE, WINNERS, Panel, pair_rows, panel, sample

__all__ = [
    "CODES",
    "LABEL_SCHEMA",
    "LAYOUT_NAMES",
    "TIE",
    "WINNERS",
    "Judged",
    "Panel",
    "judge_labels",
    "judged",
    "pair_rows",
    "panel",
    "read_labels",
    "sample",
]
