"""Scores as they would be if both answers of a pair were equally long.

After Dubois et al. (2024), arXiv 2404.04475: a logistic regression of the verdict on the length difference
and the item, read at a difference of zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from polypinch.stats.bias import ByLanguage
from polypinch.stats.bootstrap import Array, Estimate
from polypinch.stats.means import SHARE, interval

_Places = npt.NDArray[np.intp]
_FAINT = 1e-3  # ridge on every coefficient: where all pairs are won, they stay finite


@dataclass(frozen=True)
class LengthControlled:
    """Length-controlled scores.

    Attributes:
        scores: by language and over all, in [0, 1].
        slope: how the log-odds of a win change as the arm's answer grows from as long as the other to very
            much longer; with its interval. 0 where length does not matter.
    """

    scores: ByLanguage
    slope: Estimate


@dataclass(frozen=True)
class _Pairs:
    """Known pairs, one entry each."""

    outcome: Array
    length: Array
    item: _Places
    language: _Places
    items: int
    languages: int
    ridge: float


def length_controlled(
    outcome: Array,
    length_difference: Array,
    item_spread: float = 1.0,
    resamples: int = 400,
    seed: int = 0,
) -> LengthControlled:
    """Estimate scores at a length difference of zero.

    The outcome's log-odds (a tie is half a win: Papke and Wooldridge 1996, *J. Appl. Econometrics* 11,
    619-632) are the language's, plus a slope times tanh(length difference ÷ its standard deviation in the
    language), plus the item's. Items' effects are shared by their translations and seeds, and drawn to 0 as
    by a normal prior (ridge); Dubois et al. estimate each item's difficulty from many models beforehand,
    here it comes from the same comparison. A score is the mean over pairs of the probability at zero
    difference. Intervals refit on resampled items; the spread between seeds joins as in
    :func:`~polypinch.stats.interval`.

    Args:
        outcome: (seeds, items, languages); 1, 0.5, 0, or NaN where a verdict is missing.
        length_difference: the same shape; length of the arm's answer less that of the other, in any unit.
        item_spread: the prior's standard deviation, in log-odds; 0 leaves items out.
        resamples: how many.
        seed: of the resampling.
    """
    known = np.isfinite(outcome) & np.isfinite(length_difference)
    _, items, languages = outcome.shape
    run, item, language = np.nonzero(known)
    spread = np.ones(languages)
    for tag in np.unique(language):
        spread[tag] = np.std(length_difference[known[:, :, tag], tag]) or 1.0
    pairs = _Pairs(
        outcome[known],
        np.tanh(length_difference[known] / spread[language]),
        item,
        language,
        items,
        languages,
        1 / item_spread**2 if item_spread > 0 else 1e9,
    )
    own, of_items = _fit(pairs, np.ones(items), np.zeros(languages + 1), np.zeros(items))
    scores = _scores(pairs, np.ones(items), own, of_items)
    weights = np.random.default_rng(seed).multinomial(items, np.full(items, 1 / items), resamples)
    drawn, slopes = np.empty((resamples, languages)), np.empty(resamples)
    for index, weight in enumerate(weights.astype(np.float64)):
        again = _fit(pairs, weight, own, of_items)
        drawn[index], slopes[index] = _scores(pairs, weight, *again), again[0][-1]
    # A score is the mean outcome less what length adds to it: so it can be had for each seed alone.
    level = own[language] + of_items[item]
    adjusted = np.full(outcome.shape, np.nan)
    adjusted[run, item, language] = pairs.outcome - expit(level + own[-1] * pairs.length) + expit(level)

    def estimate(columns: list[int]) -> Estimate:
        part = adjusted[:, :, columns]
        n_items = int(np.isfinite(part).any(axis=(0, 2)).sum())
        if not n_items:
            return Estimate(np.nan, np.nan, np.nan, 0, len(outcome))
        value, plain = float(np.nanmean(scores[columns])), interval(part, bounds=SHARE)
        rows = drawn[:, columns]
        low, high = np.quantile(np.nanmean(rows[np.isfinite(rows).any(axis=1)], axis=1), [0.025, 0.975])
        # What is fitted anew in each resample, and what so few items at an end of the scale can tell.
        below = max(value - float(low), plain.value - plain.low)
        above = max(float(high) - value, plain.high - plain.value)
        ends = max(0.0, value - below), min(1.0, value + above)
        return Estimate(value, *ends, n_items, len(outcome))

    overall = estimate(list(range(languages)))
    ends = np.quantile(slopes, [0.025, 0.975]) if overall.n_items else (np.nan, np.nan)
    slope = own[-1] if overall.n_items else np.nan
    return LengthControlled(
        ByLanguage(tuple(estimate([tag]) for tag in range(languages)), overall),
        Estimate(float(slope), float(ends[0]), float(ends[1]), overall.n_items, len(outcome)),
    )


def _fit(pairs: _Pairs, weight: Array, own: Array, of_items: Array) -> tuple[Array, Array]:
    """Fit by Newton's method from the given start; items are eliminated, as their block is diagonal.

    Args:
        pairs: the data.
        weight: of each item, its share of the prior included: how often it was drawn.
        own: languages' levels and, last, the slope.
        of_items: items' effects.
    """
    item, language, length = pairs.item, pairs.language, pairs.length
    cell = item * pairs.languages + language
    of_pair = weight[item]
    own, of_items = own.copy(), of_items.copy()
    for _ in range(50):
        chance = expit(own[language] + own[-1] * length + of_items[item])
        surprise = of_pair * (pairs.outcome - chance)
        curve = of_pair * chance * (1 - chance)
        pull = np.append(np.bincount(language, surprise, pairs.languages), surprise @ length) - _FAINT * own
        pull_items = np.bincount(item, surprise, pairs.items) - pairs.ridge * weight * of_items
        block = np.diag(np.append(np.bincount(language, curve, pairs.languages), curve @ length**2) + _FAINT)
        block[-1, :-1] = block[:-1, -1] = np.bincount(language, curve * length, pairs.languages)
        across = np.column_stack(
            [
                np.bincount(cell, curve, pairs.items * pairs.languages).reshape(pairs.items, -1),
                np.bincount(item, curve * length, pairs.items),
            ]
        )
        diagonal = np.bincount(item, curve, pairs.items) + pairs.ridge * weight
        diagonal[diagonal == 0] = 1.0  # not drawn: its effect stays
        scaled = across / diagonal[:, None]
        step = np.linalg.solve(block - across.T @ scaled, pull - scaled.T @ pull_items)
        step /= max(1.0, float(np.abs(step).max()) / 4)  # a long step overshoots where all is won
        own += step
        of_items += pull_items / diagonal - scaled @ step
        if np.abs(step).max() < 1e-6:
            break
    return own, of_items


def _scores(pairs: _Pairs, weight: Array, own: Array, of_items: Array) -> Array:
    """Return languages' mean probabilities at zero length difference; NaN where no pair is."""
    of_pair = weight[pairs.item]
    chance = expit(own[pairs.language] + of_items[pairs.item])
    total = np.bincount(pairs.language, of_pair * chance, pairs.languages)
    count = np.bincount(pairs.language, of_pair, pairs.languages)
    means: Array = np.divide(total, count, out=np.full(pairs.languages, np.nan), where=count > 0)
    return means
