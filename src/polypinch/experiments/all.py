"""What a study shows beyond its averages by dose, told from what its arms were tuned on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec

from polypinch.experiments.composition import (
    alone,
    conditions,
    growing,
    orderings,
    pairs,
    twins,
    with_baselines,
)
from polypinch.experiments.doses.measure import doses
from polypinch.experiments.exposure.measure import (
    Costs,
    exposure,
    read_costs,
    read_exposure,
    similarity,
    square,
)
from polypinch.experiments.languages.measure import number_of_languages, pairs_of_languages
from polypinch.experiments.measured import Measured
from polypinch.experiments.sentences import headline
from polypinch.experiments.transfer.measure import transfer
from polypinch.experiments.tuned.measure import tuned
from polypinch.experiments.ways.measure import ways
from polypinch.languages import distances
from polypinch.report import Experiment
from polypinch.results import ArmResults, Axes
from polypinch.study import Study

__all__ = ["Costs", "experiments", "headline", "read_costs", "read_exposure"]


def experiments(
    study: Study,
    axes: Axes,
    results: Sequence[ArmResults],
    mixtures: Iterable[Mapping[str, object]],
    costs: Mapping[str, Costs] | None = None,
    disclosed: Mapping[str, float] | None = None,
) -> list[Experiment]:
    """Return what the arms show, for each base model.

    Args:
        study: its arms and how they are tuned.
        axes: of the results.
        results: every arm on every model.
        mixtures: rows with ``arm``, ``language`` and ``examples``, as delivered.
        costs: what each untuned base model needs for the held-out responses.
        disclosed: shares of pretraining by language.
    """
    found = conditions(study, mixtures)
    single, chains, paired = alone(found), orderings(found), pairs(found)
    steps, both = growing(found, study.base), twins(found)
    shown: list[Experiment | None] = []
    for model in study.models:
        arms = {result.arm: result for result in results if result.model == model}
        measured = Measured(axes, model, arms, study.comparison.against)
        across = transfer(measured, single) if single else None
        shown.append(across)
        if across is not None:
            tags = square(axes, across)
            # Structure is known to URIEL alone; where it is not installed, descent and script are left.
            apart = distances(tags, "uriel" if find_spec("urielplus") else "tree")
            shown.append(similarity(axes, across, apart))
            shown.append(exposure(axes, across, (costs or {}).get(model), disclosed))
        if steps:
            shown.append(doses(measured, steps))
        if chains:
            shown.append(number_of_languages(measured, chains))
        if paired:
            shown.append(pairs_of_languages(measured, paired))
        if both:
            shown.append(ways(measured, both, with_baselines(found)))
        shown.append(tuned(measured, single))
    settled = any(result.settled for result in results)
    return [replace(one, facts=one.facts | {"settled": settled}) for one in shown if one is not None]
