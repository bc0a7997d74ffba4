"""A study that stops when it knows: which tunings next, or what is decided, from the arrays so far.

Everything is a function of the values: :func:`search` replays the looks from the first on, so a search that
was killed goes on with the same decisions. First none, a middle and the largest dose are tuned with two
seeds; while it is open whether any dose works, further seeds and then all doses follow, and the error is
spent on these looks evenly over the tunings (Lan and DeMets 1983, *Biometrika* 70, 659-663).
It is added up over looks, as if they were independent of one another.
Once a dose works, the doses below it are halved, each new dose being one test at the family's
error divided by how often one can halve. The last look is the fixed ladder. What choosing the next tunings by
the data does to the error is checked by simulation (``python -m benchmarks adaptive-study``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, log2

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from polypinch.stats.bootstrap import RESAMPLES, Array
from polypinch.stats.ladder import Ladder, dose_ladder
from polypinch.stats.means import Bounds
from polypinch.stats.needed import ERROR

FEWEST_SEEDS = 2
FUTILITY = 0.1
"""One-sided: the chance to give a dose up at one look although it is worth just enough."""


class Decision(StrEnum):
    """What a search knows."""

    OPEN = "open"
    WORKS = "works"  # the smallest dose that does lies from ``low`` to ``high``
    ISOLATED = "isolated"  # a dose works, although the largest is not told to
    NOTHING = "nothing"  # no dose tuned is worth it
    CANNOT_TELL = "cannot tell"  # all doses and seeds are tuned


@dataclass(frozen=True)
class Tuning:
    """A training to do: positions of its dose, ascending, and of its seed."""

    dose: int
    seed: int


@dataclass(frozen=True)
class Look:
    """What was known after some tunings.

    Attributes:
        tunings: done until then.
        error: that this look could spend, one-sided.
        ladder: of the doses tuned until then.
        tuned: those doses, ascending.
    """

    tunings: int
    error: float
    ladder: Ladder
    tuned: tuple[float, ...]


@dataclass(frozen=True)
class Search:
    """Where a search stands.

    Attributes:
        decision: what is known.
        following: tunings to do next; empty where it has stopped.
        low: the smallest dose by which something works, as in :class:`Ladder`; ``None`` if not told.
        high: the smallest dose from there on that is itself better than none.
        looks: in the order made.
        most: tunings of the fixed ladder: more are never done.
    """

    decision: Decision
    following: tuple[Tuning, ...]
    low: float | None
    high: float | None
    looks: tuple[Look, ...]
    most: int


def search(
    values: Array,
    doses: Sequence[float],
    worth: float,
    lower_is_better: bool = False,
    languages: Sequence[int] | None = None,
    bounds: Bounds | None = None,
    error: float = ERROR,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Search:
    """Say which tunings are next, or what is decided.

    Args:
        values: (doses, seeds, items, languages); NaN where not tuned yet, or missing. The number of
            seeds is the most that may be tuned of a dose, two or more.
        doses: amount of each, ascending, none first; three or more.
        worth: the smallest effect of interest, positive: doses that are surely below it are given up.
        lower_is_better: as for a loss.
        languages: positions of the languages to average; all by default.
        bounds: ends of the measure's scale; ``None`` where it has none.
        error: of naming any dose too small, one-sided, over all looks and doses.
        resamples: how many.
        seed: of the resampling.

    Raises:
        ValueError: fewer than three doses or two seeds, doses not ascending, or ``worth`` not positive.
    """
    n_doses, n_seeds = values.shape[:2]
    _check(n_doses, n_seeds, doses, worth)
    done: npt.NDArray[np.bool_] = np.any(np.isfinite(values), axis=(2, 3))
    wanted = np.zeros((n_doses, n_seeds), dtype=bool)
    middle = n_doses // 2
    wanted[[0, middle, n_doses - 1], :FEWEST_SEEDS] = True
    most, spent = n_doses * n_seeds, 0.0
    looks: list[Look] = []
    low = high = None
    halving: tuple[int, int, float] | None = None  # a dose not told, one that is, and each test's error
    while True:
        missing = np.argwhere(wanted & ~done)
        if len(missing):
            following = tuple(Tuning(int(dose), int(run)) for dose, run in missing)
            return Search(Decision.OPEN, following, low, high, tuple(looks), most)
        count = int(wanted.sum())
        level = error * count / most - spent if halving is None else halving[2]
        tuned = np.flatnonzero(wanted.any(axis=1))
        runs = int(wanted.sum(axis=1).max())
        kept = np.where(wanted[:, :, None, None], values, np.nan)[tuned][:, :runs]
        amounts = [doses[int(at)] for at in tuned]
        ladder = dose_ladder(kept, amounts, lower_is_better, languages, bounds, worth, level, resamples, seed)
        looks.append(Look(count, level, ladder, tuple(amounts)))
        if halving is None:
            spent += level
            if ladder.isolated and not ladder.works:
                return Search(Decision.ISOLATED, (), None, None, tuple(looks), most)
            if ladder.low is None:
                if _futile(ladder, worth):
                    return Search(Decision.NOTHING, (), None, None, tuple(looks), most)
                if wanted.all():
                    return Search(Decision.CANNOT_TELL, (), None, None, tuple(looks), most)
                wanted = _further(wanted, tuned)
                continue
            low = ladder.low
            told = int(np.argmin(np.abs(np.asarray(doses) - ladder.low)))
            under = max((int(at) for at in tuned if at < told), default=0)
            halving = (under, told, error / max(ceil(log2(max(told - under, 1))), 1))
        else:
            under, told, level = halving
            fresh = (under + told) // 2
            if ladder.low is not None and ladder.low <= doses[fresh]:
                told, low = fresh, float(doses[fresh])
            else:
                under = fresh
            halving = (under, told, level)
        alone = [one.dose for one in ladder.effects if one.better and one.dose >= doses[told]]
        high = min(alone, default=None)
        if told - under < 2:
            return Search(Decision.WORKS, (), low, high, tuple(looks), most)
        wanted[(under + told) // 2, :runs] = True


def _futile(ladder: Ladder, worth: float) -> bool:
    """Return whether every dose tuned is below what is of interest."""
    z = float(ndtri(1 - FUTILITY) / ndtri(0.975))
    return all(one.change.value + z * (one.change.high - one.change.value) < worth for one in ladder.effects)


def _further(wanted: npt.NDArray[np.bool_], tuned: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Return what to tune next where nothing is told: one more seed of the doses tuned, then all."""
    more = wanted.copy()
    runs = int(wanted[tuned].sum(axis=1).max())
    if runs < wanted.shape[1]:
        more[tuned, : runs + 1] = True
    elif not wanted[-2].any():
        more[-2] = True
    else:
        more[:] = True
    return more


def _check(n_doses: int, n_seeds: int, doses: Sequence[float], worth: float) -> None:
    if n_doses < 3 or n_seeds < FEWEST_SEEDS or not worth > 0:
        raise ValueError("a search takes three doses, two seeds and a positive effect of interest")
    if len(doses) != n_doses or list(doses) != sorted(set(doses)):
        raise ValueError("doses ascend, with one array for each")
