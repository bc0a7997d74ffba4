"""From a season's study to its page: loss, fidelity and answers before and after, in every language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from polypinch.languages import language
from polypinch.measure import FIDELITY, LOSS, Measure
from polypinch.publish import gather
from polypinch.report import ArmEstimate, BeforeAfter, write_before_after
from polypinch.results import ArmResults, changes, read_results
from polypinch.season.pinch import Pinch
from polypinch.season.tuned import Measured
from polypinch.study import UNTUNED, Axes, axes

_LEADS = {
    LOSS: "Held-out loss on the reference responses, in bits per byte: how well the model expects good"
    " answers in that language. Lower is better.",
    FIDELITY: "How many of the answers are in the language of the prompt.",
}


def write_page(
    measured: Measured, pinch: Pinch, translated: Sequence[str], notes: Sequence[str], out: Path
) -> Path:
    """Write ``before-after.html`` and ``tables/before-after.csv``; return the page's path.

    Args:
        measured: the study, done.
        pinch: what was put in.
        translated: languages whose held-out items are machine translations.
        notes: of the seasoned rows.
        out: the folder to write to.

    Raises:
        PinchError: the folder cannot be written to.
    """
    data = gather(measured.inputs, measured.graph, measured.store)
    shared = axes(measured.inputs)
    results = read_results(measured.inputs, measured.graph, measured.store)
    before = next(one for one in results if one.arm == UNTUNED)
    rows: dict[Measure, Sequence[ArmEstimate]] = {LOSS: data.loss, FIDELITY: data.fidelity}
    compared = [
        BeforeAfter(measure, rows[measure], changed(shared, before, results, measure), _LEADS[measure])
        for measure in (LOSS, FIDELITY)
    ]
    return write_before_after(
        data,
        compared,
        answer=_answer(compared),
        caveats=[*_caveats(measured, pinch, translated, compared), *notes],
        facts=_facts(measured, pinch),
        directory=out,
    )


def changed(
    shared: Axes, before: ArmResults, results: Sequence[ArmResults], measure: Measure
) -> dict[str, dict[str, Any]]:
    """Return the paired change of the one tuned arm by language and group, with intervals of 95 %."""
    found = changes(shared, before, results, measure)
    return {name: one.as_dict() for own in found.values() for name, one in own.items()}


def _answer(compared: Sequence[BeforeAfter]) -> str:
    parts = []
    for one in compared:
        whole = one.changes.get("others")
        if whole is None:
            continue
        measure = one.measure
        told = (
            f"{measure.signed(whole['value'])} {measure.unit} (95 % interval"
            f" {measure.signed(whole['low'])} to {measure.signed(whole['high'])})"
        )
        parts.append(f"{measure.title} in the other languages changed by {told}")
    return "After tuning, " + "; ".join(parts) + ". One training." if parts else "Nothing could be measured."


def _caveats(
    measured: Measured, pinch: Pinch, translated: Sequence[str], compared: Sequence[BeforeAfter]
) -> list[str]:
    told = [
        "One training with one seed: another would differ, and nobody knows by how much.",
        "Before is the base model without any tuning, so most of a change may be that of tuning at all."
        " What the pinch adds to English rows alone, only an arm without it tells: add it to study.yaml,"
        " and polypinch run.",
    ]
    if pinch.confounded:
        told.append(pinch.confounded)
    if translated:
        names = ", ".join(language(tag).name for tag in translated)
        told.append(f"The held-out items in {names} are machine translations, checked but read by nobody.")
    if not any(one.measure is FIDELITY and one.changes for one in compared):
        told.append("Of no answer could be told which language it is in, so fidelity is not shown.")
    told.append("No judge said which answers are better: read them below.")
    items = len(measured.inputs.heldout["item_id"].unique())
    told.append(f"{items} held-out items of the built-in pool; yours may be of another kind.")
    return told


def _facts(measured: Measured, pinch: Pinch) -> list[tuple[str, str]]:
    study = measured.inputs.study
    return [
        ("model", study.models[0]),
        ("rows", f"{study.budget.amount:,} in {language(study.base).name}"),
        ("pinch", f"{pinch.count} in {', '.join(language(tag).name for tag in pinch.languages)}"),
        ("adapter", str(measured.adapter)),
    ]
