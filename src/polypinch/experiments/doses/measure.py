"""Growing doses of the same languages: Figures 3 and 4 of the paper."""

from __future__ import annotations

from collections.abc import Sequence

from polypinch.experiments.composition import Condition
from polypinch.experiments.measured import SCORE, Measured
from polypinch.report import Experiment


def doses(measured: Measured, steps: Sequence[Condition]) -> Experiment | None:
    """Return which arms are a ladder of shares; their scores stand in the report's own table.

    Args:
        measured: the arms' measures.
        steps: arms that differ in their dose alone, by share.
    """
    if measured.stacked([one.arm for one in steps], SCORE) is None:
        return None
    dosed = frozenset[str]().union(*(one.dosed for one in steps))
    shares = [{"arm": one.arm, "share": one.dose / one.rows} for one in steps]
    others = measured.axes.languages[1:]
    added = any(one.placement == "add" for one in steps)
    facts = {"shares": shares, "dosed": sorted(dosed), "all": set(others) <= dosed, "added": added}
    return Experiment("doses", measured.model, {}, facts)
