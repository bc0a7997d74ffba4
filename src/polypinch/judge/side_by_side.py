"""Two sets of answers side by side, without a study: the scores of verdicts, and what they hang on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from polypinch.fidelity import fidelity_table
from polypinch.judge.adaptive import Settled, joined
from polypinch.judge.protocol import Orders
from polypinch.judge.sway import Side, influences, lay_out
from polypinch.stats import SHARE, ByLanguage, Estimate, interval

Key = tuple[str, str]
Fidelities = tuple[dict[Key, float], dict[Key, float]]
"""Of the arm's answers and the other's: 1 in the language asked for, 0 in another; no entry if untold."""

ALL = "all"
NOTHING = Estimate(float("nan"), float("nan"), float("nan"), 0, 1)


@dataclass(frozen=True)
class SideBySide:
    """How an arm did against another in one language, or over all.

    Attributes:
        language: a tag, or ``all``: the mean over languages, each weighing the same.
        score: discounted ties, 0 to 100; 50 is parity.
        length_controlled: what the score would be if both answers were equally long.
        both_right: the score of the pairs in which both answers are in the language asked for.
        wrong_language_losses: the share of lost pairs in which the arm's answer alone is in another language.
        flips: the share of pairs whose winner changed with the order.
        firsts: the share of choices that fell on the answer shown first; 0.5 is no bias.
        longer: of the pairs with a winner and unlike length, the share that the longer answer won.
        verdicts: wanted.
        missing: of them, without a winner.
        not_asked: pairs that were not judged, as the rest had settled the language.
        decided: what adaptive judging settled: ``above`` or ``below`` parity, or ``narrow``; ``None`` where
            nothing was, or judging was not adaptive.
    """

    language: str
    score: Estimate
    length_controlled: Estimate
    both_right: Estimate
    wrong_language_losses: Estimate
    flips: Estimate
    firsts: Estimate
    longer: Estimate
    verdicts: int
    missing: int
    not_asked: int = 0
    decided: str | None = None


def fidelities(pairs: pa.Table) -> Fidelities:
    """Return whether each answer is in the language asked for, told among those of the pairs, and English.

    Args:
        pairs: in :data:`~polypinch.judge.PAIR_SCHEMA`.

    Raises:
        PinchError: a language cannot be identified, or not be told from another.
    """
    tags = pairs["language"].to_pylist()
    keys = list(zip(pairs["item_id"].to_pylist(), tags, strict=True))
    candidates = sorted({*tags, *([] if any(tag.split("-")[0] == "en" for tag in tags) else ["en"])})
    found = []
    for side in ("arm_text", "against_text"):
        flags = fidelity_table(pairs[side].to_pylist(), tags, candidates)["in_language"].to_pylist()
        found.append({key: float(flag) for key, flag in zip(keys, flags, strict=True) if flag is not None})
    return found[0], found[1]


def summarise_verdicts(
    verdicts: pa.Table,
    orders: Orders = "both",
    settled: Mapping[str, Settled] | None = None,
    fidelity: Fidelities = ({}, {}),
    ordered: bool = True,
) -> list[SideBySide]:
    """Return one line per language, in the order of their tags, and the line of all.

    Intervals resample items, each with all its translations and both its orders. After adaptive judging
    that would be wrong for scores, as it stopped where they looked good: these have the interval of
    :func:`~polypinch.judge.adaptive.joined`. The other intervals are then approximate.

    Args:
        verdicts: of one pair of arms by one judge.
        orders: in which they were judged.
        settled: where adaptive judging left each language.
        fidelity: of both sides' answers, where it is known.
        ordered: whether the judge is shown an order; ``reference`` and a judge that grades are not.
    """
    languages, winners = verdicts["language"].to_pylist(), verdicts["winner"].to_pylist()
    tags = sorted(set(languages))
    items = list(dict.fromkeys(verdicts["item_id"].to_pylist()))
    judged = lay_out([Side(verdicts, *fidelity)], items, tags, orders)
    found = influences(judged, ordered)
    wanted = Counter(languages)
    missing = Counter(tag for tag, winner in zip(languages, winners, strict=True) if winner is None)
    lines = []
    for position, name in enumerate([*tags, ALL]):
        where = [position] if name != ALL else list(range(len(tags)))
        of = [tags[index] for index in where]
        left = [settled[tag] for tag in of] if settled else []
        own = {measure: _at(found.get(measure), position) for measure in _MEASURES}
        lines.append(
            SideBySide(
                language=name,
                score=joined(left) if left else _percent(interval(judged.outcome, where, SHARE)),
                length_controlled=_percent(own["length_controlled"]),
                both_right=_percent(own["both_right"]),
                wrong_language_losses=own["wrong_language_losses"],
                flips=own["flips"],
                firsts=own["firsts"],
                longer=own["longer"],
                verdicts=sum(wanted[tag] for tag in of),
                missing=sum(missing[tag] for tag in of),
                not_asked=sum(one.not_asked for one in left),
                decided=left[0].decided if left and name != ALL else None,
            )
        )
    return lines


_MEASURES = ("length_controlled", "both_right", "wrong_language_losses", "flips", "firsts", "longer")


def _at(values: ByLanguage | None, position: int) -> Estimate:
    """Return a language's value, or after the last one that of all."""
    if values is None:
        return NOTHING
    return (*values.languages, values.overall)[position]


def _percent(found: Estimate) -> Estimate:
    return Estimate(100 * found.value, 100 * found.low, 100 * found.high, found.n_items, found.n_seeds)
