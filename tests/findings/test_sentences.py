from __future__ import annotations

import re

import pytest

from polypinch.findings.dose_ladder import Dosed
from polypinch.findings.doses import Findings, find
from polypinch.findings.sentences import answer, caveats, details
from polypinch.measure import FIDELITY, MEASURES, SCORE, Measure
from polypinch.results.arms import ArmResults
from polypinch.study.arrays import Axes
from tests.findings.test_doses import (
    AXES,
    ENGLISH,
    MARGIN,
    ONE_SEED,
    TASK,
    arm,
    doses,
    found,
    measured,
    one_seed,
)


def said(what: Findings) -> str:
    return answer(what, AXES, ENGLISH, [], "m")


def behind(what: Findings, untuned: ArmResults | None = None, several: bool = False) -> str:
    return "\n".join(f"{about}: {line}" for about, line in details(what, AXES, ENGLISH, untuned, several))


def test_the_answer_says_dose_change_interval_items_seeds_and_noise() -> None:
    text = said(found((8, -0.05), (24, -0.08)))
    for part in (
        "the smallest dose that works is 8 of 96 training examples in other languages",
        ", the smallest dose tried.",
        "It lowers held-out loss over the 2 other languages by 0.05",
        "95 % interval 0.04",
        "40 items",
        "3 training seeds",
    ):
        assert part in text


def test_it_says_what_it_stands_on() -> None:
    text = behind(found((4, 0.0), (8, (0.0, -0.05, 0.0)), (24, (0.0, -0.08, -0.05)), (88, -0.081)))
    for part in (
        "at most 2.5 of 100",
        "The seen language: The smallest dose that works is 8",
        "The unseen language: ",
        "As good as the largest dose: ",
        "at most 0.005 bits per byte (loss_margin) worse than 88 of 96",
        "Another training: From seed to seed, a dose's change over this average differs by 0.00",
    ):
        assert part in text


def test_it_says_when_the_data_cannot_tell_and_what_no_dose_does() -> None:
    what = found((8, 0.0), (24, 0.0), spread=0.01)
    assert "m: cannot tell. The largest dose, 24 of 96" in said(what)
    text = behind(what, arm("untuned", 0.5, 7))
    assert "An effect of 0.005 bits per byte could be told four times in five with " in text
    assert " at the present " in text
    assert "English alone changes it by −0." in text


def test_one_seed_says_what_it_cannot_tell() -> None:
    steps = [Dosed(one_seed(step.results), step.dose, 96) for step in doses((8, -0.05), (24, -0.08))]
    what = find(ONE_SEED, Dosed(one_seed(ENGLISH), 0, 96), steps, "m", MARGIN)
    assert what is not None
    text = answer(what, ONE_SEED, ENGLISH, steps, "m")
    assert " in this one training. " in text
    assert "works" not in text.split(" in this one training.")[0]
    assert "Another training: Unknown." in behind(what)
    none = [Dosed(one_seed(step.results), step.dose, 96) for step in doses((8, 0.0), (24, 0.0), spread=0.0)]
    silent = find(ONE_SEED, Dosed(one_seed(arm("english", 0.0, 99, 0.0)), 0, 96), none, "m", 0.0005)
    assert silent is not None
    assert "if training anew changed nothing" in behind(silent)


def test_harm_is_called_harm() -> None:
    text = said(found((8, 0.0), (24, 0.1)))
    assert "no dose is found to work" in text
    assert "raises held-out loss" in text


def test_where_every_dose_trains_on_the_unseen_it_says_so() -> None:
    mixed = Dosed(arm("mixed", -0.1, 3), 88, 96, frozenset({"en", "fi", "ru"}))
    what = find(AXES, Dosed(ENGLISH, 0, 96), [mixed], "m", MARGIN)
    assert what is not None
    assert "The unseen language: Not told: every dose trains on them." in behind(what)


def test_several_models_name_themselves_in_every_line() -> None:
    lines = details(found((8, -0.05), (24, -0.08)), AXES, ENGLISH, None, True)
    assert lines
    assert all(about.startswith("m: ") for about, _ in lines)


@pytest.mark.parametrize(
    ("baseline", "steps", "words"),
    [
        (None, [], "so no dose can be told"),
        (ENGLISH, [], "so no dose can be told"),
        (ENGLISH, doses((8, 0.0)), "no reference responses"),
    ],
)
def test_where_nothing_can_be_told_it_says_why(
    baseline: ArmResults | None, steps: list[Dosed], words: str
) -> None:
    assert words in answer(None, AXES, baseline, steps, "m")
    assert details(None, AXES, baseline, None, False) == []


def test_caveats_name_the_seeds_and_the_judge() -> None:
    one = Axes((1,), AXES.items, AXES.languages, AXES.groups)
    assert "1 training seed:" in caveats(one, 8, "reference")[0]
    assert any("no LLM judge" in note for note in caveats(one, 8, "reference"))
    assert not any("seed" in note for note in caveats(AXES, 200, None))
    by_model = caveats(one, 8, "pairwise by m, each pair in both orders")
    assert any("a language model as judge: pairwise by m" in note for note in by_model)
    assert not any("reference" in note for note in by_model[2:3])


def by(measure: Measure, *effects: tuple[int, float]) -> Findings:
    steps = [Dosed(measured(f"pinch-{dose}", measure, effect, dose), dose, 96) for dose, effect in effects]
    what = find(AXES, Dosed(measured("english", measure, 0.0, 99), 0, 96), steps, "m", measure=measure)
    assert what is not None
    return what


@pytest.mark.parametrize("measure", [FIDELITY, SCORE, TASK], ids=lambda one: one.name)
def test_a_measure_that_rises_is_told_in_its_own_unit_and_direction(measure: Measure) -> None:
    helps = by(measure, (4, 0.0), (8, -0.3), (24, -0.35))
    english, untuned = measured("english", measure, 0.0, 99), measured("untuned", measure, 0.5, 7)
    text = f"{said(helps)} {details(helps, AXES, english, untuned, False)}"
    assert f"It raises {measure.title} over the 2 other languages by 1" in text
    assert re.search(rf" {measure.unit} \(95 % interval \d", text)
    harms = by(measure, (8, 0.0), (24, 0.4))
    text += f"{said(harms)} {details(harms, AXES, english, untuned, False)}"
    assert "no dose is found to work. The largest, 24 of 96 training examples" in text
    assert f", lowers {measure.title} over the 2 other languages by −" in text
    assert "English alone changes it by +2" in text
    assert not any(word in text for word in ("loss", "bits", "byte"))
    assert not any("loss" in note for note in caveats(AXES, 200, None, measure))


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.name)
def test_where_it_was_not_measured_it_says_why(measure: Measure) -> None:
    assert measure.lacking in answer(None, AXES, ENGLISH, doses((8, 0.0)), "m", measure)
