"""The last step: a model is tuned on the seasoned rows, and shown before and after."""

from __future__ import annotations

from pathlib import Path

from polypinch.season.before_after import write_page
from polypinch.season.heldout import write_heldout
from polypinch.season.season import Season
from polypinch.season.seasoned import Seasoned
from polypinch.season.tuned import Measured, keep_study, study_of, tune_and_measure


def tune_season(season: Season, seasoned: Seasoned, max_cost: float | None = None) -> tuple[Measured, Path]:
    """Tune, measure before and after, and write the page; return what was measured, and the page's path.

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
    return measured, write_page(measured, season.pinch, translated, seasoned.notes, out)
