from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from polypinch.findings.dose_ladder import Dosed
from polypinch.findings.doses import Findings, find
from polypinch.measure import FIDELITY, LOSS, MEASURES, SCORE, Measure, task_measure
from polypinch.publish.tables import curve_rows, dose_rows, noise_rows
from polypinch.results.arms import ArmResults, changes
from polypinch.stats import Decision
from polypinch.study import DoseLook, DoseState, Looked
from polypinch.study.arrays import Axes
from polypinch.study.dosed import ladder
from polypinch.study.spec import Study

ITEMS, SEEDS, MARGIN = 40, 3, 0.005
AXES = Axes(
    tuple(range(SEEDS)),
    tuple(f"i{n}" for n in range(ITEMS)),
    ("en", "fi", "ru"),
    {"others": [1, 2], "seen": [1], "unseen": [2]},
)
ONE_SEED = Axes((1,), AXES.items, AXES.languages, AXES.groups)
DIFFICULTY = np.random.default_rng(0).normal(1.0, 0.3, (1, ITEMS, 1))


def arm(name: str, effect: float | tuple[float, ...], seed: int, spread: float = 0.001) -> ArmResults:
    """Return an arm whose loss is the items' difficulty, an effect, training's luck and noise."""
    generator = np.random.default_rng(seed)
    luck = generator.normal(0, spread, (SEEDS, 1, 1)) if spread else np.zeros((SEEDS, 1, 1))
    loss = DIFFICULTY + np.array(effect) + luck + generator.normal(0, 0.02, (SEEDS, ITEMS, 3))
    nothing = np.full(loss.shape, np.nan)
    return ArmResults("m", name, loss, nothing, nothing, nothing, None, None, {}, {})


def test_what_a_search_decided_is_told_and_nothing_else() -> None:
    # Alone, the fixed ladder would tell both doses; a search that spends its error on looks has told one.
    arms = doses((8, -0.05), (24, -0.08))
    at = [DoseLook("pinch", 8, 3, DoseState.OPEN), DoseLook("mixed", 24, 3, DoseState.BETTER)]
    looked = Looked("m", 2, 9, 9, 0.004, Decision.WORKS, 24, 24, (), tuple(at), (), ())
    alone, searched = find(AXES, BASE, arms, "m"), find(AXES, BASE, arms, "m", looked=looked)
    assert alone is not None
    assert searched is not None
    assert alone.main.steps.told == (8, 24)
    assert searched.main.steps.told == (24,)
    assert searched.main.steps.effect(8).change == alone.main.steps.effect(8).change
    nothing = replace(looked, decision=Decision.NOTHING, low=None, high=None)
    given_up = find(AXES, BASE, arms, "m", looked=nothing)
    assert given_up is not None
    assert given_up.main.steps.told == ()


def one_seed(result: ArmResults) -> ArmResults:
    nothing = result.in_language[:1]
    assert result.loss is not None
    return ArmResults("m", result.arm, result.loss[:1], nothing, nothing, nothing, None, None, {}, {})


def doses(*effects: tuple[int, float | tuple[float, ...]], spread: float = 0.001) -> list[Dosed]:
    return [Dosed(arm(f"pinch-{dose}", effect, dose, spread), dose, 96) for dose, effect in effects]


ENGLISH = arm("english", 0.0, 99)
BASE = Dosed(ENGLISH, 0, 96)


def found(*effects: tuple[int, float | tuple[float, ...]], spread: float = 0.001) -> Findings:
    what = find(
        AXES, Dosed(arm("english", 0.0, 99, spread), 0, 96), doses(*effects, spread=spread), "m", MARGIN
    )
    assert what is not None
    return what


def test_a_known_effect_is_found_at_its_dose_whatever_the_order_of_the_arms() -> None:
    ladder_ = doses((88, -0.1), (4, 0.0), (24, -0.08), (8, -0.05))
    what = find(AXES, BASE, ladder_, "m", MARGIN)
    assert what is not None
    assert what.arms == {0: "english", 4: "pinch-4", 8: "pinch-8", 24: "pinch-24", 88: "pinch-88"}
    steps = what.main.steps
    assert steps.smallest == steps.ladder.low == steps.ladder.high == 8
    assert steps.told == (8, 24, 88)
    change = steps.effect(8).change
    assert change.low < 0.05 < change.high  # positive for better


def test_without_an_effect_a_dose_is_seldom_found() -> None:
    false = 0
    for n in range(60):
        none = [arm(f"{n}-{dose}", 0.0, 10_000 + 10 * n + dose) for dose in (0, 1, 2)]
        what = find(AXES, Dosed(none[0], 0, 96), [Dosed(none[1], 8, 96), Dosed(none[2], 24, 96)], "m", MARGIN)
        assert what is not None
        false += what.main.steps.smallest is not None or what.main.ladder.works
    assert false <= 5  # 2.5 %, and what 60 draws allow


def test_no_effect_is_cannot_tell_with_the_sample_that_could() -> None:
    # Item by item as noisy as here, the margin takes far more than 40 items.
    noisy = [
        Dosed(
            one_seed(arm(f"pinch-{dose}", np.random.default_rng(dose).normal(0, 0.001), dose, 0.0)), dose, 96
        )
        for dose in (8, 24)
    ]
    what = find(ONE_SEED, Dosed(one_seed(ENGLISH), 0, 96), noisy, "m", 0.001)
    assert what is not None
    assert what.main.steps.smallest is None
    assert what.main.ladder.needed is not None
    assert what.main.ladder.needed.effect == 0.001
    assert what.main.ladder.needed.items is not None
    assert what.main.ladder.needed.items > ITEMS
    assert what.as_dict()["groups"]["others"]["effects"]["told"] == []


def test_groups_are_told_apart() -> None:
    what = found((8, (0.0, -0.05, 0.0)), (24, (0.0, -0.08, -0.05)))
    assert what.answers["seen"].steps.smallest == 8
    assert what.answers["unseen"].steps.smallest == 24


def test_unseen_languages_are_told_by_arms_that_were_not_trained_on_them() -> None:
    steps = doses((8, -0.05), (24, -0.08), (88, -0.1))
    mixed = Dosed(steps[2].results, 88, 96, frozenset({"en", "fi", "ru"}))
    what = find(AXES, BASE, [*steps[:2], mixed], "m", MARGIN)
    assert what is not None
    assert what.answers["unseen"].doses == (0, 8, 24)
    assert what.main.doses == what.answers["seen"].doses == (0, 8, 24, 88)
    alone = find(AXES, BASE, [mixed], "m", MARGIN)
    assert alone is not None
    assert "unseen" not in alone.answers


def test_the_smallest_dose_within_the_margin_of_the_largest() -> None:
    near = find(AXES, BASE, doses((8, -0.05), (24, -0.1), (88, -0.1)), "m", 0.02)
    assert near is not None
    assert near.within.dose == 24
    assert found((8, -0.05), (24, -0.08), (88, -0.1)).within.dose is None
    far = find(AXES, BASE, doses((8, -0.05), (24, -0.08), (88, -0.1)), "m", 0.5)
    assert far is not None
    assert far.within.dose == 0


def test_the_spread_between_seeds_is_the_noise_floor() -> None:
    noisy = found((8, -0.05), (24, -0.08), (60, -0.1), (88, -0.1), spread=0.03)
    assert noisy.main.noise is not None
    assert noisy.main.noise.low < 0.03 < noisy.main.noise.high
    quiet = found((8, -0.05), (24, -0.08), spread=0.0)
    assert quiet.main.noise is not None
    assert quiet.main.noise.spread < 0.005
    # What training does by itself is no effect, however precise the items are.
    assert found((8, -0.02), (24, 0.02), spread=0.05).main.steps.smallest is None


def test_with_one_seed_the_noise_is_unknown() -> None:
    steps = [Dosed(one_seed(step.results), step.dose, 96) for step in doses((8, -0.05), (24, -0.08))]
    what = find(ONE_SEED, Dosed(one_seed(ENGLISH), 0, 96), steps, "m", MARGIN)
    assert what is not None
    assert what.main.noise is None
    assert what.main.steps.smallest == 8
    assert noise_rows(ONE_SEED, [one_seed(ENGLISH)]) == []
    assert {row.language for row in noise_rows(AXES, [ENGLISH])} == {
        *("en", "fi", "ru", "others", "seen", "unseen")
    }


def test_fidelity_has_a_noise_floor_of_its_own() -> None:
    shares = np.repeat([[[1.0]], [[0.0]], [[1.0]]][:SEEDS], ITEMS, 1).repeat(3, 2)
    steady, moving = ENGLISH, replace(ENGLISH, in_language=shares)
    assert {row.measure for row in noise_rows(AXES, [steady])} == {"loss"}
    [spread] = [
        row.spread
        for row in noise_rows(AXES, [moving])
        if (row.measure, row.language) == ("fidelity", "others")
    ]
    assert spread == pytest.approx(np.std(shares[:, 0, 0], ddof=1))


def test_curves_need_three_doses() -> None:
    assert found((8, -0.05)).main.saturating is None
    assert curve_rows(found((8, -0.05))) == []
    what = found((8, -0.05), (24, -0.08))
    rows = curve_rows(what)
    assert {row.curve for row in rows} == {"measured", "isotonic", "saturating"}
    measured = [row for row in rows if (row.language, row.curve) == ("others", "measured")]
    assert [row.dose for row in measured] == [0, 8, 24]
    assert measured[0].value == measured[0].low == 0
    assert measured[2].value == pytest.approx(-0.08, abs=0.01)
    saturating = [row for row in rows if (row.language, row.curve) == ("others", "saturating")]
    assert saturating[0].dose == 0
    assert saturating[-1].dose == 24
    assert len(saturating) > 30


def test_two_arms_of_one_dose_are_not_both_counted() -> None:
    steps = [*doses((8, -0.05), (24, -0.08)), Dosed(arm("again", 0.5, 7), 8, 96)]
    what = find(AXES, BASE, steps, "m", MARGIN)
    assert what is not None
    assert what.twice == ("again",)
    assert what.main.steps.smallest == 8


def test_tests_are_rows_with_losses_sign() -> None:
    rows = dose_rows(found((4, 0.0), (8, -0.05), (24, -0.08)))
    effective = [row for row in rows if (row.question, row.language) == ("effective", "others")]
    assert [(row.dose, row.told, row.smallest, row.harms) for row in effective] == [
        *((24, True, False, False), (8, True, True, False), (4, False, False, False))
    ]
    assert effective[0].low < effective[0].value < effective[0].high < 0
    assert effective[0].needed_items is None
    assert [row.language for row in rows if row.question == "within margin"] == ["others"]


def test_it_is_json_without_what_json_lacks() -> None:
    what = found((8, -0.02), (24, -0.06), (88, -0.3))  # no sign of levelling off
    text = json.dumps(what.as_dict(), allow_nan=False)
    data = json.loads(text)
    saturating = data["groups"]["others"]["saturating"]
    assert saturating["half_dose_high"] is None
    assert saturating["gain"] < 0
    assert data["groups"]["others"]["effects"]["by_dose"][-1]["high"] < 0


def test_nothing_is_found_where_nothing_was_measured() -> None:
    assert find(AXES, None, doses((8, -0.1)), "m", MARGIN) is None
    assert find(AXES, BASE, [], "m", MARGIN) is None
    nothing = ENGLISH.in_language
    bare = ArmResults("m", "english", None, nothing, nothing, nothing, None, None, {}, {})
    assert find(AXES, Dosed(bare, 0, 96), doses((8, -0.1)), "m", MARGIN) is None


def test_changes_are_paired_by_item_and_hold_for_all_languages_together() -> None:
    by_arm = changes(AXES, ENGLISH, [ENGLISH, arm("a", -0.05, 1), one_seed(arm("untuned", 0.5, 2))])
    assert set(by_arm) == {"a", "untuned"}
    change = by_arm["a"]["fi"]
    assert change.value == pytest.approx(-0.05, abs=0.01)
    assert change.high - change.low < 0.05  # the items' own spread of 0.3 is gone
    assert change.low_together is not None
    assert change.high_together is not None
    assert change.low_together < change.low
    assert change.high < change.high_together
    assert by_arm["a"]["others"].low_together is None
    assert by_arm["untuned"]["fi"].n_seeds == SEEDS


def test_only_arms_that_differ_in_their_dose_alone_are_steps_of_the_ladder() -> None:
    dose = {"languages": ["fi"], "count": 4}
    arms = [
        {"name": "english"},
        {"name": "low-rank", "tuning": {"rank": 4}},
        {"name": "pinch", "doses": [dose]},
        {"name": "more", "doses": [{**dose, "count": 8}]},
        {"name": "upsampled", "doses": [{**dose, "times": 4}]},
        {"name": "after", "doses": [dose], "tuning": {"first": "en"}},
        {"name": "only-fi", "base": "fi"},
    ]
    study = Study.model_validate(
        {
            "models": ["m"],
            "pool": "p",
            "budget": {"examples": 16},
            "languages": {"seen": ["fi"]},
            "arms": arms,
        }
    )
    assert ladder(study, "english") == (["pinch", "more"], ["upsampled", "after", "only-fi"])


def test_languages_that_change_with_every_dose_make_no_ladder() -> None:
    sets = (["fi"], ["fi", "es"], ["fi", "es", "ru"])
    arms = [{"name": f"k{len(tags)}", "doses": [{"languages": tags, "count": 8}]} for tags in sets]
    study = Study.model_validate(
        {
            "models": ["m"],
            "pool": "p",
            "budget": {"examples": 16},
            "languages": {"seen": ["fi", "es", "ru"]},
            "arms": [{"name": "english"}, *arms],
        }
    )
    assert ladder(study, "english") == ([], ["k1", "k2", "k3"])
    same = study.model_copy(update={"arms": (*study.arms, study.arms[1].model_copy(update={"name": "more"}))})
    assert ladder(same, "english")[0] == ["k1", "k2", "k3", "more"]


TASK = task_measure("facts", "exact_match")


def measured(
    name: str, measure: Measure, effect: float | tuple[float, ...], seed: int, abstain: float = 0.0
) -> ArmResults:
    """Return an arm of which one measure alone is known: better by an effect, in units of the item's spread.

    A share ``abstain`` of the values is missing, by chance.
    """
    loss = arm(name, effect, seed).loss
    assert loss is not None
    nothing = np.full(loss.shape, np.nan)
    plain = ArmResults("m", name, None, nothing, nothing, nothing, None, None, {}, {})
    missing = np.random.default_rng(1000 + seed).random(loss.shape) < abstain
    if measure is LOSS:
        return replace(plain, loss=np.where(missing, np.nan, loss))
    share = np.where(missing, np.nan, np.clip(1 - loss / 2, 0, 1))
    if measure is FIDELITY:
        return replace(plain, in_language=share)
    return replace(plain, outcome=share) if measure is SCORE else replace(plain, tasks={measure.name: share})


@pytest.mark.parametrize("measure", [*MEASURES, TASK], ids=lambda one: one.name)
@pytest.mark.parametrize("abstain", [0.0, 0.3])
def test_any_measure_tells_the_same_doses_in_its_own_direction(measure: Measure, abstain: float) -> None:
    def ladder_of(*effects: float) -> Findings:
        steps = [
            Dosed(measured(f"pinch-{dose}", measure, effect, dose, abstain), dose, 96)
            for dose, effect in zip((4, 8, 24), effects, strict=True)
        ]
        none = Dosed(measured("english", measure, 0.0, 99, abstain), 0, 96)
        what = find(AXES, none, steps, "m", measure=measure)
        assert what is not None
        return what

    helps, harms = ladder_of(0.0, -0.3, -0.35), ladder_of(0.0, 0.0, 0.4)
    assert (helps.main.steps.smallest, harms.main.steps.smallest) == (8, None)
    assert measure.better(helps.main.changes[-1].value) > 0 > measure.better(harms.main.changes[-1].value)
    found_change = helps.as_dict()["groups"]["others"]["effects"]["by_dose"][1]
    assert measure.better(found_change["value"]) > 0
    assert found_change["low"] < found_change["value"] < found_change["high"]
    curves = {row.curve: measure.better(row.value) for row in curve_rows(helps) if row.dose == 24}
    assert all(value > 0 for value in curves.values())
    told = [row for row in dose_rows(helps) if row.smallest and row.language == "others"]
    assert measure.better(told[0].value) > 0


def test_the_opponent_of_scores_is_even_with_itself() -> None:
    opponent = replace(measured("english", SCORE, 0.0, 99), outcome=None)
    steps = [
        Dosed(measured(f"p{dose}", SCORE, effect, dose), dose, 96) for dose, effect in ((8, 0.0), (24, -1.0))
    ]
    what = find(AXES, Dosed(opponent, 0, 96), steps, "m", measure=SCORE)
    assert what is not None
    outcome = steps[1].results.outcome
    assert outcome is not None
    assert what.main.changes[-1].value == pytest.approx(100 * outcome[:, :, 1:].mean() - 50)
    # A loss has no neutral value, so an arm without one is not compared.
    assert find(AXES, Dosed(opponent, 0, 96), steps, "m", measure=LOSS) is None


def test_a_language_in_which_an_arm_has_no_value_is_no_part_of_the_average() -> None:
    none, step = (
        measured(name, FIDELITY, effect, seed) for name, effect, seed in (("a", 0.0, 1), ("b", -0.3, 2))
    )
    blank = step.in_language.copy()
    blank[:, :, 2] = np.nan
    what = find(
        AXES, Dosed(none, 0, 96), [Dosed(replace(step, in_language=blank), 8, 96)], "m", measure=FIDELITY
    )
    assert what is not None
    assert what.main.languages == ("fi",)
    assert "unseen" not in what.answers


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_where_all_answer_alike_no_dose_is_told_and_the_items_are_those_answered(share: float) -> None:
    none = measured("english", FIDELITY, 0.0, 99)
    same = np.full(none.in_language.shape, share)
    same[:, ITEMS // 2 :] = np.nan
    steps = [Dosed(replace(none, arm=f"p{dose}", in_language=same), dose, 96) for dose in (4, 8, 24)]
    what = find(AXES, Dosed(replace(none, in_language=same), 0, 96), steps, "m", measure=FIDELITY)
    assert what is not None
    assert [one.steps.smallest for one in what.answers.values()] == [None, None, None]
    assert what.items == ITEMS // 2
