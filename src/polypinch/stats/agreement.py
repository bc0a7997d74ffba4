"""How far raters agree: shares, chance-corrected coefficients, and their intervals by resampling items.

Every coefficient here is a function of sums over items, so that a bootstrap is one matrix product of
weights and per-item counts: thousands of resamples cost what a loop over items would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from polypinch.stats.bootstrap import RESAMPLES, Array, Estimate
from polypinch.stats.edges import widened

Codes = npt.NDArray[np.int64]
"""Categories as numbers from 0; :data:`MISSING` where there is no rating."""

MISSING = -1
_BLOCK = 1 << 24


@dataclass(frozen=True)
class Statistic:
    """A coefficient before it is summed.

    Attributes:
        features: (items, features), what each item adds; an item that says nothing is all zero.
        finish: turns sums over items, (..., features), into the coefficient, (...); NaN where undefined.
        least: the lowest value that it is read on; the highest is 1.
    """

    features: Array
    finish: Callable[[Array], Array]
    least: float = 0.0


@dataclass(frozen=True)
class Coefficient:
    """A coefficient with its interval.

    Attributes:
        value: the coefficient; NaN where it is undefined.
        low: lower end of the 95 % interval.
        high: upper end.
        n_items: items that count towards it.
    """

    value: float
    low: float
    high: float
    n_items: int

    def as_dict(self) -> dict[str, float | int]:
        """Return the fields as a dict."""
        return asdict(self)


def exact(categories: int) -> Array:
    """Return the credit, (categories, categories), that only the same choice earns."""
    return np.eye(categories)


def tie_discounted(categories: int, tie: int) -> Array:
    """Return the credit of LIMA (Zhou et al. 2023, arXiv 2305.11206, section 4).

    One point if both agree, half a point if exactly one of the two says tie, 0 otherwise.

    Args:
        categories: how many.
        tie: which of them is the tie.
    """
    credit = np.eye(categories)
    credit[tie, :] = credit[:, tie] = 0.5
    credit[tie, tie] = 1.0
    return credit


def joint(first: Codes, second: Codes, categories: int) -> Array:
    """Count pairs of choices, item by item.

    Args:
        first: (items,) or (items, pairs).
        second: of the same shape, or (items,) against every column of the other.
        categories: how many there are.

    Returns:
        (items, categories × categories): how often an item's pairs chose (row, column).
    """
    one, other = np.broadcast_arrays(*(x if x.ndim == 2 else x[:, None] for x in (first, second)))
    known = (one != MISSING) & (other != MISSING)
    cells = np.where(known, one * categories + other, categories**2)
    counts = np.zeros((one.shape[0], categories**2 + 1))
    np.add.at(counts, (np.arange(one.shape[0])[:, None], cells), 1.0)
    return counts[:, :-1]


def joint_among(codes: Codes, categories: int) -> Array:
    """Count the pairs of choices that raters make among themselves, both ways round; as :func:`joint`.

    Args:
        codes: (items, raters).
        categories: how many there are.
    """
    counts = _counts(codes, categories)
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs[:, np.arange(categories), np.arange(categories)] -= counts
    return pairs.reshape(len(codes), categories**2)


def _over(numerator: Array, denominator: Array) -> Array:
    quotient: Array = np.divide(
        numerator, denominator, out=np.full(np.shape(denominator), np.nan), where=denominator > 1e-12
    )
    return quotient


def _corrected(observed: Array, expected: Array) -> Array:
    """Return (observed - expected) / (1 - expected), undefined where chance alone agrees always."""
    return _over(observed - expected, 1 - expected)


def mean_agreement(pairs: Array, credit: Array) -> Statistic:
    """Return the mean credit over all pairs of choices, 0 to 1.

    Args:
        pairs: what :func:`joint` gives.
        credit: (categories, categories); see :func:`exact` and :func:`tie_discounted`.
    """
    earned = credit.reshape(-1)
    return Statistic(pairs, lambda sums: _over(sums @ earned, sums.sum(axis=-1)))


def _cohen(sums: Array) -> Array:
    categories = round(sums.shape[-1] ** 0.5)
    table = sums.reshape(*sums.shape[:-1], categories, categories)
    total = table.sum(axis=(-1, -2))
    observed = _over(np.trace(table, axis1=-2, axis2=-1), total)
    expected = _over((table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1), total**2)
    return _corrected(observed, expected)


def cohen_kappa(pairs: Array) -> Statistic:
    """Return Cohen's kappa, unweighted (Cohen 1960, doi:10.1177/001316446002000104).

    Args:
        pairs: what :func:`joint` gives. Several pairs in an item are pooled in one table of choices.
    """
    return Statistic(pairs, _cohen, -1.0)


def mean_cohen_kappa(codes: Codes, categories: int) -> Statistic:
    """Return the mean of Cohen's kappa over all pairs of raters (Light 1971, doi:10.1037/h0031643).

    Args:
        codes: (items, raters).
        categories: how many.
    """
    raters = codes.shape[1]
    pairs = [joint(codes[:, i], codes[:, j], categories) for i in range(raters) for j in range(i)]

    def finish(sums: Array) -> Array:
        kappas = _cohen(sums.reshape(*sums.shape[:-1], len(pairs), categories**2))
        known = np.isfinite(kappas)
        return _over(np.where(known, kappas, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))

    return Statistic(np.concatenate(pairs, axis=1) if pairs else np.zeros((len(codes), 0)), finish, -1.0)


def _counts(codes: Codes, categories: int) -> Array:
    counts: Array = (codes[:, :, None] == np.arange(categories)).sum(axis=1).astype(np.float64)
    return counts


def fleiss_kappa(codes: Codes, categories: int) -> Statistic:
    """Return Fleiss' kappa (Fleiss 1971, doi:10.1037/h0031619).

    It wants the same number of ratings, by whomever, on every item: the most frequent number from two on is
    taken, and items with another number are left out.

    Args:
        codes: (items, raters).
        categories: how many.
    """
    counts = _counts(codes, categories)
    rated = counts.sum(axis=1)
    several = rated[rated >= 2].astype(np.int64)
    number = int(np.bincount(several).argmax()) if several.size else 2
    kept = (rated == number)[:, None]
    same = (counts * (counts - 1)).sum(axis=1, keepdims=True) / (number * (number - 1))
    features = np.where(kept, np.hstack([same, np.ones_like(same), counts]), 0.0)

    def finish(sums: Array) -> Array:
        shares = _over(sums[..., 2:], np.repeat(sums[..., 2:].sum(axis=-1, keepdims=True), categories, -1))
        return _corrected(_over(sums[..., 0], sums[..., 1]), (shares**2).sum(axis=-1))

    return Statistic(features, finish, -1.0)


def krippendorff_alpha(codes: Codes, categories: int) -> Statistic:
    """Return Krippendorff's alpha for nominal categories, missing ratings allowed.

    After Krippendorff (2011), *Computing Krippendorff's Alpha-Reliability*: an item counts if two raters or
    more chose, and its pairs weigh 1 / (ratings - 1).

    Args:
        codes: (items, raters).
        categories: how many.
    """
    counts = _counts(codes, categories)
    rated = counts.sum(axis=1, keepdims=True)
    pairable = rated >= 2
    different = rated**2 - (counts**2).sum(axis=1, keepdims=True)
    observed = different / np.where(pairable, rated - 1, 1.0)
    features = np.where(pairable, np.hstack([observed, counts]), 0.0)

    def finish(sums: Array) -> Array:
        chosen = sums[..., 1:]
        total = chosen.sum(axis=-1)
        expected = total**2 - (chosen**2).sum(axis=-1)
        alpha: Array = 1 - (total - 1) * _over(sums[..., 0], expected)
        return alpha

    return Statistic(features, finish, -1.0)


def ratio(numerator: Array, denominator: Array) -> Statistic:
    """Return the ratio of two sums over items.

    Args:
        numerator: (items,).
        denominator: (items,); 0 where an item does not count.
    """
    return Statistic(
        np.stack([numerator, denominator], axis=1), lambda sums: _over(sums[..., 0], sums[..., 1])
    )


def majority(codes: Codes, categories: int, undecided: int = MISSING) -> Codes:
    """Return each item's choice with more votes than any other, (items,).

    Args:
        codes: (items, raters).
        categories: how many.
        undecided: what stands where several choices share the lead; an item without a vote is missing.
    """
    counts = _counts(codes, categories)
    if not counts.size:
        return np.full(len(codes), MISSING)
    most = counts.max(axis=1)
    leaders = (counts == most[:, None]).sum(axis=1)
    chosen = np.where(leaders == 1, counts.argmax(axis=1), undecided)
    return np.where(most > 0, chosen, MISSING).astype(np.int64)


def majority_of_others(codes: Codes, categories: int) -> Codes:
    """Return, for each rater and item, the majority vote of all other raters, (items, raters).

    Missing where the rater did not choose, and where the others have no majority. Raters held against the
    majority of the others are the human ceiling; a judge held against the same majorities is compared on the
    same footing (after the leave-one-out comparison of Calderon et al. 2025, arXiv 2501.10970).

    Args:
        codes: (items, raters).
        categories: how many.
    """
    counts = _counts(codes, categories)
    found = np.full(codes.shape, MISSING)
    for rater in range(codes.shape[1]):
        own = codes[:, rater]
        others = counts - (own[:, None] == np.arange(categories))
        most = others.max(axis=1)
        clear = (own != MISSING) & (most > 0) & ((others == most[:, None]).sum(axis=1) == 1)
        found[clear, rater] = others[clear].argmax(axis=1)
    return found


def _sums(features: Array, clusters: Sequence[object] | None) -> Array:
    if clusters is None:
        return features
    _, index = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    sums = np.zeros((int(index.max(initial=-1)) + 1, features.shape[1]))
    np.add.at(sums, index, features)
    return sums


def draws(
    statistic: Statistic,
    clusters: Sequence[object] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Array:
    """Resample items with replacement and return the coefficient of each resample, (resamples,).

    The same seed, clusters and number of items draw the same items: two statistics stay paired.

    Args:
        statistic: of n items.
        clusters: (n,) names of what is drawn together (translations of one item, pairs with one prompt); by
            default every item alone.
        resamples: how many.
        seed: of the resampling.
    """
    sums = _sums(statistic.features, clusters)
    number = len(sums)
    if not number:
        return np.full(resamples, np.nan)
    if resamples * number <= _BLOCK:
        return statistic.finish(_weights(number, resamples, seed) @ sums)
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // number)
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    return np.concatenate([statistic.finish(_drawn(generator, number, size) @ sums) for size in sizes])


def _drawn(generator: np.random.Generator, number: int, size: int) -> Array:
    return generator.multinomial(number, np.full(number, 1 / number), size).astype(np.float64)


@lru_cache(maxsize=1)
def _weights(number: int, resamples: int, seed: int) -> Array:
    """Return (resamples, number) counts of who was drawn; kept, as many coefficients share the same draw."""
    weights = _drawn(np.random.default_rng(seed), number, resamples)
    weights.flags.writeable = False
    return weights


def _interval(
    value: float, drawn: Array, features: Array, clusters: Sequence[object] | None, scale: tuple[float, float]
) -> Coefficient:
    n_items = int(features.any(axis=1).sum())
    known = drawn[np.isfinite(drawn)]
    if not known.size or not np.isfinite(value):
        return Coefficient(value, np.nan, np.nan, n_items)
    low, high = np.quantile(known, [0.025, 0.975])
    # Items that all say the same leave resampling without a spread, and yet leave room.
    drawn_apart = int(_sums(features, clusters).any(axis=1).sum())
    found = widened(Estimate(value, float(low), float(high), drawn_apart, 1), *scale)
    return Coefficient(value, found.low, found.high, n_items)


def estimate(
    statistic: Statistic,
    clusters: Sequence[object] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Coefficient:
    """Return a coefficient with its 95 % percentile interval over items (Efron 1979); see :func:`draws`."""
    value = float(statistic.finish(statistic.features.sum(axis=0)))
    drawn = draws(statistic, clusters, resamples, seed)
    return _interval(value, drawn, statistic.features, clusters, (statistic.least, 1.0))


def difference(
    one: Statistic,
    other: Statistic,
    clusters: Sequence[object] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Coefficient:
    """Return ``one`` minus ``other``, both over the same items, with a paired 95 % interval."""
    value = float(one.finish(one.features.sum(axis=0)) - other.finish(other.features.sum(axis=0)))
    drawn = draws(one, clusters, resamples, seed) - draws(other, clusters, resamples, seed)
    both = np.stack([one.features.any(axis=1), other.features.any(axis=1)], axis=1).all(axis=1, keepdims=True)
    most = 1.0 - min(one.least, other.least)
    return _interval(value, drawn, np.asarray(both, np.float64), clusters, (-most, most))
