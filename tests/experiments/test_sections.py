import csv
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from polypinch.experiments import EXPERIMENTS, EXPORTS, measure_experiments, parts_of
from polypinch.report import ReportData, record, write_report
from tests.experiments.simulate import preset, simulate
from tests.report.fake import study
from tests.report.simulated import of_preset, report_of

TAGS = ("en", "ar", "cs", "es", "fi", "he")
FIGURES = {
    "monolingual": {
        *("transfer-scores", "transfer-loss", "transfer-gives", "transfer-means", "similarity"),
        *("exposure-scores", "exposure-loss", "tuned-shares", "tuned-loss"),
    },
    "pinch": {"doses-languages", "tuned-shares"},
    "half": {"doses-languages", "doses-averages", "tuned-shares"},
    "languages": {"languages-scores", "languages-loss", "languages-steps"},
    "pairs": {"pairs-scores", "pairs-changes"},
    "family": {"transfer-scores", "transfer-loss", "transfer-gives", "transfer-means"},
    "tuned": {"tuned-shares", "tuned-loss"},
    "replace-vs-add": {"ways-placement-loss", "ways-placement-scores", "ways-doses"},
    "parallel-vs-disjoint": {"ways-items-loss", "ways-items-scores", "ways-doses"},
    "techniques": {"ways-tuning-loss", "ways-times-loss", "ways-doses"},
}


def tables_of(data: ReportData) -> dict[str, Sequence[object]]:
    return {name: rows for part in data.parts for name, rows in part.tables.items()}


@pytest.fixture(scope="module")
def monolingual() -> ReportData:
    return of_preset("monolingual", TAGS, seeds=[1, 2])


@pytest.mark.parametrize("name", FIGURES)
def test_each_of_the_papers_figures_is_drawn_from_one_spec(name: str) -> None:
    data = of_preset(name, TAGS if name not in ("languages", "family") else (), seeds=[1])
    assert FIGURES[name] <= {one.file for part in data.parts for one in part.pictures}
    for part in data.parts:
        assert part.title.count("?") == 1
        assert any("One training seed" in note for note in part.notes) or part.anchor in (
            "exposure",
            "similarity",
        )
        for one in part.pictures:
            assert one.file.startswith(EXPORTS.figures)
            assert one.table in (*part.tables, "scores")
            assert one.reading.rstrip().endswith(".")
            text = json.dumps(one.spec)
            assert not re.search(r"#[0-9a-fA-F]{6}|NaN", text)
            for _, cells in one.numbers.rows if one.numbers else []:
                assert one.numbers is not None
                assert len(cells) == len(one.numbers.head) - 1


def test_the_page_holds_every_figure_with_its_table_and_words(
    monolingual: ReportData, tmp_path: Path
) -> None:
    html = write_report(monolingual, tmp_path).read_text(encoding="utf-8")
    for part in monolingual.parts:
        assert f'id="{part.anchor}"' in html
        for one in part.pictures:
            tree = ElementTree.fromstring((tmp_path / f"figures/{one.file}.svg").read_text(encoding="utf-8"))
            assert tree.tag.endswith("svg")
            assert f'id="spec-{one.file}"' in html
            assert f'data-spec="spec-{one.file}"' in html
            for ending in ("csv", "tex"):
                assert (tmp_path / f"tables/{one.table}.{ending}").is_file()
    assert "(the paper’s Figure 1)" in html
    assert "(the paper’s Figure 8)" in html
    with (tmp_path / "tables/transfer.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    own = [record(row) for row in tables_of(monolingual)["transfer"]]
    assert rows == [{name: str(value) for name, value in row.items()} for row in own]


def test_matrix_rows_are_ordered_by_what_a_language_gives(monolingual: ReportData) -> None:
    means = [record(row) for row in tables_of(monolingual)["transfer_means"]]
    means = [row for row in means if (row["measure"], row["side"]) == ("loss_change", "beside")]
    names = {one.tag: one.name for one in monolingual.languages}
    truth = [names[row["language"]] for row in sorted(means, key=lambda row: row["value"])]
    parts = {one.file: one.spec for part in monolingual.parts for one in part.pictures}
    for file in ("transfer-loss", "transfer-gives"):
        encoding = next(layer["encoding"] for layer in parts[file]["layer"] if "y" in layer["encoding"])
        assert encoding["y"]["scale"]["domain"] == truth


def test_a_study_without_such_arms_has_no_such_section(tmp_path: Path) -> None:
    write_report(study(doses=(0, 8)), tmp_path)
    assert not {path.stem for path in (tmp_path / "tables").iterdir()} & set(EXPORTS.tables)


def test_an_earlier_reports_experiments_do_not_outlive_their_arms(
    monolingual: ReportData, tmp_path: Path
) -> None:
    write_report(monolingual, tmp_path)
    assert (tmp_path / "figures/transfer-loss.svg").exists()
    write_report(replace(monolingual, parts=[]), tmp_path)
    assert not list((tmp_path / "figures").glob("transfer*"))
    assert not list((tmp_path / "tables").glob("transfer*"))


def test_two_models_have_a_section_and_figures_each(tmp_path: Path) -> None:
    study = simulate(preset("family", seeds=[1]))
    shown = measure_experiments(study.study, study.axes, study.results, study.mixtures)
    transfer = next(one for one in shown if one.experiment.figures == "transfer-")
    other = replace(transfer, result=replace(transfer.result, model="org/other"))
    both = replace(report_of(study), models=["m", "org/other"])
    html = write_report(replace(both, parts=parts_of([transfer, other], both)), tmp_path).read_text()
    assert (tmp_path / "figures/transfer-loss-1-m.svg").is_file()
    assert (tmp_path / "figures/transfer-loss-2-org-other.svg").is_file()
    assert len(re.findall(r'<section id="transfer(?:-2)?">', html)) == 2


def test_every_kind_is_drawn_by_some_experiment() -> None:
    drawn = {file.split("-")[0] for files in FIGURES.values() for file in files}
    assert drawn == {one.figures.rstrip("-") for one in EXPERIMENTS}


@pytest.mark.parametrize("name", ["monolingual", "languages", "pairs", "techniques"])
def test_a_part_exports_the_rows_that_its_experiment_names(name: str) -> None:
    study = simulate(preset(name, tags=TAGS if name == "monolingual" else (), seeds=[1]))
    shown = measure_experiments(study.study, study.axes, study.results, study.mixtures, study.costs)
    data = report_of(study)
    assert len(shown) == len(data.parts)
    for one, part in zip(shown, data.parts, strict=True):
        assert set(part.tables) == set(one.experiment.tables)
        for table, rows in part.tables.items():
            assert {type(row) for row in rows} <= {one.experiment.tables[table]}


_CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(_CHROMIUM is None, reason="no browser here")
def test_on_a_phone_every_chart_is_drawn_and_nothing_runs_over(
    monolingual: ReportData, tmp_path: Path
) -> None:
    write_report(monolingual, tmp_path)
    (tmp_path / "phone.html").write_text(
        "<iframe id=f src=report.html style='border:0;width:390px;height:800px'></iframe><script>"
        "setTimeout(() => { const page = f.contentDocument.documentElement;"
        "const fits = page.scrollWidth <= page.clientWidth ? 'fits' : page.scrollWidth;"
        "document.title = `${fits}, ${page.dataset.drawn} drawn` }, 6000)</script>"
    )
    assert _CHROMIUM is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", "--dump-dom",
             "--allow-file-access-from-files", "--virtual-time-budget=9000",
             f"--user-data-dir={tmp_path / 'profile'}"]  # fmt: skip
    command = [_CHROMIUM, *flags, (tmp_path / "phone.html").as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout
    charts = sum(len(part.pictures) for part in monolingual.parts)
    others = len(list((tmp_path / "figures").glob("*.svg"))) - charts
    assert f"<title>fits, {charts + others} drawn</title>" in shown
