from .dose_ladder import Dosed
from .doses import MAIN, Findings, find
from .enough import Claim, EndpointLine, Standing, Verdict, averages, claims, verdict
from .sentences import answer, caveats, details

__all__ = [
    "MAIN",
    "Claim",
    "Dosed",
    "EndpointLine",
    "Findings",
    "Standing",
    "Verdict",
    "answer",
    "averages",
    "caveats",
    "claims",
    "details",
    "find",
    "verdict",
]
