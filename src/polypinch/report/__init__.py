"""report: the page, its figures and its tables."""

from polypinch.report.data import ArmInfo, Experiment, LanguageInfo, ReportData, Sample
from polypinch.report.page import FINDINGS, write_report

__all__ = ["FINDINGS", "ArmInfo", "Experiment", "LanguageInfo", "ReportData", "Sample", "write_report"]
