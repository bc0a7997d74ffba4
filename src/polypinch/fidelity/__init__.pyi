from .identify import Identifier
from .rates import LanguageFidelity, Rate, summarise
from .reading import read_answers
from .scripts import dominant_script, scripts_of
from .table import FIDELITY_SCHEMA, fidelity_table, wrong_words

__all__ = [
    "FIDELITY_SCHEMA",
    "Identifier",
    "LanguageFidelity",
    "Rate",
    "dominant_script",
    "fidelity_table",
    "read_answers",
    "scripts_of",
    "summarise",
    "wrong_words",
]
