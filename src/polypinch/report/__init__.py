"""report: the page, its figures and its tables."""

from polypinch.report.data import ArmInfo, Experiment, LanguageInfo, ReportData, Sample
from polypinch.report.page import FINDINGS, write_report
from polypinch.report.together import Entry, averages, unlike_settings, write_together

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
