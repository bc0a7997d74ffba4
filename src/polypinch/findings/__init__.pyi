from .dose_ladder import Dosed, ladder
from .doses import MAIN, Findings, find
from .sentences import answer, caveats, details

__all__ = [
    "MAIN",
    "Dosed",
    "Findings",
    "answer",
    "caveats",
    "details",
    "find",
    "ladder",
]
