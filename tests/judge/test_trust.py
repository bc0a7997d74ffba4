from __future__ import annotations

import pytest

from polypinch.judge.trust import RULE, decide, leaning
from polypinch.stats import Coefficient

NAN = float("nan")


def known(value: float, low: float, high: float) -> Coefficient:
    return Coefficient(value, low, high, 100)


@pytest.mark.parametrize(
    ("kappa", "shortfall", "pairs", "decision", "words"),
    [
        (known(0.02, -0.03, 0.07), known(-0.4, -0.5, -0.3), 500, "reject", "no more than chance"),
        (known(-0.2, -0.3, -0.1), None, 500, "reject", "disagrees with people"),
        (known(0.15, -0.1, 0.4), None, 40, "unknown", "label more"),
        (known(0.8, 0.7, 0.9), known(0, -0.01, 0.01), 29, "unknown", "too few"),
        (known(NAN, NAN, NAN), None, 500, "unknown", "one and the same choice"),
        (known(0.8, 0.7, 0.9), known(0.01, -0.049, 0.05), 500, "use", "as well as they do"),
        (known(0.6, 0.5, 0.7), known(-0.04, -0.09, 0.01), 500, "caution", "is open"),
        (known(0.5, 0.4, 0.6), known(-0.2, -0.25, -0.15), 500, "caution", "less than they do"),
        (known(0.7, 0.61, 0.8), None, 500, "use", "one label per pair"),
        (known(0.5, 0.4, 0.6), None, 500, "caution", "one label per pair"),
        (known(0.5, 0.4, 0.6), known(NAN, NAN, NAN), 500, "caution", "one label per pair"),
    ],
)
def test_the_rule(
    kappa: Coefficient, shortfall: Coefficient | None, pairs: int, decision: str, words: str
) -> None:
    found, sentence = decide(kappa, shortfall, pairs)
    assert found == decision
    assert words in sentence
    assert ("do not use it" in sentence) == (decision == "reject")


def test_the_sentence_holds_the_figures_and_the_rule_its_thresholds() -> None:
    _, sentence = decide(known(0.021, -0.034, 0.07), None, 500)
    assert "(κ 0.02, 95 % −0.03 to 0.07)" in sentence
    assert all(number in RULE for number in ("30", "0.2", "0.6", "5 points"))


def test_a_position_is_named_only_where_it_is_clearly_preferred() -> None:
    assert leaning(known(0.62, 0.58, 0.66)) == (
        "it prefers the answer shown first (62 % of its choices, 58 to 66)"
    )
    assert "second (70 % of its choices, 65 to 75)" in str(leaning(known(0.30, 0.25, 0.35)))
    assert leaning(known(0.53, 0.51, 0.55)) is None
    assert leaning(known(0.60, 0.45, 0.75)) is None
    assert leaning(known(NAN, NAN, NAN)) is None
