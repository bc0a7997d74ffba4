from .reading import LAYOUT_NAMES, read_labels
from .reasons import Judged, judge_labels, judged
from .table import CODES, LABEL_SCHEMA, TIE, WINNERS, Panel, pair_rows, panel, sample

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
