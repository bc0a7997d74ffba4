"""Which languages to put into a pinch: a stated rule over similarity and exposure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from polypinch.languages import Distances

LEAST_EACH = 4
"""Examples that a language gets at least: the paper's smallest dose was 40 in 11 languages together."""
SHARE = 0.01
"""Of the budget: the paper's smallest dose, 40 of 4,640 examples."""
ENOUGH = 4
"""Languages beyond which the paper's curve for unseen languages was flat."""
VARIED = 3
"""Languages to fill up to where a target has no kin in the pool; the paper came near parity by 3 to 4."""
LEAST_WEIGHT = 0.05
"""A target that is predicted as well as the base still counts a little."""

RULE = (
    "1. Targets that the pool has come first; then languages like the targets that it lacks; then, where"
    f" those have no kin in it, languages unlike each other (up to {VARIED}). Languages that are no target"
    f" are added up to {ENOUGH} in all."
    " 2. Within the first two, the next language is the one that covers most: the sum over targets of weight"
    " times how much more like the target it is than the likest language so far, the base included. A"
    f" target's weight is 1 less its exposure (at least {LEAST_WEIGHT}; 1 where it was not probed). Script"
    " breaks ties, then the rows the pool has."
    f" 3. The dose is {100 * SHARE:g} % of the budget, or {LEAST_EACH} examples for each of up to {ENOUGH}"
    " languages if that is more, but never more than half of the budget. It is spread evenly over as many"
    f" languages, in that order, as get {LEAST_EACH} examples each."
)

Step = Literal["target", "kin", "varied"]


@dataclass(frozen=True)
class Choice:
    """One language chosen.

    Attributes:
        language: its tag.
        step: a ``target`` itself, ``kin`` of targets that the pool lacks, or ``varied``.
        gain: the weighted similarity that it added; 0 for ``varied``.
        serves: the targets that it is likest to of all languages up to it, the gain's.
    """

    language: str
    step: Step
    gain: float
    serves: tuple[str, ...]


def ranking(
    targets: Sequence[str],
    pool: Mapping[str, int],
    exposure: Mapping[str, float],
    apart: Distances,
    base: str,
) -> list[Choice]:
    """Order a pool's languages by :data:`RULE`'s steps 1 and 2, the first to be put in first.

    Greedy coverage: a target is covered by the likest chosen language (facility location), which is monotone
    and submodular, so each step's greedy choice of k covers at least 1 - 1/e of what any k could (Nemhauser,
    Wolsey and Fisher 1978, doi:10.1007/BF01588971). The order does not depend on a budget: a larger one
    takes a longer beginning of it.

    Args:
        targets: tags, without the base.
        pool: rows by language, without the base; only these can be chosen.
        exposure: of the languages probed.
        apart: distances that hold the base, all targets and all the pool's languages.
        base: what makes up the rest of the mixture.
    """
    at = {tag: index for index, tag in enumerate(apart.languages)}
    alike = apart.similarity()
    wanted = sorted(set(targets))
    weight = {tag: max(LEAST_WEIGHT, 1 - exposure[tag]) if tag in exposure else 1.0 for tag in wanted}
    covered = {tag: float(alike[at[base], at[tag]]) for tag in wanted}
    chosen: list[Choice] = []

    def gains(tag: str) -> dict[str, float]:
        more = {goal: float(alike[at[tag], at[goal]]) - covered[goal] for goal in wanted}
        return {goal: weight[goal] * gain for goal, gain in more.items() if gain > 1e-9}

    def key(tag: str) -> tuple[float, float, int, str]:
        gain = gains(tag)
        same = sum(weight[goal] for goal in gain if apart.script[at[tag], at[goal]] == 0)
        return (-round(sum(gain.values()), 9), -round(same, 9), -pool[tag], tag)

    def choose(tag: str, step: Step) -> None:
        gain = gains(tag)
        chosen.append(Choice(tag, step, 0.0 if step == "varied" else sum(gain.values()), tuple(gain)))
        for goal in wanted:
            covered[goal] = max(covered[goal], float(alike[at[tag], at[goal]]))
        left.discard(tag)

    left = set(pool) - {base}
    while ready := left & set(wanted):
        choose(min(ready, key=key), "target")
    outside = [tag for tag in wanted if tag not in pool]
    while outside and left and len(chosen) < ENOUGH:
        best = min(left, key=key)
        if not gains(best):
            break
        choose(best, "kin")
    while outside and left and len(chosen) < VARIED:
        taken = [base, *(choice.language for choice in chosen)]
        likest = {tag: max(round(float(alike[at[tag], at[one]]), 9) for one in taken) for tag in left}
        choose(min(left, key=lambda tag: (likest[tag], -pool[tag], tag)), "varied")
    return chosen


def dose(budget: int, useful: int) -> int:
    """Return the examples in other languages of a budget, by :data:`RULE`'s step 3."""
    least = LEAST_EACH * min(ENOUGH, useful)
    return min(budget // 2, max(int(np.ceil(SHARE * budget)), least)) if useful else 0


def languages_afforded(examples: int, useful: int) -> int:
    """Return how many of the useful languages a dose is spread over."""
    return min(useful, max(1, examples // LEAST_EACH)) if examples else 0
