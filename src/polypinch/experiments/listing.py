"""The paper's experiments, and those that it leaves open: which there are, and which a study's arms allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polypinch.experiments.composition import conditions
from polypinch.experiments.doses import measure as doses
from polypinch.experiments.doses.section import section as doses_section
from polypinch.experiments.experiment import Experiment, Shown
from polypinch.experiments.exposure import measure as exposure
from polypinch.experiments.exposure.section import section as exposure_section
from polypinch.experiments.languages import measure as languages
from polypinch.experiments.languages.section import section as languages_section
from polypinch.experiments.measured import Costs, Measured
from polypinch.experiments.pairs import measure as pairs
from polypinch.experiments.pairs.section import section as pairs_section
from polypinch.experiments.similarity import measure as similarity
from polypinch.experiments.similarity.section import section as similarity_section
from polypinch.experiments.transfer import measure as transfer
from polypinch.experiments.transfer.section import section as transfer_section
from polypinch.experiments.tuned import measure as tuned
from polypinch.experiments.tuned.section import section as tuned_section
from polypinch.experiments.ways import measure as ways
from polypinch.experiments.ways.section import section as ways_section
from polypinch.report import Exports, Part, ReportData
from polypinch.results import ArmResults
from polypinch.study import Axes, Study

EXPERIMENTS: tuple[Experiment[Any], ...] = (
    Experiment(transfer.measure, transfer_section, transfer.TABLES, "transfer-"),
    Experiment(doses.measure, doses_section, {}, "doses-"),
    Experiment(languages.measure, languages_section, languages.TABLES, "languages-"),
    Experiment(pairs.measure, pairs_section, pairs.TABLES, "pairs-"),
    Experiment(similarity.measure, similarity_section, similarity.TABLES, "similarity"),
    Experiment(exposure.measure, exposure_section, exposure.TABLES, "exposure-"),
    Experiment(tuned.measure, tuned_section, tuned.TABLES, "tuned-"),
    Experiment(ways.measure, ways_section, ways.TABLES, "ways-"),
)
"""In the page's order."""

EXPORTS = Exports(
    tuple(name for one in EXPERIMENTS for name in one.tables),
    tuple(one.figures for one in EXPERIMENTS),
)
"""The files that they may write."""


def measure_experiments(
    study: Study,
    axes: Axes,
    results: Sequence[ArmResults],
    mixtures: Iterable[Mapping[str, object]],
    costs: Mapping[str, Costs] | None = None,
    disclosed: Mapping[str, float] | None = None,
) -> list[Shown[Any]]:
    """Return the experiments that a study's arms allow, each on every base model, in the page's order.

    Args:
        study: its arms and how they are tuned.
        axes: of the results.
        results: every arm on every model.
        mixtures: rows with ``arm``, ``language`` and ``examples``, as delivered.
        costs: what each untuned base model needs for the held-out responses.
        disclosed: shares of pretraining by language.
    """
    arms = conditions(study, mixtures)
    models = [
        Measured(
            axes,
            model,
            {result.arm: result for result in results if result.model == model},
            study.comparison.against,
            study.base,
            arms,
            (costs or {}).get(model),
            disclosed,
        )
        for model in study.models
    ]
    shown = (experiment.of(measured) for experiment in EXPERIMENTS for measured in models)
    return [one for one in shown if one is not None]


def parts_of(shown: Sequence[Shown[Any]], data: ReportData) -> list[Part]:
    """Return the finished parts of the page, in order."""
    return [one.part(data) for one in shown]
