from .doubts import candidate_notes, confusable, fidelity_notes
from .identify import Identifier, cannot_be_told
from .pairing import FidelityChange, paired
from .published import published_table
from .rates import LanguageFidelity, Rate, summarise
from .reading import read_answers
from .scripts import dominant_script, scripts_of
from .table import FIDELITY_METHOD, FIDELITY_SCHEMA, fidelity_table, wrong_words

__all__ = [
    "FIDELITY_METHOD",
    "FIDELITY_SCHEMA",
    "FidelityChange",
    "Identifier",
    "LanguageFidelity",
    "Rate",
    "candidate_notes",
    "cannot_be_told",
    "confusable",
    "dominant_script",
    "fidelity_notes",
    "fidelity_table",
    "paired",
    "published_table",
    "read_answers",
    "scripts_of",
    "summarise",
    "wrong_words",
]
