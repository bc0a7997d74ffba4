from dataclasses import replace
from pathlib import Path

from polypinch.report.judge import COLUMNS, judge_section
from polypinch.report.page import write_report
from tests.report.fake import study, without

SMALL = study(doses=(0, 8, 72), seen=("es", "fi"), unseen=("ar",))


def test_each_arm_has_a_line_of_averages_and_each_column_its_reading(tmp_path: Path) -> None:
    html = write_report(SMALL, tmp_path).read_text(encoding="utf-8")
    part = html.split('<section id="judge">')[1].split("</section>")[0]
    assert part.count('<th scope="row">') == 3  # untuned, pinch-8, mixed
    for one in COLUMNS.values():
        assert part.count(f"{one.title}<") == 2
        assert one.reading in part
    row = next(r for r in SMALL.judge if (r.arm, r.language, r.measure) == ("mixed", "all", "flips"))
    assert f"<td>{row.value:.0f}<small>{row.low:.0f} to {row.high:.0f}</small></td>" in part


def test_what_a_judge_without_order_cannot_have_is_left_out() -> None:
    rows = [row for row in SMALL.judge if row.measure not in ("flips", "firsts")]
    found = judge_section(replace(SMALL, judge=rows))
    assert found is not None
    assert [one.title for one in found.columns] == [
        one.title for name, one in COLUMNS.items() if name not in ("flips", "firsts")
    ]


def test_with_several_models_each_has_its_table() -> None:
    found = judge_section(study(models=("a", "b"), doses=(0, 8), seen=("es",), unseen=()))
    assert found is not None
    assert [table.model for table in found.tables] == ["a", "b"]


def test_where_nothing_was_judged_there_is_no_section(tmp_path: Path) -> None:
    html = write_report(without(SMALL, "judge"), tmp_path).read_text(encoding="utf-8")
    assert '<section id="judge">' not in html
