from .gathered import Gathered, gather_rows
from .outlook import Outlook, look_ahead
from .pinch import Pinch, choose_pinch
from .request import Request, asked_languages
from .season import Season, Tuning, begin
from .seasoned import Seasoned
from .steps import mix_season, translate_season
from .tuned import Measured
from .tuning import tune_season

__all__ = [
    "Gathered",
    "Measured",
    "Outlook",
    "Pinch",
    "Request",
    "Season",
    "Seasoned",
    "Tuning",
    "asked_languages",
    "begin",
    "choose_pinch",
    "gather_rows",
    "look_ahead",
    "mix_season",
    "translate_season",
    "tune_season",
]
