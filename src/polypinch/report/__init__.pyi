from .before_after import PAGE, BeforeAfter, write_before_after
from .charts import FADED, WIDTH, Spec, finish
from .conclusion import AtDose, Conclusion, Endpoint
from .data import (
    GROUPS,
    UNTUNED,
    ArmInfo,
    LanguageInfo,
    ReportData,
    Rows,
    Sample,
)
from .export import Figure, drawn, write_figures, write_tables
from .html import render, shown_figure
from .page import FINDINGS, write_report
from .part import Cells, Exports, Numbers, Part, Picture, record
from .points import (
    Measure,
    base_name,
    baseline,
    basis,
    file_name,
    opponents,
    with_neutral,
)
from .steps import Step
from .tables import estimate_texts, flat, known, number_text, rows_csv
from .tex import Cell, Grid, latex
from .theme import LIGHT, chart_config

__all__ = [
    "FADED",
    "FINDINGS",
    "GROUPS",
    "LIGHT",
    "PAGE",
    "UNTUNED",
    "WIDTH",
    "ArmInfo",
    "AtDose",
    "BeforeAfter",
    "Cell",
    "Cells",
    "Conclusion",
    "Endpoint",
    "Exports",
    "Figure",
    "Grid",
    "LanguageInfo",
    "Measure",
    "Numbers",
    "Part",
    "Picture",
    "ReportData",
    "Rows",
    "Sample",
    "Spec",
    "Step",
    "base_name",
    "baseline",
    "basis",
    "chart_config",
    "drawn",
    "estimate_texts",
    "file_name",
    "finish",
    "flat",
    "known",
    "latex",
    "number_text",
    "opponents",
    "record",
    "render",
    "rows_csv",
    "shown_figure",
    "with_neutral",
    "write_before_after",
    "write_figures",
    "write_report",
    "write_tables",
]
