import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.publish import Entry, averages, unlike_settings, write_together
from polypinch.publish.overlay import PANELS, overlay
from polypinch.publish.together_page import series_of
from polypinch.report import CurvePoint
from polypinch.report.points import Scale
from tests.report.fake import study, without
from tests.report.test_page import HOSTILE, Page

SMALL = replace(study(doses=(0, 8, 72)), title="small", answer="small: 8 of 96 are enough.")
LARGE = replace(
    study(models=("large",), doses=(0, 16, 160), rows=320),
    title="large",
    answer="large: the data cannot tell.",
    settings={"study": {"base": "en", "seeds": [7, 8], "tuning": {"epochs": 2, "lora_r": 64}}},
)
ENTRIES = [Entry("small", "../small/report.html", SMALL), Entry("large", "", LARGE)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("together")
    page = write_together(ENTRIES, ["Their held-out items differ."], directory)
    return directory, page.read_text(encoding="utf-8")


def test_every_answer_warning_and_link_is_on_the_page(written: tuple[Path, str]) -> None:
    page = Page(written[1])
    for text in (SMALL.answer, LARGE.answer, "Their held-out items differ.", "What cannot be compared"):
        assert text in page.text
    links = {attrs.get("href") for tag, attrs in page.tags if tag == "a"}
    assert "../small/report.html" in links
    for link in links - {"../small/report.html"}:
        assert (written[0] / str(link)).is_file(), link


def test_one_chart_holds_every_study_in_panels_of_seen_and_unseen(written: tuple[Path, str]) -> None:
    svg = (written[0] / "figures/together-loss-change.svg").read_text(encoding="utf-8")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"small", "large", PANELS["seen"], PANELS["unseen"]} <= set(texts)
    assert PANELS["others"] not in texts
    # Budgets differ, so doses are shares.
    assert {"8.3%", "75%", "5%", "50%", "0%"} <= set(texts)
    for name in ("loss-change", "scores", "fidelity"):
        assert (written[0] / f"figures/together-{name}.pdf").read_bytes().startswith(b"%PDF")


def test_arms_are_set_against_studies_with_their_intervals(written: tuple[Path, str]) -> None:
    page = Page(written[1])
    row = next(r for r in LARGE.loss_change if r.language == "others" and r.arm == "mixed")
    assert f"{row.value:+.4f}".replace("-", "−") in page.text
    text = (written[0] / "tables/loss_change.tex").read_text(encoding="utf-8")
    heads = next(line for line in text.splitlines() if line.startswith("average"))
    assert heads == r"average & arm & small & large \\"
    # Each study has a middle dose of its own.
    assert any(line.count("&") == 3 and "pinch-16 & --" in line for line in text.splitlines())


def test_the_tables_hold_every_row_of_every_study(written: tuple[Path, str]) -> None:
    with (written[0] / "tables/loss.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["study"] for row in rows] == ["small"] * len(SMALL.loss) + ["large"] * len(LARGE.loss)
    assert rows[-1]["value"] == str(LARGE.loss[-1].value)
    assert {row["measure"] for row in averages(ENTRIES)} == {"loss_change", "scores", "fidelity"}


def test_only_unlike_settings_are_listed(written: tuple[Path, str]) -> None:
    found = dict(unlike_settings(ENTRIES))
    assert found == {"study.seeds": ["7", "7, 8"], "study.tuning.lora_r": ["16", "64"]}
    assert "study.tuning.lora_r,16,64" in (written[0] / "tables/differences.csv").read_text(encoding="utf-8")


def test_a_study_of_two_base_models_is_two_series() -> None:
    two = study(models=("one", "two"), doses=(0, 8))
    assert [one.name for one in series_of([Entry("a", "", two), ENTRIES[0]])] == ["a: one", "a: two", "small"]


def test_what_one_study_did_not_measure_is_said(tmp_path: Path) -> None:
    entries = [ENTRIES[0], Entry("large", "", without(LARGE, "scores"))]
    page = Page(write_together(entries, [], tmp_path).read_text(encoding="utf-8"))
    assert "Not measured in large." in page.text
    assert "What cannot be compared" not in page.text
    neither = [Entry(one.name, "", without(one.data, "scores")) for one in ENTRIES]
    write_together(neither, [], tmp_path)
    assert not list(tmp_path.rglob("*scores*.*g")) + list(tmp_path.rglob("scores.tex"))


def test_languages_without_groups_have_one_panel(tmp_path: Path) -> None:
    entries = [Entry(name, "", study(doses=(0, 8), seen=("es", "fi"), unseen=())) for name in ("a", "b")]
    bare = [
        replace(
            one,
            data=replace(one.data, loss_change=[r for r in one.data.loss_change if r.language != "seen"]),
        )
        for one in entries
    ]
    write_together(bare, [], tmp_path)
    assert PANELS["others"] in (tmp_path / "figures/together-loss-change.svg").read_text(encoding="utf-8")


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    entries = [replace(ENTRIES[0], name=HOSTILE), ENTRIES[1]]
    html = write_together(entries, [HOSTILE], tmp_path).read_text(encoding="utf-8")
    page = Page(html)
    assert "<img src=x" not in html
    assert all("onerror" not in attrs for _, attrs in page.tags)
    assert sum("type" not in attrs for attrs, _ in page.scripts) == 1


def test_more_studies_than_colours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="9 base models"):
        write_together([Entry(str(at), "", SMALL) for at in range(9)], [], tmp_path)


def curve(group: str, *doses: int) -> list[CurvePoint]:
    return [
        CurvePoint("large", group, kind, dose, -0.1, -0.2, 0.0)
        for kind in ("measured", "isotonic", "saturating")
        for dose in doses
    ]


def test_a_study_with_fitted_curves_is_drawn_by_them_at_the_same_places(tmp_path: Path) -> None:
    plain = Entry("small", "", replace(SMALL, curves=[]))
    fitted = replace(LARGE, curves=[*curve("others", 0, 80), *curve("seen", 0, 80, 160)])
    write_together([plain, Entry("large", "", fitted)], [], tmp_path)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert (
        "saturating fits and their 95 % bands" in (tmp_path / "figures/together-loss-change.svg").read_text()
    )
    assert "its saturating fit where it has one" in page.text
    series = series_of([plain, Entry("large", "", fitted)])
    points = overlay(
        series,
        [one.data.loss_change for one in series],
        Scale("m", "n", "", ""),
        "English",
        0.0,
        curves=True,
    )["data"]["values"]
    drawn = [point for point in points if point["fitted"]]
    # Doses are shares of 320 rows; the average over all others has no panel where seen and unseen have.
    assert {(point["series"], point["panel"], point["x"]) for point in drawn} == {
        ("large", PANELS["seen"], share) for share in (0, 0.25, 0.5)
    }
    joined = {(point["series"], point["panel"]) for point in points if point["joined"]}
    assert ("large", PANELS["seen"]) not in joined
    assert {("large", PANELS["unseen"]), ("small", PANELS["seen"])} <= joined


def test_where_all_other_languages_are_seen_their_average_s_curve_is_the_seen_one_s() -> None:
    languages = [one for one in LARGE.languages if one.group != "unseen"]
    data = replace(LARGE, languages=languages, curves=curve("others", 0, 160))
    [one] = series_of([Entry("large", "", data)])
    table = [row for row in data.loss_change if row.language != "unseen"]
    points = overlay([one], [table], Scale("m", "n", "", ""), "English", 0.0, curves=True)["data"]["values"]
    assert {point["panel"] for point in points if point["fitted"]} >= {PANELS["seen"]}
