"""Probing a base model's languages, and advice on a pinch from what a probe found."""

from polypinch.probe.advice import Advice, Advised, advise
from polypinch.probe.measure import probe
from polypinch.probe.result import PROBE_FILE, LanguageProbe, Probe, read_probe
from polypinch.probe.texts import Texts, read_texts

__all__ = [
    "PROBE_FILE",
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
