"""The top of the page: a verdict, the dose picture, endpoints with ticks."""

import re
from dataclasses import replace

from polypinch.measure import LOSS, SCORE
from polypinch.report import AtDose, Conclusion, Endpoint
from polypinch.report.glance import dose_picture, tick_lines
from tests.report.fake import conclusion, study

DATA = study(doses=(0, 8, 24, 72), seeds=2)
TOLD = conclusion("m", DATA.arms)


def points(told: Conclusion) -> list[dict[str, object]]:
    return list(dose_picture(told)["data"]["values"])


def test_each_dose_has_a_tick_for_each_endpoint_and_one_for_all_of_them() -> None:
    signs = [
        (line.dose, "".join(cell.sign for cell in line.cells), line.together.sign)
        for line in tick_lines(TOLD)
    ]
    assert signs == [(8, "?✓✓", "?"), (24, "✓✓✓", "✓"), (72, "✓✓✗", "✗")]


def test_a_failure_is_a_failure_whatever_cannot_be_told() -> None:
    one = TOLD.endpoints[0]
    lost = replace(one, by_dose={dose: replace(at, holds=None) for dose, at in one.by_dose.items()})
    lines = tick_lines(replace(TOLD, endpoints=(lost, *TOLD.endpoints[1:])))
    assert [line.together.sign for line in lines] == ["?", "?", "✗"]


def test_what_was_not_measured_at_a_dose_has_no_tick_and_cannot_be_enough() -> None:
    one = TOLD.endpoints[1]
    lines = tick_lines(
        replace(TOLD, endpoints=(*TOLD.endpoints[:1], replace(one, by_dose={8: one.by_dose[8]})))
    )
    assert [line.cells[1].sign for line in lines] == ["✓", "–", "–"]
    assert [line.together.sign for line in lines] == ["?", "?", "?"]


def test_a_tick_says_the_change_and_its_interval_in_the_measure_s_unit() -> None:
    cell = tick_lines(TOLD)[0].cells[1]
    assert (cell.value, cell.span) == ("+5.0", "−2.0 to +12.0")


def test_a_mark_is_filled_only_where_its_dose_is_told() -> None:
    filled = [point for point in points(TOLD) if point["part"] == "told"]
    assert [(point["group"], point["dose"]) for point in filled] == [
        ("others", "24"), ("others", "72"), ("base", "72"),
    ]  # fmt: skip
    assert all(not float(str(point["low"])) < 0 < float(str(point["high"])) for point in filled)


def test_the_picture_names_its_axes_and_tells_its_lines_apart_by_shape_and_colour() -> None:
    text = str(dose_picture(TOLD))
    assert "training examples in other languages, of 96" in text
    assert "Change in held-out loss" in text
    assert "bits per byte (lower is better)" in text
    assert re.search(r"'legend': \{[^}]*11 other languages", text)
    assert "square" in text
    assert "circle" in text


def test_doses_that_are_enough_have_a_ground() -> None:
    assert '"enough"' in str(dose_picture(TOLD)).replace("'", '"')
    assert "'text': 'held'" in str(dose_picture(replace(TOLD, trainings=1)))


def test_endpoints_of_another_measure_are_not_in_the_picture_of_the_leading_one() -> None:
    score = Endpoint(SCORE, "others", "11 other languages", None, {8: AtDose(55.0, 51.0, 59.0, True, True)})
    mixed = replace(TOLD, endpoints=(score, *TOLD.endpoints))
    assert {point["dose"] for point in points(mixed)} == {"none", "8"}
    assert LOSS.change_heading.split(",")[0] not in str(dose_picture(mixed))
