from __future__ import annotations

import numpy as np
import pytest

from polypinch.study.findings import Dosed, answer, caveats, contrast, smallest_that_helps
from polypinch.study.reporting import ladder
from polypinch.study.results import ArmResults, Axes
from polypinch.study.spec import Study

ITEMS, SEEDS = 40, 3
AXES = Axes(
    tuple(range(SEEDS)),
    tuple(f"i{n}" for n in range(ITEMS)),
    ("en", "fi", "ru"),
    {"others": [1, 2], "seen": [1]},
)
DIFFICULTY = np.random.default_rng(0).normal(1.0, 0.3, (1, ITEMS, 1))


def arm(name: str, effect: float, seed: int) -> ArmResults:
    """Return an arm whose loss is the items' difficulty, an effect, and noise."""
    generator = np.random.default_rng(seed)
    loss = DIFFICULTY + effect + generator.normal(0, 0.02, (SEEDS, ITEMS, 3))
    nothing = np.full(loss.shape, np.nan)
    return ArmResults("m", name, loss, nothing, nothing, nothing, None, None, {}, {})


def doses(*effects: tuple[int, float]) -> list[Dosed]:
    return [Dosed(arm(f"pinch-{dose}", effect, dose), dose, 96) for dose, effect in effects]


ENGLISH = arm("english", 0.0, 99)


def test_the_smallest_dose_in_an_unbroken_run_from_the_largest_is_found() -> None:
    found = smallest_that_helps(AXES, ENGLISH, doses((4, 0.001), (8, -0.05), (24, -0.08), (88, -0.1)))
    assert found is not None
    assert found[0].dose == 8
    broken = smallest_that_helps(AXES, ENGLISH, doses((8, -0.05), (24, 0.0), (88, -0.1)))
    assert broken is not None
    assert broken[0].dose == 88


def test_without_an_effect_a_dose_is_seldom_found() -> None:
    false = sum(
        smallest_that_helps(AXES, arm("english", 0.0, 1000 + n), [Dosed(arm("p", 0.0, 2000 + n), 8, 96)])
        is not None
        for n in range(200)
    )
    assert false <= 14  # 2.5 % one-sided, and what 200 draws allow


def test_the_answer_says_dose_change_interval_items_and_seeds() -> None:
    text = answer(AXES, ENGLISH, doses((8, -0.05), (24, -0.08)), "m")
    for part in (
        "measurably lower ",
        "8 of 96 training examples in other languages, the smallest dose tried,",
        "95 % interval",
        "40 items",
        "3 seeds",
        "against english",
    ):
        assert part in text


def test_it_says_when_the_data_cannot_tell_and_what_no_dose_does() -> None:
    text = answer(AXES, ENGLISH, doses((8, 0.0), (24, 0.0)), "m", arm("untuned", 0.5, 7))
    assert "cannot tell the largest dose from none" in text
    assert "English alone changes it by −0.499" in text
    assert "cannot be told" in answer(AXES, None, [], "m") or "no dose can be told" in answer(
        AXES, None, [], "m"
    )


def test_a_contrast_is_paired_by_item() -> None:
    change = contrast(arm("a", -0.05, 1).loss, ENGLISH.loss, [1, 2])  # type: ignore[arg-type]
    assert change.value == pytest.approx(-0.05, abs=0.01)
    assert change.high - change.low < 0.03  # the items' own spread of 0.3 is gone
    alone = contrast(arm("a", -0.05, 1).loss[:1], ENGLISH.loss, [1, 2])  # type: ignore[index, arg-type]
    assert alone.n_seeds == SEEDS


def test_harm_is_called_harm() -> None:
    assert "raises held-out loss" in answer(AXES, ENGLISH, doses((8, 0.0), (24, 0.1)), "m")


def test_caveats_name_the_seeds_and_the_judge() -> None:
    one = Axes((1,), AXES.items, AXES.languages, AXES.groups)
    assert "1 training seed:" in caveats(one, 8, "reference")[0]
    assert any("no LLM judge" in note for note in caveats(one, 8, "reference"))
    assert not any("seed" in note for note in caveats(AXES, 200, None))
    by_model = caveats(one, 8, "pairwise by m, each pair in both orders")
    assert any("a language model as judge: pairwise by m" in note for note in by_model)
    assert not any("reference" in note for note in by_model[2:3])


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
