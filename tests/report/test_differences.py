from __future__ import annotations

from polypinch.measure import FIDELITY, LOSS
from polypinch.report import ArmChange
from polypinch.report.differences import differences
from tests.report.fake import study

DATA = study(doses=(0, 8), seen=("es", "fi"), unseen=("ar",))


def said(*ends: tuple[str, str, float | None, float | None], lower: bool = True) -> list[str]:
    rows = [ArmChange("m", arm, tag, 0, 0, 0, 24, 2, low, high) for arm, tag, low, high in ends]
    return differences(DATA, rows, "m", LOSS if lower else FIDELITY)


def test_languages_are_named_with_the_way_they_go() -> None:
    ends = [("mixed", "en", 0.1, 0.2), ("mixed", "es", -0.2, -0.1), ("mixed", "fi", -0.2, 0.1)]
    assert said(*ends) == [
        "mixed differs in 2 of 3 languages: better in Spanish; worse in English. In the rest, cannot tell."
    ]
    assert "better in English; worse in Spanish" in said(*ends, lower=False)[0]


def test_none_and_all_are_said_plainly() -> None:
    assert said(("mixed", "es", -0.1, 0.1), ("mixed", "fi", -0.1, 0.1)) == [
        "mixed: cannot tell a difference in any of 2 languages."
    ]
    assert said(("untuned", "es", 0.1, 0.2), ("untuned", "fi", 0.1, 0.2)) == [
        "The untuned base differs in 2 of 2 languages: worse in all."
    ]


def test_averages_and_arms_without_joint_intervals_are_left_out() -> None:
    assert said(("mixed", "others", -0.2, -0.1), ("mixed", "es", None, None)) == []
