"""Whether to trust a judge in a language: one rule, and the sentence that says what came of it."""

from __future__ import annotations

import math
from typing import Literal

from polypinch.stats import Coefficient

Decision = Literal["use", "caution", "reject", "unknown"]

MIN_PAIRS = 30
"""Fewer labelled pairs than this decide nothing."""

MARGIN = 0.05
"""A judge may agree with people by so much less than they do with each other, and still stand in for one."""

SLIGHT, SUBSTANTIAL = 0.2, 0.6
"""Landis and Koch (1977, doi:10.2307/2529310): up to 0.2 agreement is slight, above 0.6 substantial."""

LEANING = 0.05
"""A judge whose choices are this far from even between the positions is said to lean."""

RULE = (
    f"Below {MIN_PAIRS} labelled pairs: unknown. κ's interval reaches 0: reject, or unknown where it also"
    f" reaches {SLIGHT}. By the interval's lower end, the judge agrees with the majority of people at most"
    f" {100 * MARGIN:.0f} points less than a person does: use. With one label per pair: use if κ's lower end"
    f" is above {SUBSTANTIAL}. Otherwise: caution."
)


def decide(kappa: Coefficient, shortfall: Coefficient | None, pairs: int) -> tuple[Decision, str]:
    """Decide whether a judge can be trusted; the rule is :data:`RULE`.

    Args:
        kappa: Cohen's kappa of the judge against people's labels.
        shortfall: the judge's agreement with the majority of others less that of people, paired; ``None``
            where no pair has several labels.
        pairs: labelled pairs that the judge decided.

    Returns:
        The decision, and a sentence to follow "in LANGUAGE, the judge".
    """
    said = f"κ {_span(kappa)}"
    if pairs < MIN_PAIRS:
        return "unknown", f"decided {pairs} labelled pairs, too few to tell (at least {MIN_PAIRS})"
    if math.isnan(kappa.value):
        return "unknown", "and people made one and the same choice throughout, so that chance agrees too"
    if kappa.low <= 0:
        return _by_chance(kappa, said, pairs)
    if shortfall is None or math.isnan(shortfall.value):
        return _without_ceiling(kappa, said)
    return _below_ceiling(shortfall, said)


def _by_chance(kappa: Coefficient, said: str, pairs: int) -> tuple[Decision, str]:
    if kappa.high < 0:
        return "reject", f"disagrees with people more than chance would ({said}): do not use it"
    if kappa.high < SLIGHT:
        return "reject", f"agrees with people no more than chance would ({said}): do not use it"
    return "unknown", (
        f"cannot be told from chance with {pairs} labelled pairs ({said}): label more before you use it"
    )


def _without_ceiling(kappa: Coefficient, said: str) -> tuple[Decision, str]:
    nobody = "with one label per pair nobody knows how well people agree with each other"
    if kappa.low > SUBSTANTIAL:
        return "use", f"agrees with the labels well ({said}): use it; {nobody}"
    return "caution", (
        f"agrees with the labels beyond chance ({said}): trust large differences only; {nobody}"
    )


def _below_ceiling(shortfall: Coefficient, said: str) -> tuple[Decision, str]:
    value, low, high = (f"{100 * x:+.1f}".replace("-", "−") for x in _ends(shortfall))
    points = f"{value} points, {low} to {high}"
    if shortfall.low >= -MARGIN:
        return "use", f"agrees with people as well as they do with each other ({said}; {points}): use it"
    if shortfall.high >= 0:
        return "caution", (
            f"agrees with people beyond chance ({said}); whether as well as they do with each other is open"
            f" ({points}): label more, and trust large differences only"
        )
    return "caution", (
        f"agrees with people beyond chance ({said}), but less than they do with each other ({points}):"
        " trust large differences only"
    )


def _ends(found: Coefficient) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def leaning(first_position: Coefficient) -> str | None:
    """Return what to say of a judge that prefers a position, or ``None``.

    Args:
        first_position: the share of its choices that went to the answer shown first.
    """
    share, low, high = first_position.value, first_position.low, first_position.high
    if math.isnan(share) or abs(share - 0.5) < LEANING or low <= 0.5 <= high:
        return None
    place, span = ("first", (share, low, high)) if share > 0.5 else ("second", (1 - share, 1 - high, 1 - low))
    shown = [f"{100 * value:.0f}" for value in span]
    return f"it prefers the answer shown {place} ({shown[0]} % of its choices, {shown[1]} to {shown[2]})"


def _span(found: Coefficient) -> str:
    value, low, high = (f"{x:.2f}".replace("-", "−") for x in _ends(found))
    return f"{value}, 95 % {low} to {high}"
