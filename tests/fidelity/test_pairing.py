from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.fidelity import paired


def table(values: dict[tuple[str, str], bool | None]) -> pa.Table:
    rows = [{"item_id": item, "language": tag, "in_language": value} for (item, tag), value in values.items()]
    schema = pa.schema([("item_id", pa.string()), ("language", pa.string()), ("in_language", pa.bool_())])
    return pa.Table.from_pylist(rows, schema=schema)


def answered(shares: dict[str, float], seed: int, items: int = 200) -> dict[tuple[str, str], bool | None]:
    luck = np.random.default_rng(seed).random(items)
    return {(f"i{at}", tag): bool(luck[at] < share) for tag, share in shares.items() for at in range(items)}


def test_a_change_is_paired_by_prompt_so_that_a_small_one_is_told() -> None:
    ours, theirs = answered({"fi": 0.70, "sw": 0.5}, 1), answered({"fi": 0.60, "sw": 0.5}, 1)
    fi, sw, both = paired(table(ours), table(theirs))
    assert (fi.language, sw.language, both.language) == ("fi", "sw", "all")
    assert fi.change.value == pytest.approx(fi.share - fi.against)
    assert fi.change.low > 0.05  # apart, each share is known to 0.07 only
    assert sw.change.value == 0
    assert sw.change.low < 0 < sw.change.high
    assert both.change.value == pytest.approx(fi.change.value / 2)


def test_intervals_hold_the_truth_where_languages_are_unequal_and_most_answers_are_alike() -> None:
    """Hostile truths: a language at its ceiling, ties in most pairs, a loss in one language alone."""
    truth = {"ar": (0.98, 0.98), "fi": (0.70, 0.70), "sw": (0.40, 0.55)}
    luck, trials = np.random.default_rng(0), 250
    kept: dict[str, int] = dict.fromkeys([*truth, "all"], 0)
    for _ in range(trials):
        ours: dict[tuple[str, str], bool | None] = {}
        theirs: dict[tuple[str, str], bool | None] = {}
        hard = luck.random(48)  # of an item, in all languages
        for tag, (own, other) in truth.items():
            alike = np.where(luck.random(48) < 0.5, hard, luck.random(48))
            apart = np.where(luck.random(48) < 0.8, alike, luck.random(48))
            for at in range(48):
                ours[f"i{at}", tag], theirs[f"i{at}", tag] = bool(alike[at] < own), bool(apart[at] < other)
        for row in paired(table(ours), table(theirs)):
            changes = [own - other for tag, (own, other) in truth.items() if row.language in ("all", tag)]
            kept[row.language] += row.change.low <= np.mean(changes) <= row.change.high
    error = 2 * (0.05 * 0.95 / trials) ** 0.5
    assert {tag: count / trials >= 0.95 - error for tag, count in kept.items()} == dict.fromkeys(kept, True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.5))
def test_what_cannot_be_told_on_either_side_is_left_out_of_both(seed: int, missing: float) -> None:
    luck = np.random.default_rng(seed)
    whole = answered({"fi": 0.5}, seed, 40)
    ours = {key: None if luck.random() < missing else value for key, value in whole.items()}
    theirs = answered({"fi": 0.4}, seed + 1, 40)
    fi, _ = paired(table(ours), table(theirs))
    known = [key for key, value in ours.items() if value is not None]
    assert (fi.n, fi.left_out) == (len(known), 40 - len(known))
    if known:
        assert fi.against == pytest.approx(np.mean([bool(theirs[key]) for key in known]))
        assert fi.change.low <= fi.change.value <= fi.change.high


def test_files_that_share_no_prompt_are_refused() -> None:
    with pytest.raises(PinchError, match="share no prompt"):
        paired(table({("a", "fi"): True}), table({("a", "sw"): True}))
    with pytest.raises(PinchError, match="item_id"):
        paired(table({("a", "fi"): True}).drop_columns(["item_id"]), table({("a", "fi"): True}))
