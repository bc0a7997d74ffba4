from .advice import advise_from_study
from .columns import documentation
from .data_card import Origin, delivered_table, mixture_card, origins
from .handed import Evidence, Handed, handed_of_folder, handed_of_study
from .handing_over import OWN, gguf_command, hand_over
from .hub import push, refuse_push
from .probe_figure import probe_chart, probe_html, probe_svg
from .staging import staged_mixture
from .study_page import gather, report
from .together import Finished, report_together
from .together_page import Entry, averages, unlike_settings, write_together

__all__ = [
    "OWN",
    "Entry",
    "Evidence",
    "Finished",
    "Handed",
    "Origin",
    "advise_from_study",
    "averages",
    "delivered_table",
    "documentation",
    "gather",
    "gguf_command",
    "hand_over",
    "handed_of_folder",
    "handed_of_study",
    "mixture_card",
    "origins",
    "probe_chart",
    "probe_html",
    "probe_svg",
    "push",
    "refuse_push",
    "report",
    "report_together",
    "staged_mixture",
    "unlike_settings",
    "write_together",
]
