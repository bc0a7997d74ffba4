from .similarity import Distances, Source, distances, named
from .tags import PAPER_LANGUAGES, language, languages

__all__ = [
    "PAPER_LANGUAGES",
    "Distances",
    "Source",
    "distances",
    "language",
    "languages",
    "named",
]
