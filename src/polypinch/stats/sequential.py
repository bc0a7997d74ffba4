"""Confidence sequences: intervals that may be looked at after every verdict, and stopped on.

The interval is by betting (Waudby-Smith and Ramdas 2023, *JRSS-B*, arXiv 2010.09686), for outcomes drawn
without replacement from a finite set (Waudby-Smith and Ramdas 2020, arXiv 2006.04347) or with it. A gambler
who holds that the mean is *m* is bet against with several constant shares of the capital at once (Kelly
bets, diversified: no tuning to an unknown mean), once that the mean is larger and once that it is
smaller; *m* is out of the interval for good when either capital has grown by 2 ÷ error. By Ville's
inequality a true *m* is ever thrown out with no more than that error, whatever the rule of stopping.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polypinch.stats.bootstrap import Array

POINTS = 401
"""Means that are tried, evenly from 0 to 1: an end of an interval is rounded outward by up to 1/400."""

# Shares of the capital to bet: dense where preferences are slight, as those take the most verdicts.
_BETS = np.array([0.03, 0.06, 0.1, 0.15, 0.21, 0.28, 0.36, 0.45, 0.56, 0.7, 0.9])[:, None]
_SLACK = 1e-9


class Sequences:
    """Confidence sequences for the means of many comparisons, each over its own outcomes in [0, 1].

    Outcomes must come in random order. A missing outcome (NaN) counts as drawn and could have been anything:
    it is 0 for the lower end and 1 for the upper one, so that failures widen an interval and shift none.

    Attributes:
        count: outcomes drawn so far, missing ones included; (comparisons,).
        low: lower ends.
        high: upper ends.
        above: whether a mean is certainly above ``threshold``.
        below: whether it is certainly below.
    """

    def __init__(self, sizes: Sequence[float], error: float, threshold: float = 0.5) -> None:
        """Start with nothing drawn.

        Args:
            sizes: how many outcomes each comparison has in all; ``inf`` to draw with replacement.
            error: each comparison's probability that its sequence ever misses its mean.
            threshold: the mean of interest, between 0 and 1.
        """
        if not 0 < error < 1 or not 0 < threshold < 1:
            raise ValueError("an error rate and a threshold lie between 0 and 1")
        self.sizes: Array = np.asarray(sizes, dtype=np.float64)
        n = len(self.sizes)
        self._limit = 2 / error * len(_BETS)
        self._means: Array = np.union1d(np.linspace(0, 1, POINTS), [threshold])
        self._threshold = threshold
        self._at = int(np.searchsorted(self._means, threshold))
        # One table for both sides: an outcome below m is 1 − the outcome above 1 − m.
        self._grid: Array = np.stack([self._means, 1 - self._means])
        self._capital: Array = np.ones((n, 2, len(_BETS), len(self._means)))
        self._drawn: Array = np.zeros((n, 2))
        self._known: Array = np.zeros(n)
        self._sum: Array = np.zeros(n)
        self.count: Array = np.zeros(n)
        self.low: Array = np.zeros(n)
        self.high: Array = np.ones(n)
        self.above: npt.NDArray[np.bool_] = np.zeros(n, dtype=bool)
        self.below: npt.NDArray[np.bool_] = np.zeros(n, dtype=bool)

    @property
    def mean(self) -> Array:
        """Means of the known outcomes; NaN where there is none."""
        empty: Array = np.full(len(self._sum), np.nan)
        return np.divide(self._sum, self._known, out=empty, where=self._known > 0)

    def update(self, outcomes: Array, which: npt.NDArray[np.intp] | None = None) -> None:
        """Draw one further outcome of each comparison, or of those in ``which`` (each at most once).

        Raises:
            ValueError: an outcome is not in [0, 1], or there are more than its comparison has.
        """
        own = np.arange(len(self.sizes)) if which is None else which
        outcomes = np.asarray(outcomes, dtype=np.float64)
        if ((outcomes < 0) | (outcomes > 1)).any():
            raise ValueError("an outcome lies between 0 and 1")
        if (self.count[own] >= self.sizes[own]).any():
            raise ValueError("more outcomes than the comparison has items")
        known = np.isfinite(outcomes)
        # A gain for "the mean is larger", and for "it is smaller"; a missing outcome gains neither.
        gains = np.where(known[:, None], np.stack([outcomes, 1 - outcomes], axis=1), 0.0)
        sizes, count = self.sizes[own, None, None], self.count[own, None, None]
        finite = np.isfinite(sizes)
        with np.errstate(invalid="ignore"):
            left = np.where(finite, (sizes * self._grid - self._drawn[own][:, :, None]) / (sizes - count), 0)
        # What the rest would have to average if m were the mean; what lies outside is excluded below.
        rest = np.clip(np.where(finite, left, self._grid), _SLACK, 1)
        odds = (gains[:, :, None] / rest)[:, :, None]
        with np.errstate(over="ignore"):
            self._capital[own] *= 1 + _BETS * (odds - 1)
        self._drawn[own] += gains
        self._known[own] += known
        self._sum[own] += np.where(known, outcomes, 0.0)
        self.count[own] += 1
        self._narrow(own)

    def _narrow(self, own: npt.NDArray[np.intp]) -> None:
        with np.errstate(over="ignore"):
            out = self._capital[own].sum(axis=2) >= self._limit
        # Capital against "larger" falls with m, and against "smaller" it grows: what is out is one run.
        lowest = out[:, 0].sum(axis=1) - 1
        highest = len(self._means) - out[:, 1].sum(axis=1)
        low = np.where(lowest >= 0, self._means[np.maximum(lowest, 0)], 0.0)
        high = np.where(
            highest < len(self._means), self._means[np.minimum(highest, len(self._means) - 1)], 1.0
        )
        share = self._drawn[own] / self.sizes[own, None]  # what the rest cannot undo
        self.low[own] = np.maximum(self.low[own], np.maximum(low, share[:, 0]))
        self.high[own] = np.minimum(self.high[own], np.minimum(high, 1 - share[:, 1]))
        self.above[own] |= (lowest >= self._at) | (self.low[own] > self._threshold + _SLACK)
        self.below[own] |= (highest <= self._at) | (self.high[own] < self._threshold - _SLACK)


@dataclass(frozen=True)
class Standing:
    """Where a comparison stands.

    Attributes:
        mean: of the outcomes known so far; NaN before the first.
        low: lower end of its interval, valid together with all others' at all times.
        high: upper end.
        decided: ``above`` or ``below`` the threshold, ``narrow`` where only the interval's half-width is
            below the target, or ``None``: go on.
        drawn: outcomes so far, missing ones included.
    """

    mean: float
    low: float
    high: float
    decided: str | None
    drawn: int


class Monitor:
    """Watches many comparisons and says when each can stop, at one error rate for all of them together.

    The rate is divided evenly (Bonferroni): with probability 1 − ``error`` or more, all intervals hold at
    all times, and so no comparison is ever said to be on the wrong side, however the outcomes of different
    comparisons hang together and whenever anyone looks or stops. Without replacement the mean is that of all
    the comparison's items: the answer that judging everything would have given.
    """

    def __init__(
        self,
        comparisons: Sequence[Hashable] | Mapping[Any, int],
        items: int | None = None,
        half_width: float = 0.05,
        error: float = 0.05,
        threshold: float = 0.5,
    ) -> None:
        """Start with nothing drawn.

        Args:
            comparisons: their names, for instance (arm, language); or names with how many items each has.
            items: how many each has where names alone are given; ``None`` for outcomes drawn independently.
            half_width: stop at an interval this narrow; 0 goes on until the side is settled.
            error: for all comparisons together.
            threshold: the mean of interest; 0.5 is parity.
        """
        if not comparisons:
            raise ValueError("nothing to compare")
        each = float("inf") if items is None else float(items)
        sizes = comparisons if isinstance(comparisons, Mapping) else dict.fromkeys(comparisons, each)
        self._position = {name: index for index, name in enumerate(sizes)}
        self._target = half_width
        self.sequences = Sequences([float(size) for size in sizes.values()], error / len(sizes), threshold)

    def update(self, comparison: Hashable, outcome: float | None) -> Standing:
        """Take one outcome (``None`` or NaN where the verdict is missing) and return where it stands.

        Outcomes of calls that were under way when a comparison was decided are welcome.
        """
        value = np.nan if outcome is None else outcome
        self.sequences.update(np.array([value]), np.array([self._position[comparison]]))
        return self.state(comparison)

    def state(self, comparison: Hashable) -> Standing:
        """Return where a comparison stands."""
        index, seen = self._position[comparison], self.sequences
        low = float(seen.low[index])
        high = max(low, float(seen.high[index]))
        decided = None
        if seen.above[index]:
            decided = "above"
        elif seen.below[index]:
            decided = "below"
        elif (high - low) / 2 < self._target or high == low:
            decided = "narrow"
        return Standing(float(seen.mean[index]), low, high, decided, int(seen.count[index]))

    def undecided(self) -> list[Hashable]:
        """Return the comparisons that go on: not decided, and not out of items."""
        seen = self.sequences
        return [
            name
            for name, index in self._position.items()
            if self.state(name).decided is None and seen.count[index] < seen.sizes[index]
        ]
