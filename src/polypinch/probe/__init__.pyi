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
from .texts import ENGLISH, Texts, read_texts

__all__ = [
    "ENGLISH",
    "ESTIMATES",
    "FACTS",
    "LIMITS",
    "PROBE_FILE",
    "PROXY",
    "Advice",
    "Advised",
    "LanguageProbe",
    "Probe",
    "Texts",
    "advise",
    "probe",
    "read_probe",
    "read_texts",
]
