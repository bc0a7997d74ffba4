from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from polypinch.publish import report
from polypinch.specs import load_yaml
from polypinch.study import Store, Study, build, open_inputs, run
from tests.studies import TAGS, write_study


def rows(out: Path, name: str) -> list[dict[str, str]]:
    with (out / "tables" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_of_single_languages_is_reported_as_transfer_and_exposure(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    # Names that say nothing: what the arms are is told from their mixtures.
    arms = [{"name": f"x{at}", "base": tag} for at, tag in enumerate(TAGS)]
    changes = {"arms": arms, "seeds": [1], "comparison": {"against": "untuned"}}
    inputs = open_inputs(load_yaml(write_study(tmp_path / "study.yaml", tiny_study, **changes), Study))
    store = Store(tmp_path / "store")
    graph = build(inputs, store)
    run(graph, store)
    (tmp_path / "shares.csv").write_text("language,share\nen,90\nes,5\nfi,0.5\nru,1\n")
    page = report(inputs, graph, store, tmp_path / "out", tmp_path / "shares.csv").read_text(encoding="utf-8")
    loss = {(one["arm"], one["language"]): float(one["value"]) for one in rows(tmp_path / "out", "loss")}
    cells = {
        (one["trained"], one["evaluated"]): float(one["value"])
        for one in rows(tmp_path / "out", "transfer")
        if one["measure"] == "loss_change"
    }
    assert len(cells) == 16
    for (trained, evaluated), value in cells.items():
        arm = f"x{TAGS.index(trained)}"
        assert value == pytest.approx(loss[arm, evaluated] - loss["untuned", evaluated], abs=1e-6)
    proxies = {
        (one["proxy"], one["language"]): float(one["value"]) for one in rows(tmp_path / "out", "exposure")
    }
    assert proxies["share", "fi"] == 0.5
    assert proxies["bits", "en"] == proxies["tokens", "en"] == 1
    assert "(the paper’s Figure 1)" in page
    assert "(the paper’s Figure 8)" in page
    assert {one["arm"] for one in rows(tmp_path / "out", "tuned")} == {arm["name"] for arm in arms}
