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
from .engine import refuse_small_address_space
from .estimates import (
    ROWS,
    ArmChange,
    ArmEstimate,
    ArmFidelity,
    ArmScore,
    CurvePoint,
    DoseTest,
    JudgeShare,
    SeedNoise,
    TaskScore,
)
from .export import Figure, drawn, write_figures, write_tables
from .html import render, shown_figure
from .page import FINDINGS, write_report
from .part import Cells, Exports, Numbers, Part, Picture, record
from .points import (
    Scale,
    base_name,
    baseline,
    basis,
    file_name,
    joint_interval,
    opponents,
    with_neutral,
)
from .steps import Step
from .tables import estimate_texts, flat, known, number_text, rows_csv, typed_csv
from .tex import Cell, Grid, latex
from .theme import LIGHT, chart_config

__all__ = [
    "FADED",
    "FINDINGS",
    "GROUPS",
    "LIGHT",
    "PAGE",
    "ROWS",
    "UNTUNED",
    "WIDTH",
    "ArmChange",
    "ArmEstimate",
    "ArmFidelity",
    "ArmInfo",
    "ArmScore",
    "AtDose",
    "BeforeAfter",
    "Cell",
    "Cells",
    "Conclusion",
    "CurvePoint",
    "DoseTest",
    "Endpoint",
    "Exports",
    "Figure",
    "Grid",
    "JudgeShare",
    "LanguageInfo",
    "Numbers",
    "Part",
    "Picture",
    "ReportData",
    "Rows",
    "Sample",
    "Scale",
    "SeedNoise",
    "Spec",
    "Step",
    "TaskScore",
    "base_name",
    "baseline",
    "basis",
    "chart_config",
    "drawn",
    "estimate_texts",
    "file_name",
    "finish",
    "flat",
    "joint_interval",
    "known",
    "latex",
    "number_text",
    "opponents",
    "record",
    "refuse_small_address_space",
    "render",
    "rows_csv",
    "shown_figure",
    "typed_csv",
    "with_neutral",
    "write_before_after",
    "write_figures",
    "write_report",
    "write_tables",
]
