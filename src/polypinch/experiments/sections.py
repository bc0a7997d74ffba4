"""The paper's experiments, and those it leaves open, on the page: from rows to figures, tables and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from polypinch.experiments.doses.section import doses_part
from polypinch.experiments.exposure.section import exposure_part, similarity_part
from polypinch.experiments.languages.section import languages_part, pairs_part
from polypinch.experiments.parts import SCORE, Numbers, Part, Picture
from polypinch.experiments.transfer.section import transfer_part
from polypinch.experiments.tuned.section import tuned_part
from polypinch.experiments.ways.section import ways_part
from polypinch.report import Experiment, ReportData, Rows

KINDS: dict[str, Callable[[ReportData, Experiment], Part]] = {
    "transfer": transfer_part,
    "doses": doses_part,
    "languages": languages_part,
    "pairs": pairs_part,
    "similarity": similarity_part,
    "exposure": exposure_part,
    "tuned": tuned_part,
    "ways": ways_part,
}
"""By kind, in the page's order: what makes the section."""

STEMS = (*(f"{kind}-" for kind in KINDS), "similarity")
"""How the file names of these figures begin."""

TABLES = (
    *("transfer", "transfer_means", "number_of_languages", "number_of_languages_steps", "pairs"),
    *("pairs_changes", "similarity", "similarity_correlations", "exposure", "exposure_correlations"),
    *("tuned", "tuned_loss", "ways", "ways_doses"),
)
"""Their tables."""

__all__ = ["KINDS", "STEMS", "TABLES", "Numbers", "Part", "Picture", "experiment_parts"]


_SETTLED = (
    "Judging stopped in each language where its score was settled. Intervals of scores in this section"
    " resample the pairs that were judged and do not know of that, so they are approximate."
)


def _rows(shown: Experiment) -> Rows:
    return [row for rows in shown.tables.values() for row in rows]


def experiment_parts(data: ReportData) -> list[Part]:
    """Return the sections of what a study's arms show, with several models one for each."""
    parts = []
    for kind, make in KINDS.items():
        for shown in (one for one in data.experiments if one.kind == kind):
            part = make(data, shown)
            if shown.facts["settled"] and any(row.get("measure") == SCORE for row in _rows(shown)):
                part = replace(part, notes=(*part.notes, _SETTLED))
            number = data.models.index(shown.model)
            parts.append(part if number == 0 else replace(part, anchor=f"{part.anchor}-{number + 1}"))
    return parts
