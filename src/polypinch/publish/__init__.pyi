from .advice import advise_from_study
from .probe_figure import probe_chart, probe_html, probe_svg
from .study_page import gather, report
from .together import Finished, report_together
from .together_page import Entry, averages, unlike_settings, write_together

__all__ = [
    "Entry",
    "Finished",
    "advise_from_study",
    "averages",
    "gather",
    "probe_chart",
    "probe_html",
    "probe_svg",
    "report",
    "report_together",
    "unlike_settings",
    "write_together",
]
