"""A finished study's page: what its top says of the study, and that no mark says more than its interval."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polypinch.publish import gather, report
from polypinch.report import ReportData
from tests.planted import LADDER, Planted, plant


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted"), LADDER)


@pytest.fixture(scope="module")
def html(planted: Planted) -> str:
    page = report(planted.record, planted.graph, planted.store, planted.out)
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def data(planted: Planted) -> ReportData:
    return gather(planted.record, planted.graph, planted.store)


def specs(html: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="spec-([^"]+)">(.*?)</script>', html, re.S)
    return {name: json.loads(spec) for name, spec in found}


def marks(spec: Any) -> Iterator[dict[str, Any]]:
    """Return every row of data in a spec that says whether its mark is filled."""
    if isinstance(spec, dict):
        if "told" in spec or spec.get("part") == "told":
            yield spec
        for inner in spec.values():
            yield from marks(inner)
    elif isinstance(spec, list):
        for inner in spec:
            yield from marks(inner)


def test_the_verdict_of_findings_is_the_heading(html: str, data: ReportData) -> None:
    (told,) = data.conclusions
    assert f'<h1 class="short">{told.short}</h1>' in html
    assert data.findings["models"][0]["verdict"]["short"] == told.short


def test_endpoints_have_the_numbers_of_the_findings(data: ReportData) -> None:
    said = data.findings["models"][0]["verdict"]["endpoints"]
    shown = data.conclusions[0].endpoints
    assert [one["measure"] for one in said] == [one.measure.name for one in shown]
    for own, one in zip(said, shown, strict=True):
        for line in own["by_dose"]:
            at = one.by_dose[line["dose"]]
            assert (at.value, at.low, at.high) == (line["value"], line["low"], line["high"])
            assert {True: "holds", False: "fails", None: "cannot tell"}[at.holds] == line["standing"]


@pytest.mark.parametrize(
    "figure", ["doses-at-a-glance", "dose-response", "loss-change-by-dose", "scores-by-dose"]
)
def test_no_filled_mark_stands_on_an_interval_that_holds_no_difference(html: str, figure: str) -> None:
    neutral = 50.0 if figure.startswith("scores") else 0.0
    filled = [one for one in marks(specs(html)[figure]) if one.get("told", True)]
    assert filled
    assert [one for one in filled if one["low"] <= neutral <= one["high"]] == []


def test_what_the_study_set_is_told_apart_from_its_defaults(data: ReportData) -> None:
    assert "seeds" in data.settings["study"]
    assert "loss_margin" not in data.settings["study"]
    assert "loss_margin" in data.defaults["study"]


def test_steps_say_what_made_them(planted: Planted, data: ReportData) -> None:
    stages = planted.graph.stages()
    assert [step.name for step in data.steps] == [stage.name for stage in stages]
    for step, stage in zip(data.steps, stages, strict=True):
        done = planted.store.made(stage)
        assert (step.host, step.started, step.seconds) == (done["host"], done["started"], done["seconds"])
        assert f"polypinch {done['versions']['polypinch']}" in step.versions
        assert (planted.out / step.path).is_dir()
        assert step.device == ("cpu" if step.kind in ("tune", "loss", "answers") else "")


WITHOUT_WEIGHTS = """
import sys
from polypinch.cli import main

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "peft"):
            raise ImportError(f"{name} is not for a report")

sys.meta_path.insert(0, Refused())
main()
"""


@pytest.mark.parametrize("several", [False, True])
def test_a_report_needs_nothing_that_loads_a_model(planted: Planted, tmp_path: Path, several: bool) -> None:
    folder = tmp_path / "moved elsewhere"
    shutil.copytree(planted.out, folder)
    asked = [folder, planted.out, "--out", tmp_path / "together"] if several else [folder]
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_WEIGHTS, "report", *map(str, asked)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    assert list(tmp_path.rglob("report.html")) or list(tmp_path.rglob("together/*.html"))
