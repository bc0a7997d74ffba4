"""report: the page, its figures and its tables."""

from polypinch.report.data import ArmInfo, LanguageInfo, ReportData, Sample
from polypinch.report.page import write_report

__all__ = ["ArmInfo", "LanguageInfo", "ReportData", "Sample", "write_report"]
