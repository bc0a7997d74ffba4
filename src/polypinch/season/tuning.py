"""The last step: a model is tuned on the seasoned rows, and shown before and after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from polypinch.publish import hand_over, handed_of_study
from polypinch.season.before_after import write_page
from polypinch.season.heldout import write_heldout
from polypinch.season.season import Season
from polypinch.season.seasoned import Seasoned
from polypinch.season.tuned import SEASONED, keep_study, study_of, tune_and_measure

MODEL = "model"


def tune_season(season: Season, seasoned: Seasoned, max_cost: float | None = None) -> tuple[Path, Path]:
    """Tune, measure before and after, and hand over the model; return its folder and the page.

    Raises:
        PinchError: there is nothing to measure on, or a step cannot be done; what was done is kept.
    """
    assert season.tuning is not None
    out = season.asked.out
    heldout, translated = write_heldout(
        season.evaluated, season.tuning.items, out, season.translator, max_cost
    )
    study = study_of(season.pinch.plan, season.tuning, season.pinch.languages, heldout)
    keep_study(study, out)
    measured = tune_and_measure(study, out)
    handed = handed_of_study(measured.inputs, measured.graph, measured.store, SEASONED)
    handed = replace(handed, notes=seasoned.notes)
    model = hand_over(handed, out / MODEL, overwrite=(out / MODEL).exists())
    return model, write_page(measured, season.pinch, translated, seasoned.notes, out)
