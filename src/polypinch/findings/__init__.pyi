from .dose_ladder import Dosed
from .doses import MAIN, Findings, find
from .enough import EndpointLine, Standing, Verdict, verdict
from .sentences import answer, caveats, details

__all__ = [
    "MAIN",
    "Dosed",
    "EndpointLine",
    "Findings",
    "Standing",
    "Verdict",
    "answer",
    "caveats",
    "details",
    "find",
    "verdict",
]
