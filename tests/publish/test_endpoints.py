"""A study's own endpoints on its page and in its files, and one interval for each of its numbers."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from polypinch.files import read_json
from polypinch.publish import report
from polypinch.study import Claimed
from tests.planted import LADDER, plant


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = plant(tmp_path_factory.mktemp("planted"), LADDER)
    tags = made.record.study.evaluated[1:3]
    own = (
        Claimed(measure="loss", better=True),
        Claimed(measure="loss", languages=tags, no_worse_by=0.5),
        Claimed(measure="fidelity", no_worse_by=5),
    )
    study = made.record.study.model_copy(update={"endpoints": own})
    report(replace(made.record, study=study), made.graph, made.store, made.out)
    return made.out


def test_a_studys_own_endpoints_are_shown_in_their_order(out: Path) -> None:
    verdict = read_json(out / "findings.json")["models"][0]["verdict"]
    lines = [(line["measure"], line["over"], line["margin"]) for line in verdict["endpoints"]]
    assert [(measure, margin) for measure, _, margin in lines] == [
        ("loss", None),
        ("loss", 0.5),
        ("fidelity", 0.05),
    ]
    assert lines[1][1] == ", ".join(verdict["endpoints"][1]["languages"])


Number = tuple[tuple[str, str, int], tuple[float, ...]]


def number(measure: str, over: str, dose: Any, line: Mapping[str, Any]) -> Number:
    ends = tuple(round(float(line[end]), 9) for end in ("value", "low", "high"))
    return (measure, over, int(float(dose))), ends


def in_findings(model: dict[str, Any]) -> Iterator[Number]:
    loss = model["measures"]["loss"]
    dose_of = {one["arm"]: one["dose"] for one in loss["doses"]}
    for name, group in loss["groups"].items():
        yield from (number("loss", name, one["dose"], one) for one in group["effects"]["by_dose"])
    for arm, by_name in loss["changes"].items():
        if dose_of.get(arm):
            yield from (number("loss", name, dose_of[arm], one) for name, one in by_name.items())
    for line in model["verdict"]["endpoints"]:
        yield from (number(line["measure"], line["over"], one["dose"], one) for one in line["by_dose"])


def in_tables(out: Path, dose_of: Mapping[str, int]) -> Iterator[Number]:
    def rows(name: str) -> list[dict[str, str]]:
        with (out / "tables" / f"{name}.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    changes = [row for row in rows("loss_change") if dose_of.get(row["arm"])]
    yield from (number("loss", row["language"], dose_of[row["arm"]], row) for row in changes)
    against_none = [row for row in rows("doses") if row["against"] == "none"]
    measured = [row for row in rows("curves") if row["curve"] == "measured" and float(row["dose"])]
    yield from (number("loss", row["language"], row["dose"], row) for row in (*against_none, *measured))


def test_no_change_from_none_has_two_intervals_in_tables_and_findings(out: Path) -> None:
    model = read_json(out / "findings.json")["models"][0]
    dose_of = {one["arm"]: one["dose"] for one in model["measures"]["loss"]["doses"]}
    seen: dict[tuple[str, str, int], set[tuple[float, ...]]] = defaultdict(set)
    for key, ends in (*in_findings(model), *in_tables(out, dose_of)):
        seen[key].add(ends)
    assert len({dose for _, _, dose in seen}) == len(dose_of) - 1
    assert {"loss", "fidelity"} == {measure for measure, _, _ in seen}
    assert {key: ends for key, ends in seen.items() if len(ends) > 1} == {}
