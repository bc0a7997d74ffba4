"""Fidelity: whether, and how far, an answer is in the language asked for."""

from polypinch.fidelity.identify import Identifier
from polypinch.fidelity.rates import LanguageFidelity, Rate, summarise
from polypinch.fidelity.reading import read_answers
from polypinch.fidelity.table import FIDELITY_SCHEMA, fidelity_table, wrong_words

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
