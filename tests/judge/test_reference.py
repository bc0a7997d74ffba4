from __future__ import annotations

from polypinch.judge import Sides, chrf, judge, outcomes, quality

REFERENCE = "Sade syntyy, kun vesihöyry tiivistyy pilvissä pisaroiksi."


def test_an_answer_nearer_to_the_reference_is_better() -> None:
    near = "Sade syntyy, kun vesihöyry tiivistyy pisaroiksi."
    far = "Aurinko paistaa."
    assert quality(REFERENCE, REFERENCE, True) > 99
    assert quality(near, REFERENCE, True) > quality(far, REFERENCE, True)
    assert chrf("", REFERENCE) == 0


def test_the_wrong_language_is_worth_nothing_and_an_untold_one_is_not_held_against_it() -> None:
    assert quality(REFERENCE, REFERENCE, False) == 0
    assert quality(REFERENCE, REFERENCE, None) == quality(REFERENCE, REFERENCE, True)


def test_verdicts_agree_in_both_orders_and_a_small_difference_is_a_tie() -> None:
    ours = {("a", "fi"): 50.0, ("b", "fi"): 10.0, ("c", "fi"): 31.0}
    theirs = {("a", "fi"): 40.0, ("b", "fi"): 40.0, ("c", "fi"): 30.0}
    table = outcomes(judge(Sides("pinch", "english", 1), ours, theirs, list(ours), tie_margin=2.0))
    assert table["outcome"].to_pylist() == [1.0, 0.0, 0.5]
    assert table["flipped"].to_pylist() == [False, False, False]


def test_a_missing_answer_is_a_missing_verdict_with_its_error() -> None:
    table = judge(Sides("pinch", "english", 1), {}, {("a", "fi"): 1.0}, [("a", "fi")])
    assert table["winner"].to_pylist() == [None, None]
    assert all(table["error"].to_pylist())
    assert outcomes(table)["outcome"].to_pylist() == [None]
