"""Endpoints: claims that must all hold before a dose is enough, for a measure of any direction and bounds.

Intersection-union (Berger 1982, *Technometrics* 24, 295-300): "enough" says that every endpoint holds, so
each is tested at 2.5 % and nothing is paid for their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate
from polypinch.stats.ladder import dose_ladder
from polypinch.stats.means import Bounds


@dataclass(frozen=True)
class Endpoint:
    """One measure over a group of languages, at every dose, and what it must do.

    Attributes:
        values: (doses, seeds, items, languages); NaN where missing.
        languages: positions to average; all where empty.
        margin: ``None`` for "better than none"; otherwise how much worse is still as good, positive.
        lower_is_better: as for a loss.
        bounds: ends of the measure's scale; ``None`` where it has none.
    """

    values: Array
    languages: tuple[int, ...] = ()
    margin: float | None = None
    lower_is_better: bool = False
    bounds: Bounds | None = None


@dataclass(frozen=True)
class Kept:
    """An endpoint at one dose.

    Attributes:
        change: dose less none, positive for better: the ladder's own number and interval.
        holds: whether the lower end is above 0, or above the margin's loss.
        fails: whether the upper end is below that, so that more data will not help.
    """

    change: Estimate
    holds: bool
    fails: bool


@dataclass(frozen=True)
class Enough:
    """One dose under all endpoints.

    Attributes:
        dose: its amount.
        endpoints: in the order given.
    """

    dose: float
    endpoints: tuple[Kept, ...]

    @property
    def holds(self) -> bool:
        """Whether every endpoint holds."""
        return all(one.holds for one in self.endpoints)

    @property
    def fails(self) -> bool:
        """Whether any endpoint is known not to hold."""
        return any(one.fails for one in self.endpoints)


def enough(
    endpoints: Sequence[Endpoint], doses: Sequence[float], resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Enough, ...]:
    """Test every dose above none under every endpoint.

    Each dose's claim is wrong in 2.5 % at most. To name the smallest or largest dose that is enough, the
    ladder's step-down says which doses work at an error shared by all.

    Args:
        endpoints: one or more.
        doses: amount of each, the smallest being none, in any order.
        resamples: how many.
        seed: of the resampling.

    Raises:
        ValueError: no endpoint, a margin that is not positive, or doses as :func:`dose_ladder` refuses.
    """
    if not endpoints or any(one.margin is not None and not one.margin > 0 for one in endpoints):
        raise ValueError("one endpoint or more, and a margin is positive")
    columns = []
    for one in endpoints:
        ladder = dose_ladder(
            one.values, doses, one.lower_is_better, one.languages or None, one.bounds,
            resamples=resamples, seed=seed,
        )  # fmt: skip
        least = 0.0 if one.margin is None else -one.margin
        columns.append(
            [Kept(each.change, each.change.low > least, each.change.high < least) for each in ladder.effects]
        )
    ascending = np.sort(np.asarray(doses, dtype=np.float64))[1:]
    return tuple(
        Enough(float(dose), kept) for dose, kept in zip(ascending, zip(*columns, strict=True), strict=True)
    )
