from .advice import advise_from_study
from .columns import documentation
from .data_card import Origin, delivered_table, mixture_card, origins
from .probe_figure import probe_chart, probe_html, probe_svg
from .study_page import gather, report
from .together import Finished, report_together
from .together_page import Entry, averages, unlike_settings, write_together

__all__ = [
    "Entry",
    "Finished",
    "Origin",
    "advise_from_study",
    "averages",
    "delivered_table",
    "documentation",
    "gather",
    "mixture_card",
    "origins",
    "probe_chart",
    "probe_html",
    "probe_svg",
    "report",
    "report_together",
    "unlike_settings",
    "write_together",
]
