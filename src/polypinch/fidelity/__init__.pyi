from .identify import Identifier
from .rates import LanguageFidelity, Rate, summarise
from .reading import read_answers
from .table import FIDELITY_SCHEMA, fidelity_table, wrong_words

__all__ = [
    "FIDELITY_SCHEMA",
    "Identifier",
    "LanguageFidelity",
    "Rate",
    "fidelity_table",
    "read_answers",
    "summarise",
    "wrong_words",
]
