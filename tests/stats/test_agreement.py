"""Agreement against published worked examples, against plain loops, and its invariants."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from polypinch.stats.agreement import (
    MISSING,
    Codes,
    Statistic,
    cohen_kappa,
    difference,
    draws,
    estimate,
    exact,
    fleiss_kappa,
    joint,
    joint_among,
    krippendorff_alpha,
    majority,
    majority_of_others,
    mean_agreement,
    mean_cohen_kappa,
    ratio,
    tie_discounted,
)

FIRST, SECOND, TIE = 0, 1, 2

RATINGS = arrays.arrays(
    np.int64,
    st.tuples(st.integers(1, 12), st.integers(2, 5)),
    elements=st.integers(MISSING, 2),
)


def value(statistic: Statistic) -> float:
    return float(statistic.finish(statistic.features.sum(axis=0)))


def rows(*written: str) -> Codes:
    """Rows of raters as text, '.' for missing, to (items, raters)."""
    table = [[MISSING if mark == "." else int(mark) - 1 for mark in row.split()] for row in written]
    return np.array(table, dtype=np.int64).T


def from_counts(counts: list[list[int]]) -> Codes:
    return np.array([[c for c, n in enumerate(row) for _ in range(n)] for row in counts], dtype=np.int64)


def test_cohens_kappa_of_the_textbook() -> None:
    # Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, table 18.1: 0.676
    table = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    pairs = np.array([(i, j) for i in range(3) for j in range(3) for _ in range(table[i, j])])
    counted = joint(pairs[:, 0], pairs[:, 1], 3)
    assert value(cohen_kappa(counted)) == pytest.approx(0.676, abs=5e-4)
    assert value(mean_agreement(counted, exact(3))) == pytest.approx(0.89)


def test_fleiss_kappa_of_a_published_example() -> None:
    # Ten subjects, fourteen raters, five categories: 0.210 (the example of Wikipedia's "Fleiss' kappa")
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    assert value(fleiss_kappa(from_counts(counts), 5)) == pytest.approx(0.210, abs=5e-4)


def test_krippendorffs_alpha_of_his_own_examples() -> None:
    # Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, sections A, B and C
    binary = rows("1 2 1 1 1 1 1 1 2 1", "2 2 2 1 1 2 1 1 1 1")
    assert value(krippendorff_alpha(binary, 2)) == pytest.approx(0.095, abs=5e-4)
    nominal = rows("1 1 2 2 4 3 3 3 5 4 4 1", "2 1 2 2 2 3 3 3 5 4 4 4")
    assert value(krippendorff_alpha(nominal, 5)) == pytest.approx(0.692, abs=5e-4)
    incomplete = rows(
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    )
    assert value(krippendorff_alpha(incomplete, 5)) == pytest.approx(0.743, abs=5e-4)


def test_limas_points() -> None:
    credit = tie_discounted(3, TIE)
    assert credit[FIRST, FIRST] == credit[TIE, TIE] == 1
    assert credit[FIRST, TIE] == credit[TIE, SECOND] == 0.5
    assert credit[FIRST, SECOND] == 0
    counted = joint(np.array([FIRST, FIRST, TIE, SECOND]), np.array([FIRST, TIE, TIE, FIRST]), 3)
    assert value(mean_agreement(counted, credit)) == pytest.approx((1 + 0.5 + 1 + 0) / 4)


@given(RATINGS)
def test_pairs_are_counted_as_a_loop_would(codes: Codes) -> None:
    first, rest = codes[:, 0], codes[:, 1:]
    both = [(a, b) for a, row in zip(first, rest, strict=True) for b in row if MISSING not in (a, b)]
    statistic = mean_agreement(joint(first, rest, 3), exact(3))
    if not both:
        assert np.isnan(value(statistic))
    else:
        assert value(statistic) == pytest.approx(np.mean([a == b for a, b in both]))


@given(RATINGS)
def test_raters_among_themselves_are_all_their_pairs_both_ways(codes: Codes) -> None:
    columns = range(codes.shape[1])
    expected = sum(joint(codes[:, i], codes[:, j], 3) for i in columns for j in columns if i != j)
    assert np.array_equal(joint_among(codes, 3), expected)


@given(RATINGS)
def test_alpha_is_one_minus_observed_over_expected_disagreement(codes: Codes) -> None:
    units = [[c for c in row if c != MISSING] for row in codes]
    units = [unit for unit in units if len(unit) >= 2]
    pooled = [c for unit in units for c in unit]
    total = len(pooled)
    within = sum(2 * sum(a != b for a, b in combinations(unit, 2)) / (len(unit) - 1) for unit in units)
    across = 2 * sum(a != b for a, b in combinations(pooled, 2))
    found = value(krippendorff_alpha(codes, 3))
    if across == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(1 - (within / total) / (across / (total * (total - 1))))


@given(RATINGS, st.permutations(range(3)))
def test_the_names_of_categories_and_the_order_of_raters_and_items_are_nothing(
    codes: Codes, names: list[int]
) -> None:
    renamed = np.where(codes == MISSING, MISSING, np.array(names)[codes])
    shuffled = renamed[np.random.default_rng(0).permutation(len(codes))][:, ::-1]
    for coefficient in (krippendorff_alpha, fleiss_kappa, mean_cohen_kappa):
        assert value(coefficient(codes, 3)) == pytest.approx(value(coefficient(shuffled, 3)), nan_ok=True)


def test_raters_who_agree_always_reach_one_and_independent_ones_are_near_nothing() -> None:
    generator = np.random.default_rng(0)
    same = np.repeat(generator.integers(0, 3, (400, 1)), 3, axis=1)
    apart = generator.integers(0, 3, (4000, 3))
    for coefficient in (krippendorff_alpha, fleiss_kappa, mean_cohen_kappa):
        assert value(coefficient(same, 3)) == pytest.approx(1)
        assert abs(value(coefficient(apart, 3))) < 0.03


def test_a_single_category_leaves_chance_correction_undefined() -> None:
    codes = np.zeros((5, 2), dtype=np.int64)
    assert np.isnan(estimate(mean_cohen_kappa(codes, 3)).value)
    assert np.isnan(estimate(krippendorff_alpha(codes, 3)).low)


def test_majority_and_its_shared_lead() -> None:
    codes = np.array([[0, 0, 1], [0, 1, 2], [0, 1, -1], [2, -1, -1], [-1, -1, -1]])
    assert majority(codes, 3).tolist() == [0, MISSING, MISSING, 2, MISSING]
    assert majority(codes, 3, undecided=TIE).tolist() == [0, TIE, TIE, 2, MISSING]


@given(RATINGS)
def test_the_majority_of_others_leaves_the_rater_out(codes: Codes) -> None:
    found = majority_of_others(codes, 3)
    for rater in range(codes.shape[1]):
        others = majority(np.delete(codes, rater, axis=1), 3)
        assert (found[:, rater] == np.where(codes[:, rater] == MISSING, MISSING, others)).all()


@settings(deadline=None)
@given(RATINGS, st.integers(0, 100))
def test_a_resample_is_a_sample_of_items(codes: Codes, seed: int) -> None:
    drawn = draws(krippendorff_alpha(codes, 3), resamples=5, seed=seed)
    weights = np.random.default_rng(seed).multinomial(len(codes), np.full(len(codes), 1 / len(codes)), 5)
    for got, weight in zip(drawn, weights, strict=True):
        expected = value(krippendorff_alpha(np.repeat(codes, weight, axis=0), 3))
        assert got == pytest.approx(expected, nan_ok=True)


def test_intervals_cover_the_truth() -> None:
    generator = np.random.default_rng(1)
    hits = 0
    for trial in range(300):
        truth = generator.integers(0, 2, 150)
        codes = np.where(generator.random((150, 2)) < 0.85, truth[:, None], 1 - truth[:, None])
        found = estimate(cohen_kappa(joint(codes[:, 0], codes[:, 1], 2)), resamples=400, seed=trial)
        hits += found.low <= 2 * (0.85**2 + 0.15**2) - 1 <= found.high
    assert 0.91 <= hits / 300 <= 0.98


def test_items_of_one_cluster_are_drawn_together() -> None:
    generator = np.random.default_rng(2)
    kept = generator.integers(0, 2, 40).astype(float)
    repeated = ratio(np.repeat(kept, 25), np.ones(1000))
    clustered = estimate(repeated, clusters=[f"c{i // 25}" for i in range(1000)])
    alone = estimate(repeated)
    assert clustered.value == alone.value
    assert clustered.high - clustered.low > 3 * (alone.high - alone.low)
    assert clustered.low == pytest.approx(estimate(ratio(kept, np.ones(40))).low, abs=0.05)


def test_a_difference_is_paired() -> None:
    generator = np.random.default_rng(3)
    base = generator.random(200)
    one, other = ratio(base, np.ones(200)), ratio(base - 0.1, np.ones(200))
    found = difference(one, other)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1), abs=0.025)


def test_many_items_are_resampled_in_blocks_like_few(monkeypatch: pytest.MonkeyPatch) -> None:
    statistic = ratio(np.random.default_rng(4).random(100), np.ones(100))
    whole = draws(statistic, resamples=50)
    monkeypatch.setattr("polypinch.stats.agreement._BLOCK", 700)
    assert np.allclose(draws(statistic, resamples=50), whole)


def test_nothing_rated_is_no_number() -> None:
    nothing = np.full((3, 2), MISSING)
    found = estimate(mean_agreement(joint(nothing[:, 0], nothing[:, 1], 3), exact(3)))
    assert np.isnan(found.value)
    assert found.n_items == 0
    assert np.isnan(estimate(ratio(np.zeros(0), np.zeros(0))).value)


@pytest.mark.parametrize("items", [3, 10, 60])
@pytest.mark.parametrize("apart", [False, True])
def test_a_few_items_of_one_mind_leave_room_for_others(items: int, apart: bool) -> None:
    one = np.arange(items) % 2
    codes = np.stack([one, 1 - one if apart else one], axis=1)
    pairs = joint(codes[:, 0], codes[:, 1], 2)
    statistics = (
        cohen_kappa(pairs),
        fleiss_kappa(codes, 2),
        krippendorff_alpha(codes, 2),
        mean_cohen_kappa(codes, 2),
        mean_agreement(pairs, exact(2)),
    )
    for statistic in statistics:
        found = estimate(statistic)
        assert statistic.least <= found.low <= found.value <= found.high <= 1
        assert found.high - found.low > 2 / items


def test_where_all_items_agree_the_interval_covers_a_judge_that_is_wrong_now_and_then() -> None:
    generator, hits = np.random.default_rng(7), 0
    for trial in range(300):
        right = generator.random(12) < 0.95
        found = estimate(ratio(right.astype(float), np.ones(12)), resamples=400, seed=trial)
        hits += found.low <= 0.95 <= found.high
    assert hits / 300 >= 0.9
