"""Reports of simulated studies that show the paper's experiments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from polypinch.experiments import EXPORTS, measure_experiments, parts_of
from polypinch.languages.tags import language
from polypinch.report import ArmInfo, ArmScore, LanguageInfo, ReportData
from polypinch.results.arms import AVERAGES, scores
from polypinch.study.spec import UNTUNED, Study
from tests.experiments.simulate import Simulated, preset, simulate


def report_of(found: Simulated, **more: Any) -> ReportData:
    """Return what the report of a simulated study shows."""
    study = found.study
    groups = {tag: "seen" if tag in study.languages.seen else "unseen" for tag in study.evaluated}
    groups[study.base] = "base"
    languages = []
    for tag in study.evaluated:
        known = language(tag)
        languages.append(LanguageInfo(tag, known.name, known.autonym, known.direction, groups[tag]))
    rows = []
    for one in found.results:
        for name, estimate in scores(found.axes, one).items():
            if name in (*study.evaluated, *AVERAGES):
                rows.append(
                    ArmScore(
                        **{"model": "m", "arm": one.arm, "language": name, **estimate.as_dict()},
                        against=study.comparison.against,
                    )
                )
    data = ReportData(
        title=study.name,
        models=["m"],
        answer="An answer.",
        caveats=[],
        arms=_arms(study, found.mixtures),
        languages=languages,
        scores=rows,
        mixtures=[line | {"requested": "the rest"} for line in found.mixtures],
        exports=EXPORTS,
    )
    shown = measure_experiments(study, found.axes, found.results, found.mixtures, found.costs, **more)
    return replace(data, parts=parts_of(shown, data))


def _arms(study: Study, mixtures: list[dict[str, Any]]) -> list[ArmInfo]:
    arms = [ArmInfo(UNTUNED, 0, 0.0, 0, False, "untuned base")]
    for arm in study.arms:
        counts = {line["language"]: line["examples"] for line in mixtures if line["arm"] == arm.name}
        total = sum(counts.values())
        dose = total - counts.get(study.base, 0)
        arms.append(ArmInfo(arm.name, dose, dose / total, total, dose == 0, f"{dose} of {total}"))
    return arms


def of_preset(name: str, tags: tuple[str, ...] = (), **changes: Any) -> ReportData:
    """Return the report of one of the paper's experiments, simulated."""
    return report_of(simulate(preset(name, tags=tags, **changes)))
