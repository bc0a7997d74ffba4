from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from polypinch.errors import PinchError
from polypinch.findings.dose_ladder import Dosed
from polypinch.findings.doses import Findings, find
from polypinch.findings.enough import Standing, averages, claims, verdict
from polypinch.findings.sentences import answer
from polypinch.measure import FIDELITY, LOSS, Measure
from polypinch.publish.tables import change_rows, curve_rows, dose_rows
from polypinch.specs import validate
from polypinch.study import Study
from tests.findings.test_doses import AXES, BASE, ENGLISH, ONE_SEED, doses, found, one_seed

HARMED = ((8, (0.0, -0.05, -0.05)), (24, (0.0, -0.08, -0.08)), (88, (0.2, -0.1, -0.1)))


def losses(*effects: tuple[int, tuple[float, ...]], margin: float = 0.03) -> dict[Measure, Findings]:
    what = find(AXES, BASE, doses(*effects), "m", margin)
    assert what is not None
    return {LOSS: what}


def test_a_dose_that_helps_the_others_and_harms_english_is_not_enough() -> None:
    told = verdict(losses(*HARMED), "en", judged=False)
    assert told is not None
    assert told.enough == (8, 24)
    assert told.short == "8 to 24 of 96 is enough"
    assert (
        "held-out loss in English is no worse at 8 to 24, is worse by more than its margin at 88"
        in told.sentence
    )
    assert told.sentence.endswith("enough and safe: 8 to 24.")
    english = told.endpoints[-1]
    assert english.standing[88] is Standing.FAILS


def test_every_endpoint_has_to_hold() -> None:
    wrong = [
        replace(step, results=replace(step.results, in_language=np.zeros((3, 40, 3))))
        for step in doses((8, -0.05), (24, -0.08))
    ]
    right = Dosed(replace(ENGLISH, in_language=np.ones((3, 40, 3))), 0, 96)
    fidelity = find(AXES, right, wrong, "m", measure=FIDELITY)
    assert fidelity is not None
    told = verdict(
        losses((8, (0.0, -0.05, -0.05)), (24, (0.0, -0.08, -0.08))) | {FIDELITY: fidelity}, "en", False
    )
    assert told is not None
    assert told.enough == ()
    assert "enough" not in told.short


def test_doses_with_one_between_them_that_is_not_enough_are_named_one_by_one() -> None:
    harmed = ((8, (0.0, -0.08, -0.08)), (24, (0.2, -0.08, -0.08)), (88, (0.0, -0.1, -0.1)))
    told = verdict(losses(*harmed), "en", judged=False)
    assert told is not None
    assert told.short == "8 or 88 of 96 is enough"
    assert "is no worse at 8 and 88" in told.sentence


def test_one_training_is_never_enough() -> None:
    steps = [Dosed(one_seed(step.results), step.dose, 96) for step in doses((8, -0.05), (24, -0.08))]
    what = find(ONE_SEED, Dosed(one_seed(ENGLISH), 0, 96), steps, "m", 0.1)
    assert what is not None
    told = verdict({LOSS: what}, "en", judged=False)
    assert told is not None
    assert told.short == "Cannot tell yet"
    assert "in this one training" in told.sentence


def test_of_one_training_nothing_is_said_in_general() -> None:
    none = [Dosed(one_seed(step.results), step.dose, 96) for step in doses((8, 0.01), (24, 0.01))]
    what = find(ONE_SEED, Dosed(one_seed(ENGLISH), 0, 96), none, "m", 0.1)
    assert what is not None
    told = verdict({LOSS: what}, "en", judged=False)
    assert told is not None
    assert told.short == "Nothing tried helped, this once"
    assert "in this one training" in answer(what, ONE_SEED, ENGLISH, [], "m")


def test_where_no_dose_is_better_by_what_matters_nothing_tried_helps() -> None:
    told = verdict(losses((8, (0.0, 0.1, 0.1)), (24, (0.0, 0.1, 0.1))), "en", judged=False)
    assert told is not None
    assert told.short == "Nothing tried helps"


def test_a_number_has_one_interval_in_tables_curves_files_and_endpoints() -> None:
    what = found((4, 0.0), (8, (0.02, -0.05, 0.0)), (24, (0.1, -0.08, -0.05)))
    arms = [
        ENGLISH,
        *(step.results for step in doses((4, 0.0), (8, (0.02, -0.05, 0.0)), (24, (0.1, -0.08, -0.05)))),
    ]
    seen: dict[tuple[str, int], set[tuple[float, float, float]]] = {}

    def note(name: str, dose: int, value: float, low: float, high: float) -> None:
        seen.setdefault((name, dose), set()).add((round(value, 12), round(low, 12), round(high, 12)))

    dose_of = {arm: dose for dose, arm in what.arms.items()}
    for row in change_rows(AXES, ENGLISH, arms, LOSS, what):
        note(row.language, dose_of[row.arm], row.value, row.low, row.high)
    for row in dose_rows(what):
        if row.against == "none":
            note(row.language, row.dose, row.value, row.low, row.high)
            assert not row.told or row.high < 0  # a filled mark is on one side of none
    for row in curve_rows(what):
        if row.curve == "measured" and row.dose:
            note(row.language, row.dose, row.value, row.low, row.high)
    for name, group in what.as_dict()["groups"].items():
        for one in group["effects"]["by_dose"]:
            note(name, one["dose"], one["value"], one["low"], one["high"])
    told = verdict({LOSS: what}, "en", judged=False)
    assert told is not None
    for line in told.endpoints:
        for dose, change in line.changes.items():
            note(line.over, dose, change.value, change.low, change.high)
    assert len(seen) == 3 * (3 + 3)  # doses × languages and averages
    assert all(len(ends) == 1 for ends in seen.values()), seen


def declared(*endpoints: dict[str, Any]) -> Study:
    spec = {
        "name": "s",
        "models": ["m"],
        "pool": "pinch12",
        "budget": {"examples": 96},
        "languages": {"seen": ["fi"], "unseen": ["ru"]},
        "arms": [{"name": "english"}],
        "endpoints": list(endpoints),
    }
    return validate(spec, Study, "study")


def test_a_studys_own_endpoints_take_the_place_of_the_defaults() -> None:
    better = {"measure": "loss", "better": True}
    what = losses(*HARMED)
    lenient = claims(declared({"measure": "loss", "languages": "base", "no_worse_by": 0.5}, better))
    assert [(one.over, one.margin) for one in lenient] == [("others", None), ("en", 0.5)]
    told = verdict(what, "en", False, lenient)
    assert told is not None
    assert told.enough == (8, 24, 88)  # English is worse at 88, by less than is minded here
    strict = claims(declared(better, {"measure": "loss", "languages": ["en"], "better": True}))
    alone = verdict(what, "en", False, strict)
    assert alone is not None
    assert alone.enough == ()


def test_an_average_of_ones_own_and_points_of_100() -> None:
    study = declared(
        {"measure": "loss", "better": True},
        {"measure": "fidelity", "languages": ["fi", "ru"], "no_worse_by": 5},
    )
    assert averages(study) == {"fi, ru": ("fi", "ru")}
    assert [one.margin for one in claims(study)] == [None, 0.05]


def test_an_endpoint_that_was_not_measured_holds_nowhere_and_is_named() -> None:
    study = declared({"measure": "loss", "better": True}, {"measure": "score", "no_worse_by": 5})
    told = verdict(losses(*HARMED), "en", False, claims(study))
    assert told is not None
    assert told.enough == ()
    assert "the score in the other languages was not measured" in told.sentence


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"measure": "loss"}, "one of better"),
        ({"measure": "loss", "better": True, "no_worse_by": 1}, "one of better"),
        ({"measure": "loss", "better": True, "languages": ["sw"]}, "sw is not evaluated"),
        ({"measure": "loss", "no_worse_by": 0.1}, "it leads"),
        ({"measure": "luck", "better": True}, "measure"),
    ],
)
def test_endpoints_that_cannot_be_are_refused(endpoint: dict[str, Any], message: str) -> None:
    with pytest.raises(PinchError, match=message):
        declared(endpoint)
