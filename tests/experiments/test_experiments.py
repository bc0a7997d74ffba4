from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polypinch.errors import PinchError
from polypinch.experiments import read_exposure
from polypinch.languages.similarity import distances
from polypinch.stats import (
    Bounds,
    beside_others,
    correlation,
    intervals,
    language_curve,
    mantel,
    transfer_matrix,
)
from polypinch.study.spec import UNTUNED
from tests.experiments.simulate import Simulated, preset, simulate

TAGS = ("en", "ar", "cs", "es", "fi", "he")


def row(rows: Sequence[Any], **where: Any) -> Any:
    found = [one for one in rows if all(getattr(one, name) == value for name, value in where.items())]
    assert len(found) == 1, (where, len(found))
    return found[0]


def held(one: Any, measure: str) -> tuple[float, float, float]:
    """Return a mean's value and interval as they are told: a score keeps to 0 and 100."""
    value, low, high = ends(one)
    return (value, max(0.0, low), min(100.0, high)) if measure == "score" else (value, low, high)


def ends(one: Any) -> tuple[float, float, float]:
    one = getattr(one, "estimate", one)
    return one.value, one.low, one.high


@pytest.fixture(scope="module")
def monolingual() -> Simulated:
    return simulate(preset("monolingual", tags=TAGS, seeds=[1, 2]))


def stacked(found: Simulated, names: list[str], measure: str) -> Any:
    if measure == "score":
        return np.stack([100 * found.arm(name).outcome for name in names])  # type: ignore[operator]
    base = found.arm(UNTUNED).loss
    return np.stack([found.arm(name).loss - base for name in names])  # type: ignore[operator]


@pytest.mark.parametrize("measure", ["loss_change", "score"])
def test_transfer_is_that_of_stats(monolingual: Simulated, measure: str) -> None:
    shown = monolingual.shown()["transfer"]
    values = stacked(monolingual, [f"only-{tag}" for tag in TAGS], measure)
    own = list(range(len(TAGS)))
    scale = Bounds(0.0, 100.0) if measure == "score" else None
    truth = transfer_matrix(values, own, scale)
    lead = transfer_matrix(beside_others(values, own), own, scale and scale.difference()).gives
    for at, tag in enumerate(TAGS):
        cell = row(shown.cells, measure=measure, trained=tag, evaluated="he")
        assert ends(cell) == pytest.approx(held(truth.cells[at][5], measure))
        means = shown.means
        for side, one in (("gives", truth.gives[at]), ("takes", truth.takes[at])):
            mine = row(means, measure=measure, side=side, language=tag)
            assert ends(mine) == pytest.approx(held(one, measure))
        mine = row(means, measure=measure, side="beside", language=tag)
        assert ends(mine) == pytest.approx(ends(lead[at]))


def test_exposure_correlates_what_languages_give_with_what_they_cost(monolingual: Simulated) -> None:
    shares = {tag: 10.0**-at for at, tag in enumerate(TAGS)}
    shown = monolingual.shown(disclosed=shares)
    means = shown["transfer"].means
    given = [-row(means, measure="loss_change", side="gives", language=tag).estimate.value for tag in TAGS]
    found = shown["exposure"].coefficients
    for name, ranks in (("Pearson", False), ("Spearman", True)):
        truth = correlation(np.log([shares[tag] for tag in TAGS]), np.array(given), ranks)
        mine = row(found, proxy="share", measure="loss_change", side="gives", coefficient=name)
        assert ends(mine) == pytest.approx(ends(truth))
        assert mine.least == pytest.approx(truth.least)
        assert mine.least_without == TAGS[truth.least_without or 0]
    tokens = monolingual.costs["m"].tokens.sum(axis=0)
    proxy = row(shown["exposure"].proxies, proxy="tokens", language="fi")
    assert proxy.estimate.value == pytest.approx(tokens[0] / tokens[4])
    assert proxy.estimate.low <= proxy.estimate.value <= proxy.estimate.high


def test_likeness_is_tested_by_renaming_languages(monolingual: Simulated) -> None:
    shown = monolingual.shown()["similarity"]
    matrix = np.array(
        [[cell.value for cell in line] for line in transfer_matrix(
            stacked(monolingual, [f"only-{tag}" for tag in TAGS], "loss_change"), [None] * len(TAGS)).cells]
    )  # fmt: skip
    apart = distances(TAGS, "uriel")
    truth = mantel(-matrix, apart.genetic)
    mine = row(shown.coefficients, measure="loss_change", distance="genetic",
               coefficient="Pearson")  # fmt: skip
    assert (mine.value, mine.p) == (pytest.approx(truth.value), truth.p)
    assert shown.source == apart.source
    pairs = [one for one in shown.pairs if one.measure == "loss_change"]
    assert len(pairs) == 30
    assert math.fsum(one.value for one in pairs if one.trained == "ar") == pytest.approx(0, abs=1e-12)


def test_the_number_of_languages_has_orderings_as_its_chance() -> None:
    found = simulate(preset("languages", seeds=[1]))
    shown = found.shown()["languages"]
    names = {count: [f"order{number}-k{count}" for number in (1, 2, 3)] for count in range(1, 6)}
    names[6] = ["all-k6"] * 3
    unseen = [found.axes.languages.index(tag) for tag in shown.unseen]
    assert len(unseen) == 6
    values = np.stack([stacked(found, level, "loss_change") for level in names.values()])[..., unseen]
    truth = language_curve(values)
    points = shown.points
    for at, count in enumerate(names):
        mine = row(points, measure="loss_change", languages=count, ordering="mean")
        assert ends(mine) == pytest.approx(ends(truth.points[at]))
    steps = shown.steps
    assert ends(row(steps, measure="loss_change", languages=2)) == pytest.approx(ends(truth.steps[0]))
    one = row(points, measure="loss_change", languages=2, arm="order3-k2")
    assert ends(one) == pytest.approx(ends(intervals(values[1, 2][None], [range(6)]).estimate(0, 6)))


def test_a_shared_last_arm_keeps_the_chance_of_its_seeds() -> None:
    found = simulate(preset("languages", seeds=[1, 2, 3]))
    shared = found.arm("all-k6")
    assert shared.loss is not None
    shared.loss[:] += np.array([-0.3, 0.0, 0.3])[:, None, None]
    points = found.shown()["languages"].points
    last = row(points, measure="loss_change", languages=6, ordering="mean")
    assert last.estimate.high - last.estimate.low > 1.4  # Student's half-width over such seeds is 0.75


def test_a_pair_is_compared_outside_of_itself() -> None:
    found = simulate(preset("pairs", seeds=[1]))
    shown = found.shown()["pairs"]
    for change in shown.changes:
        if change.pair == "all" or change.measure != "loss_change":
            continue
        outside = [at for at, tag in enumerate(found.axes.languages) if tag not in change.pair.split()]
        assert len(outside) == 10
        ours, theirs = found.arm(change.arm).loss, found.arm(change.alone).loss
        assert ours is not None
        truth = intervals((ours - theirs)[None], [outside])
        assert ends(change) == pytest.approx(ends(truth.estimate(0, 12)))
    assert row(shown.changes, measure="loss_change", pair="all").beside == "mean of both"


def test_wins_ties_and_losses_are_shares_of_pairs() -> None:
    found = simulate(preset("tuned", tags=TAGS, seeds=[1]))
    shares = found.shown()["tuned"].shares
    assert {one.arm for one in shares} == {*(f"only-{tag}" for tag in TAGS), "mixed"}
    for one in shares:
        assert one.win + one.tie + one.loss == pytest.approx(1)
        assert one.estimate.value == pytest.approx(100 * (one.win + one.tie / 2))
    outcome = found.arm("mixed").outcome
    assert outcome is not None
    mine = row(shares, arm="mixed", language="fi")
    assert mine.win == (outcome[0, :12, TAGS.index("fi")] == 1).mean()


def test_an_opponent_is_set_against_the_untuned_base_the_other_way_round() -> None:
    found = simulate(preset("dose-ladder", tags=TAGS, seeds=[1]))
    shown = found.shown()["tuned"]
    outcome = found.arm(UNTUNED).outcome
    assert outcome is not None
    mine = row(shown.shares, language="fi")
    assert mine.arm == "english"
    assert mine.win == (outcome[0, :12, TAGS.index("fi")] == 0).mean()
    assert {one.arm for one in shown.changes} == {"english"}


def test_monolingual_opponents_change_the_loss_of_their_own_language(monolingual: Simulated) -> None:
    changes = monolingual.shown()["tuned"].changes
    own = stacked(monolingual, ["only-es"], "loss_change")
    assert ends(row(changes, language="es")) == pytest.approx(
        ends(intervals(own).estimate(0, TAGS.index("es")))
    )


@pytest.mark.parametrize(
    ("name", "other"), [("replace-vs-add", "add-10"), ("parallel-vs-disjoint", "disjoint-10")]
)
def test_two_ways_are_paired_at_each_dose(name: str, other: str) -> None:
    found = simulate(preset(name, tags=TAGS, seeds=[1, 2]))
    rows = found.shown()["ways"].ways
    assert len({one.dose for one in rows}) == 3
    mine = row(rows, measure="loss_change", arm=other, language="seen")
    ours, theirs = found.arm(other).loss, found.arm(mine.beside).loss
    assert ours is not None
    truth = intervals((ours - theirs)[None], [found.axes.groups["seen"]])
    assert ends(mine) == pytest.approx(ends(truth.estimate(0, len(TAGS))))


def test_a_dose_is_compared_with_none_in_the_same_tuning() -> None:
    shown = simulate(preset("techniques", seeds=[1])).shown()["ways"]
    beside = {one.arm: one.beside for one in shown.against}
    assert beside["pinch-10-rank-4"] == "english-rank-4"
    assert beside["pinch-10"] == "english"
    assert "pinch-10-after" not in beside  # no arm of the base alone is tuned in two stages


def test_doses_of_all_languages_or_of_half() -> None:
    whole = simulate(preset("pinch", seeds=[1])).shown()["doses"]
    half = simulate(preset("half", seeds=[1])).shown()["doses"]
    assert (whole.all, half.all) == (True, False)
    assert list(whole.shares)[:2] == ["english", "pinch-11"]
    assert list(whole.shares.values())[-1] == pytest.approx(11 / 12, abs=0.01)


def test_a_study_without_references_or_comparison_still_shows_what_it_has() -> None:
    found = simulate(preset("monolingual", tags=TAGS, seeds=[1]))
    without = [type(one)(**{**vars(one), "loss": None}) for one in found.results]
    shown = Simulated(found.study, found.axes, without, found.mixtures, {}).shown()
    assert {one.measure for one in shown["transfer"].cells} == {"score"}
    assert "exposure" not in shown
    nothing = [type(one)(**{**vars(one), "outcome": None, "flipped": None}) for one in without]
    assert Simulated(found.study, found.axes, nothing, found.mixtures, {}).shown() == {}


def test_two_arms_over_seeds_show_only_what_tuning_does() -> None:
    assert set(simulate(preset("seeds", tags=TAGS, seeds=[1, 2])).shown()) == {"tuned"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("language,share\nen,90\nxx-nope,1\n", r"shares\.csv, line 3: unknown language"),
        ("language,share\nen,ninety\n", r"line 2: the share of en is 'ninety', which is no number above 0"),
        ("language,share\nen,1\neng,2\n", r"line 3: en stands twice"),
        ("tag,part\nen,1\n", r"no rows with the columns language and share"),
    ],
)
def test_a_table_of_shares_that_cannot_be_read_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "shares.csv"
    path.write_text(text)
    with pytest.raises(PinchError, match=message):
        read_exposure(path)
    path.write_text("language,share\nen,92.5\nfi,0.1\n")
    assert read_exposure(path) == {"en": 92.5, "fi": 0.1}
