from .advice import FACTS, Advice, Advised, advise
from .measure import probe
from .result import (
    ESTIMATES,
    LIMITS,
    PROBE_FILE,
    PROXY,
    LanguageProbe,
    Probe,
    read_probe,
)
from .rule import LEAST_EACH, dose
from .texts import ENGLISH, Texts, read_texts

__all__ = [
    "ENGLISH",
    "ESTIMATES",
    "FACTS",
    "LEAST_EACH",
    "LIMITS",
    "PROBE_FILE",
    "PROXY",
    "Advice",
    "Advised",
    "LanguageProbe",
    "Probe",
    "Texts",
    "advise",
    "dose",
    "probe",
    "read_probe",
    "read_texts",
]
