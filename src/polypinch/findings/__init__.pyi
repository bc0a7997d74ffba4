from .dose_ladder import Dosed, ladder
from .doses import Findings, find, flipped
from .sentences import answer, caveats, details

__all__ = [
    "Dosed",
    "Findings",
    "answer",
    "caveats",
    "details",
    "find",
    "flipped",
    "ladder",
]
