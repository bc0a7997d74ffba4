from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polypinch.errors import PinchError
from polypinch.measure import FIDELITY, LOSS, Measure
from polypinch.publish import advise_from_study
from polypinch.study import Study
from polypinch.study.spec import Arm

ARMS = {"english": 0, "pinch-4": 4, "pinch-8": 8, "mixed": 12}


def study_at(
    folder: Path,
    changes: dict[tuple[str, str], tuple[float, float, float]],
    least: int | None = None,
    measure: Measure = LOSS,
    n_items: int = 40,
    **more: Any,
) -> Path:
    """Write a study's record and the findings of its report, which name ``least`` as the smallest dose."""
    spec = {
        "name": "ladder",
        "models": ["m"],
        "pool": "pinch12",
        "budget": {"examples": 24},
        "languages": {"seen": ["es", "fi"], "unseen": ["ru"]},
        "arms": [
            {"name": name, "doses": [{"languages": ["es", "fi"], "count": count}] if count else []}
            for name, count in ARMS.items()
        ],
        **more,
    }
    study = Study.model_validate(spec)
    (folder / "study.json").write_text(json.dumps({"study": study.model_dump(mode="json"), "store": "s"}))
    by_arm: dict[str, dict[str, dict[str, float]]] = {}
    for (arm, key), change in changes.items():
        ends = dict(zip(("value", "low", "high"), change, strict=True))
        by_arm.setdefault(arm, {})[key] = {**ends, "n_items": n_items}
    named = {
        group: {"effects": {"told": [dose for dose in (4, 8, 12) if least is not None and dose >= least]}}
        for group in ("others", "seen")
    }
    wrong = {"groups": {"others": {"effects": {"told": [12]}}}, "changes": {}}
    findings = {
        "leading": measure.name,
        "delivered": {
            name: {"en": 24 - count, "es": count // 2, "fi": count // 2} for name, count in ARMS.items()
        },
        "models": [
            {"model": "other", "measures": {measure.name: wrong}},
            {"model": "m", "measures": {measure.name: {"groups": named, "changes": by_arm}}},
        ],
    }
    (folder / "findings.json").write_text(json.dumps(findings))
    return folder


def ladder(*highs: float, key: str = "others") -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return each dose's change with an interval of ±0.01 that ends at ``high``."""
    arms = [name for name, dose in ARMS.items() if dose]
    return {(arm, key): (high - 0.01, high - 0.02, high) for arm, high in zip(arms, highs, strict=True)}


def test_the_smallest_dose_that_the_report_names_is_advised(tmp_path: Path) -> None:
    advice = advise_from_study(study_at(tmp_path, ladder(0.001, -0.002, -0.01), 8))
    assert advice.answer == (
        "Your study ladder: 8 of 24 examples in es, fi lowered held-out loss of m: the average over the other"
        " languages: −0.012 bits per byte (95 % interval −0.022 to −0.002) against english, 3 languages."
    )
    assert [(one.language, one.examples) for one in advice.languages] == [("es", 4), ("fi", 4)]
    assert advice.plan is not None
    assert (advice.plan.doses[0].count, advice.plan.seed) == (8, 1)
    assert "1 training seed" in " ".join(advice.limits)


def test_without_targets_the_advice_is_the_report_s_whatever_single_intervals_say(tmp_path: Path) -> None:
    folder = study_at(tmp_path, ladder(-0.01, -0.01, -0.01), 12)
    advice = advise_from_study(folder)
    assert advice.examples == 12
    assert "that the study's report tells" in advice.rule


def test_for_targets_a_broken_run_from_the_largest_stops(tmp_path: Path) -> None:
    folder = study_at(tmp_path, ladder(-0.01, 0.001, -0.01, key="fi"), 4)
    advice = advise_from_study(folder, ["fi"])
    assert advice.examples == 12
    assert "in every target" in advice.rule


def test_of_few_items_no_target_alone_is_advised_on(tmp_path: Path) -> None:
    changes = ladder(-0.01, -0.01, -0.01, key="fi")
    assert advise_from_study(study_at(tmp_path, changes, n_items=12), ["fi"]).examples == 4
    assert advise_from_study(study_at(tmp_path, changes, n_items=11), ["fi"]).examples == 0


def test_every_target_has_to_pass(tmp_path: Path) -> None:
    changes = ladder(-0.01, -0.01, -0.01, key="fi") | ladder(0.01, 0.01, -0.01, key="ru")
    folder = study_at(tmp_path, changes)
    both = advise_from_study(folder, ["fi", "ru"])
    assert both.examples == 12
    assert "which was not in the pinch" in both.targets[1]
    alone = advise_from_study(folder, ["fi"])
    assert alone.examples == 4
    assert "It is the smallest dose that the study tried; a smaller one may do." in alone.limits


def test_cannot_tell_is_an_answer_with_the_numbers_and_without_a_plan(tmp_path: Path) -> None:
    advice = advise_from_study(study_at(tmp_path, ladder(-0.01, -0.01, 0.005)))
    assert "cannot tell a dose that helps m from none" in advice.answer
    assert "−0.015 to +0.005" in advice.answer
    assert (advice.plan, advice.languages, advice.examples) == (None, (), 0)


def test_arms_that_differ_in_more_than_their_dose_are_left_out(tmp_path: Path) -> None:
    arms = [Arm(name="english"), Arm.model_validate(
        {"name": "mixed", "tuning": {"rank": 4}, "doses": [{"languages": ["es"], "count": 12}]}
    )]  # fmt: skip
    folder = study_at(tmp_path, ladder(-1, -1, -1), arms=[arm.model_dump() for arm in arms])
    with pytest.raises(PinchError, match="no arm with a dose"):
        advise_from_study(folder)


def test_a_target_that_was_not_evaluated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="did not evaluate th"):
        advise_from_study(study_at(tmp_path, ladder(-1, -1, -1)), ["th"])
    with pytest.raises(PinchError, match="no study"):
        advise_from_study(tmp_path / "nowhere")


def test_a_study_led_by_a_measure_that_rises_is_read_by_its_own_direction(tmp_path: Path) -> None:
    changes = {(arm, "others"): (0.12, 0.03, 0.2) for arm in ARMS if arm != "english"}
    changes |= {("pinch-4", "fi"): (-0.1, -0.2, -0.05), ("pinch-8", "fi"): (0.1, 0.04, 0.2)}
    changes[("mixed", "fi")] = (0.1, 0.01, 0.2)
    folder = study_at(tmp_path, changes, 4, FIDELITY)
    advice = advise_from_study(folder)
    assert "raised the share of answers in the language asked of m" in advice.answer
    assert "+12.0 points of 100 (95 % interval +3.0 to +20.0)" in advice.answer
    assert advise_from_study(folder, ["fi"]).examples == 8


@pytest.mark.parametrize("content", ["{}", "[]", '{"leading": "loss", "models": []}', '{"leading": "taste"}'])
def test_findings_of_another_make_are_refused_with_what_to_do(tmp_path: Path, content: str) -> None:
    folder = study_at(tmp_path, ladder(-1, -1, -1))
    (folder / "findings.json").write_text(content)
    with pytest.raises(PinchError, match=r"findings\.json is not what") as error:
        advise_from_study(folder)
    assert "polypinch report" in str(error.value.fix)
