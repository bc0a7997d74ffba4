"""How many tunings a search is expected to take, from simulated studies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polypinch.stats.bootstrap import Array
from polypinch.stats.stopping import search

BY_SEED, BY_ITEM, BY_ANSWER = 0.001, 0.02, 0.04
"""Standard deviations of a dose's loss, in bits per byte, averaged over languages: by training, by item, and
by item and training. The last is measured, of gemma-3-270m on pinch12; the second is assumed."""
EFFECT = 0.02
"""Of a dose that works, in bits per byte."""
_STUDIES = 12
_RESAMPLES = 200


@dataclass(frozen=True)
class Expected:
    """Tunings of a search.

    Attributes:
        where_nothing_works: on average, where no dose does anything.
        where_half_works: on average, where the upper half of the doses lowers the loss by ``EFFECT``.
    """

    where_nothing_works: float
    where_half_works: float


def expected_tunings(doses: int, seeds: int, items: int, worth: float) -> Expected:
    """Simulate searches of held-out loss.

    Args:
        doses: none among them; three or more.
        seeds: the most of a dose; two or more.
        items: held-out items.
        worth: the smallest effect of interest, in bits per byte.
    """
    generator = np.random.default_rng(1)
    half = np.where(np.arange(doses) >= (doses + 1) // 2, EFFECT, 0.0)
    nothing, works = (
        float(np.mean([_tunings(generator, truth, seeds, items, worth) for _ in range(_STUDIES)]))
        for truth in (np.zeros(doses), half)
    )
    return Expected(nothing, works)


def _tunings(generator: np.random.Generator, truth: Array, seeds: int, items: int, worth: float) -> int:
    doses = len(truth)
    of_items = generator.normal(0, BY_ITEM, (doses, 1, items)) * (np.arange(doses) > 0)[:, None, None]
    of_seeds = generator.normal(0, BY_SEED, (doses, seeds, 1))
    answers = generator.normal(0, BY_ANSWER, (doses, seeds, items))
    values = (truth[:, None, None] + of_seeds + of_items + answers)[..., None]
    shown = np.full(values.shape, np.nan)
    while True:
        following = search(shown, range(doses), worth, resamples=_RESAMPLES).following
        if not following:
            return int(np.isfinite(shown[:, :, 0, 0]).sum())
        for one in following:
            shown[one.dose, one.seed] = values[one.dose, one.seed]
