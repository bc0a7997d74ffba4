"""Figures and tables as files: SVG and CSV for the web, PDF and LaTeX for a paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import vl_convert

from polypinch.files import write_bytes, write_text
from polypinch.report.charts import Spec
from polypinch.report.engine import refuse_small_address_space
from polypinch.report.theme import LIGHT, chart_config


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    Attributes:
        stem: the figure's kind.
        file: its files' name without an ending.
        model: the base model that it shows, or empty where it shows all there are.
        spec: its Vega-Lite spec.
        svg: drawn in light colours.
    """

    stem: str
    file: str
    model: str
    spec: Spec
    svg: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        found = re.search(r'<svg[^>]*? width="([\d.]+)"[^>]*? height="([\d.]+)"', self.svg)
        width, height = (round(float(side)) for side in found.groups()) if found else (900, 400)
        return width, height


def drawn(stem: str, file: str, model: str, spec: Spec) -> Figure:
    """Draw a spec.

    Raises:
        PinchError: nothing can be drawn here.
    """
    refuse_small_address_space()
    svg = str(vl_convert.vegalite_to_svg(spec, config=chart_config(LIGHT)))
    return Figure(stem, file, model, spec, svg)


def write_figures(figures: Sequence[Figure], directory: Path, stems: Iterable[str]) -> None:
    """Write every figure as SVG and PDF, and remove those that an earlier report left of ``stems``.

    Raises:
        PinchError: the folder can't be written to, or the disk is full.
    """
    for figure in figures:
        write_text(directory / f"{figure.file}.svg", figure.svg)
        write_bytes(directory / f"{figure.file}.pdf", bytes(vl_convert.svg_to_pdf(figure.svg)))
    current = {figure.file for figure in figures}
    # Other files in the folder are somebody's own.
    for old in [*directory.glob("*.svg"), *directory.glob("*.pdf")]:
        if old.stem not in current and old.name.startswith(tuple(stems)):
            old.unlink()


def write_tables(csv: Mapping[str, str], latex: Mapping[str, str], directory: Path) -> None:
    """Write tables as CSV, and those that hold something as LaTeX, by name.

    Raises:
        PinchError: the folder can't be written to, or the disk is full.
    """
    for name, text in csv.items():
        write_text(directory / f"{name}.csv", text)
        if name in latex:
            write_text(directory / f"{name}.tex", latex[name])
        else:
            (directory / f"{name}.tex").unlink(missing_ok=True)
