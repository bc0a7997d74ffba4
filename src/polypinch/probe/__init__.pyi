from .advice import Advice, Advised, advise
from .chart import probe_chart, probe_html, probe_svg
from .measure import probe
from .result import PROBE_FILE, LanguageProbe, Probe, read_probe
from .texts import Texts, read_texts

__all__ = [
    "PROBE_FILE",
    "Advice",
    "Advised",
    "LanguageProbe",
    "Probe",
    "Texts",
    "advise",
    "probe",
    "probe_chart",
    "probe_html",
    "probe_svg",
    "read_probe",
    "read_texts",
]
