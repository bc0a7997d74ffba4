from .data import ArmInfo, Experiment, LanguageInfo, ReportData, Sample
from .page import FINDINGS, write_report
from .together import Entry, averages, unlike_settings, write_together

__all__ = [
    "FINDINGS",
    "ArmInfo",
    "Entry",
    "Experiment",
    "LanguageInfo",
    "ReportData",
    "Sample",
    "averages",
    "unlike_settings",
    "write_report",
    "write_together",
]
