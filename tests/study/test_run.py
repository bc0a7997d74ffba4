from __future__ import annotations

import csv
import json
import random
import re
import shutil
import subprocess
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from polypinch.cli import app
from polypinch.errors import PinchError
from polypinch.files import is_done, read_json, write_json
from polypinch.pool.table import POOL_SCHEMA
from polypinch.publish import report
from polypinch.results.arms import read_results
from polypinch.specs import load_yaml
from polypinch.study import (
    Inputs,
    Store,
    Study,
    build,
    open_inputs,
    preflight,
    read_record,
    run,
    write_record,
)
from tests.pools import row
from tests.running import command, polypinch, started
from tests.studies import tables, write_study
from tests.tiny import tiny_model


def run_to_report(path: Path, out: Path, store: Path | None = None) -> Store:
    inputs = open_inputs(load_yaml(path, Study))
    made = Store(store or out / "store")
    graph = build(inputs, made)
    run(graph, made)
    report(inputs, graph, made, out)
    return made


def rows(out: Path, name: str) -> list[dict[str, str]]:
    with (out / "tables" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tiny_study: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    run_to_report(write_study(folder / "study.yaml", tiny_study), folder / "out")
    return folder


def test_every_table_holds_every_arm_and_language(finished: Path) -> None:
    arms = {"untuned", "english", "pinch-4", "mixed"}
    languages = {"en", "es", "fi", "ru", "seen", "unseen", "others"}
    assert {line["arm"] for line in rows(finished / "out", "loss")} == arms
    # A random model's answers are mostly in no language: what abstains everywhere has no rate.
    assert {line["arm"] for line in rows(finished / "out", "fidelity")} <= arms
    assert {line["language"] for line in rows(finished / "out", "loss")} == languages
    assert {line["arm"] for line in rows(finished / "out", "scores")} == arms - {"english"}
    for line in rows(finished / "out", "loss"):
        assert float(line["low"]) <= float(line["value"]) <= float(line["high"])
        assert line["n_items"] == "4"


def test_what_was_not_answered_does_not_count_as_abstained(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    changes = {"heldout": {"answered": 1}, "seeds": [1], "arms": tiny_study["arms"][:1]}
    path = write_study(tmp_path / "s.yaml", tiny_study, **changes)
    inputs = open_inputs(load_yaml(path, Study))
    made = Store(tmp_path / "store")
    graph = build(inputs, made)
    run(graph, made)
    for result in read_results(inputs, graph, made):
        for tag, count in result.abstained.items():
            assert count <= 1, tag


def test_mixtures_are_reported_as_delivered(finished: Path) -> None:
    counts = {
        (line["arm"], line["language"]): line["examples"] for line in rows(finished / "out", "mixtures")
    }
    assert counts["english", "en"] == "16"
    assert (counts["pinch-4", "en"], counts["pinch-4", "es"], counts["pinch-4", "fi"]) == ("12", "2", "2")
    assert counts["mixed", "ru"] == "4"


def test_tuning_moves_the_loss_and_the_change_is_against_the_baseline(finished: Path) -> None:
    loss = {(line["arm"], line["language"]): float(line["value"]) for line in rows(finished / "out", "loss")}
    assert loss["english", "others"] < loss["untuned", "others"]
    change = {
        (line["arm"], line["language"]): float(line["value"])
        for line in rows(finished / "out", "loss_change")
    }
    assert change["mixed", "ru"] == pytest.approx(loss["mixed", "ru"] - loss["english", "ru"], abs=1e-6)


def test_arms_are_nested_and_share_what_is_the_same(finished: Path) -> None:
    store = finished / "out" / "store"
    for seed in (1, 2):
        keys = {}
        for arm in ("english", "pinch-4"):
            found = next((store / "mixture").glob(f"{arm}-s{seed}-*"))
            table = pq.read_table(found / "mixture.parquet")
            keys[arm] = set(zip(table["item_id"].to_pylist(), table["language"].to_pylist(), strict=True))
        assert {item for item, _ in keys["english"]} == {item for item, _ in keys["pinch-4"]}
        assert len(keys["english"] & keys["pinch-4"]) == 12


def test_the_page_answers_in_a_sentence_with_its_interval(finished: Path) -> None:
    page = (finished / "out" / "report.html").read_text()
    assert "95 % interval" in page
    assert "2 training seed" in page


def test_the_answer_is_there_for_machines_with_the_page(finished: Path) -> None:
    out = finished / "out"
    study = load_yaml(finished / "study.yaml", Study)
    write_json(out / "study.json", {"study": study.model_dump(mode="json"), "store": str(out / "store")})
    printed = CliRunner().invoke(app, ["report", str(out), "--json"])
    data = json.loads(printed.stdout)
    assert data.pop("report") == str(out / "report.html")
    assert data == read_json(out / "findings.json")
    loss = data["models"][0]["measures"][data["leading"]]
    assert loss["groups"]["others"]["noise"]["freedom"] == 2
    assert set(loss["groups"]) == {"others", "seen", "unseen"}
    assert loss["groups"]["unseen"]["doses"] == [0, 4]  # mixed was trained on the unseen
    assert loss["within_margin"]["margin"] == 0.005


def test_the_margin_changes_no_step(tiny_study: dict[str, Any], finished: Path, tmp_path: Path) -> None:
    path = write_study(tmp_path / "s.yaml", tiny_study, loss_margin=0.1)
    inputs = open_inputs(load_yaml(path, Study))
    store = Store(finished / "out" / "store")
    assert {store.state(stage) for stage in build(inputs, store).stages()} == {"done"}


def test_a_second_run_does_nothing_and_a_second_study_shares_the_work(
    tiny_study: dict[str, Any], finished: Path, tmp_path: Path
) -> None:
    store = finished / "out" / "store"
    before = {path: path.stat().st_mtime_ns for path in store.rglob("done.json")}
    otherwise = {"arms": tiny_study["arms"][:2], "languages": {"seen": ["fi"], "unseen": ["ru", "es"]}}
    again = write_study(tmp_path / "again.yaml", tiny_study, **otherwise)
    run_to_report(again, tmp_path / "again", store)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("done.json")} == before


def test_every_artifact_says_what_it_was_made_of(finished: Path) -> None:
    found = [path for path in (finished / "out" / "store").glob("*/*") if path.is_dir()]
    assert len(found) == 6 + 6 + 7 + 7 + 7 + 6
    for path in found:
        spec = read_json(path / "spec.json")
        assert path.parent.name == spec["kind"]
        assert is_done(path)


@pytest.mark.parametrize("against", ["monolingual", "untuned"])
def test_other_opponents(tiny_study: dict[str, Any], finished: Path, tmp_path: Path, against: str) -> None:
    changes = {"comparison": {"against": against}, "seeds": [1], "arms": tiny_study["arms"][:2]}
    run_to_report(
        write_study(tmp_path / "s.yaml", tiny_study, **changes), tmp_path / "out", finished / "out" / "store"
    )
    scores = rows(tmp_path / "out", "scores")
    assert {line["against"] for line in scores} == {against}
    assert {line["arm"] for line in scores} == {"english", "pinch-4"} | (
        {"untuned"} if against == "monolingual" else set()
    )
    if against == "monolingual":
        # The English arm is the monolingual model of English: it can only tie with itself.
        assert [line["value"] for line in scores if (line["arm"], line["language"]) == ("english", "en")] == [
            "50.0"
        ]


def test_an_arm_of_another_base_is_tuned_once_and_kept_out_of_the_answer(
    tiny_study: dict[str, Any], finished: Path, tmp_path: Path
) -> None:
    arms = [*tiny_study["arms"][:2], {"name": "only-fi", "base": "fi"}]
    changes = {"comparison": {"against": "monolingual"}, "seeds": [1], "arms": arms}
    path = write_study(tmp_path / "s.yaml", tiny_study, **changes)
    inputs = open_inputs(load_yaml(path, Study))
    stages = build(inputs, Store(tmp_path)).stages()
    # English, the pinch, and each of four languages alone, of which English and Finnish are there already.
    assert len([stage for stage in stages if stage.kind == "tune"]) == 5
    # The untuned base, three arms, and the two opponents that no arm can answer for.
    assert len([stage for stage in stages if stage.kind == "answers"]) == 6
    found = preflight(inputs, tmp_path, time_it=False)
    once = {name: sum(line["tokens"] for line in m["languages"]) for name, m in found.mixtures.items()}
    assert (
        found.tokens["tuned"]
        == sum(once[f"monolingual-{tag}"] for tag in inputs.study.evaluated) + (once["pinch-4"])
    )
    bare = write_study(tmp_path / "bare.yaml", tiny_study, **changes | {"comparison": {"against": "untuned"}})
    alone = preflight(open_inputs(load_yaml(bare, Study)), tmp_path, time_it=False).tokens
    # The base and three arms answer in four languages each, the two opponents in one each.
    assert found.tokens["drawn"] / alone["drawn"] == (4 + 2 / 4) / 4
    run_to_report(path, tmp_path / "out", finished / "out" / "store")
    counts = {line["language"]: line["examples"] for line in rows(tmp_path / "out", "mixtures")
              if line["arm"] == "only-fi"}  # fmt: skip
    assert counts == {"fi": "16"}
    scores = rows(tmp_path / "out", "scores")
    assert [line["value"] for line in scores if (line["arm"], line["language"]) == ("only-fi", "fi")] == [
        "50.0"
    ]
    assert "The answer leaves out only-fi" in (tmp_path / "out" / "report.html").read_text()


def test_an_arm_of_another_base_model_stands_among_the_others(
    tiny_study: dict[str, Any], finished: Path, tmp_path: Path
) -> None:
    other = tiny_model(tmp_path / "other", kind="llama", seed=1)
    arms = [{"name": "other", "model": other}, *tiny_study["arms"][:2]]
    path = write_study(tmp_path / "s.yaml", tiny_study, arms=arms)
    inputs = open_inputs(load_yaml(path, Study))
    assert preflight(inputs, tmp_path, time_it=True).seconds
    store = run_to_report(path, tmp_path / "out", finished / "out" / "store")
    models = {
        spec["spec"]["model"]
        for found in (store.root / "tune").glob("other-s*")
        for spec in [read_json(found / "spec.json")]
    }
    assert models == {inputs.models[other].fingerprint}
    for table in ("loss", "fidelity", "scores", "loss_change"):
        lines = [line for line in rows(tmp_path / "out", table) if line["arm"] == "other"]
        assert {line["model"] for line in lines} == set(tiny_study["models"])
    assert "The answer leaves out other" in (tmp_path / "out" / "report.html").read_text()


def test_without_references_only_the_language_of_answers_is_measured(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    prompts = [
        row(f"p{index}", tag, "heldout", messages=[{"role": "user", "content": f"Prompt {index} {tag}?"}])
        for index in range(3)
        for tag in ("en", "es", "fi", "ru")
    ]
    pq.write_table(pa.Table.from_pylist(prompts, schema=POOL_SCHEMA), tmp_path / "prompts.parquet")
    changes = {"heldout": {"pool": str(tmp_path / "prompts.parquet")}, "seeds": [1]}
    run_to_report(write_study(tmp_path / "s.yaml", tiny_study, **changes), tmp_path / "out")
    assert list((tmp_path / "out" / "store" / "fidelity").glob("mixed-s1-*"))
    assert not (tmp_path / "out" / "tables" / "scores.csv").exists() or not rows(tmp_path / "out", "scores")
    assert "cannot be told" in (tmp_path / "out" / "report.html").read_text()


def test_a_missing_translation_of_a_held_out_item_is_refused(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    prompts = [row(f"p{index}", tag, "heldout") for index in range(3) for tag in ("en", "es", "fi", "ru")][
        :-1
    ]
    pq.write_table(pa.Table.from_pylist(prompts, schema=POOL_SCHEMA), tmp_path / "prompts.parquet")
    path = write_study(tmp_path / "s.yaml", tiny_study, heldout={"pool": str(tmp_path / "prompts.parquet")})
    with pytest.raises(PinchError, match=r"1 translations are missing, the first is item 'p2' in 'ru'"):
        open_inputs(load_yaml(path, Study))


def test_development_items_are_trained_on_by_no_arm(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    path = write_study(
        tmp_path / "s.yaml", tiny_study, development_items=8, seeds=[1], arms=tiny_study["arms"][:1]
    )
    path = write_study(path, load_plain(path), comparison={"against": "untuned"})
    store = run_to_report(path, tmp_path / "out")
    inputs = open_inputs(load_yaml(path, Study))
    assert inputs.development is not None
    trained = pq.read_table(next(store.root.glob("mixture/*/mixture.parquet")))["item_id"].to_pylist()
    assert not set(trained) & set(inputs.development["item_id"].to_pylist())
    assert "development/ru" in next(store.root.glob("tune/*/log.jsonl")).read_text()


def load_plain(path: Path) -> dict[str, Any]:
    import yaml

    return dict(yaml.safe_load(path.read_text()))


def test_on_a_full_disk_it_stops_with_the_fix_and_goes_on_where_it_was(
    tiny_study: dict[str, Any], finished: Path, tmp_path: Path
) -> None:
    def mount(options: str) -> int:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(tmp_path)]
        return subprocess.run(command, check=False, capture_output=True).returncode

    if mount("size=1m"):
        pytest.skip("mounting a small file system needs root")
    try:
        path = write_study(tmp_path / "study.yaml", tiny_study)
        with pytest.raises(PinchError, match="the disk is full"):
            run_to_report(path, tmp_path / "out")
        done = {found.parent for found in tmp_path.rglob("done.json")}
        assert done
        assert not mount("remount,size=100m")
        run_to_report(path, tmp_path / "out")
        assert done <= {found.parent for found in tmp_path.rglob("done.json")}
        assert tables(tmp_path / "out") == tables(finished / "out")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_killed_at_random_it_ends_with_the_same_tables(
    tiny_study: dict[str, Any], finished: Path, tmp_path: Path
) -> None:
    path = write_study(tmp_path / "study.yaml", tiny_study)
    out = tmp_path / "out"
    chance = random.Random(0)
    kills = 0
    for _ in range(40):
        child = started(command, "run", path, "--out", out)
        # Past the start-up, in which nothing is written and nothing can be lost.
        wait_for_writing(out, child)
        child.join(timeout=chance.uniform(0.0, 1.2))
        if child.exitcode is None:
            if not kills:
                assert f"process {child.pid}" in polypinch("status", out).stdout
            child.kill()
            child.join()
            kills += 1
            assert "running" not in polypinch("status", out).stdout or child.exitcode == 0
        for found in out.glob("store/*/*/done.json"):
            assert (found.parent / "spec.json").exists()
        if child.exitcode == 0 or kills == 5:
            break
    assert kills >= 3
    assert polypinch("run", path, "--out", out).returncode == 0
    assert tables(out) == tables(finished / "out")


def wait_for_writing(out: Path, child: ForkServerProcess) -> None:
    def newest() -> float:
        return max((path.stat().st_mtime for path in out.rglob("*") if path.exists()), default=0.0)

    started, deadline = time.time(), time.monotonic() + 60
    while child.exitcode is None and time.monotonic() < deadline:
        try:
            if newest() >= started and any(out.glob("store/*")):
                return
        except FileNotFoundError:
            continue
        time.sleep(0.02)


def test_a_moved_study_is_read_without_its_models_and_pool(
    tiny_study: dict[str, Any], finished: Path, tmp_path: Path
) -> None:
    out = finished / "out"
    inputs = open_inputs(load_yaml(finished / "study.yaml", Study))
    store = Store(out / "store")
    write_record(out, inputs, build(inputs, store), store)
    shutil.copytree(out, tmp_path / "moved")
    record, graph, moved = read_record(tmp_path / "moved")
    assert moved.root.resolve() == (tmp_path / "moved" / "store").resolve()
    assert {moved.state(stage) for stage in graph.stages()} == {"done"}
    report(record, graph, moved, tmp_path / "moved")
    assert tables(tmp_path / "moved") == tables(out)


def test_what_a_model_cannot_take_in_is_refused_before_anything_is_trained(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    answering = {**tiny_study["answering"], "max_new_tokens": 20_000}
    path = write_study(tmp_path / "s.yaml", tiny_study, answering=answering)
    inputs = open_inputs(load_yaml(path, Study))
    errors = _errors(inputs, tmp_path)
    assert len(errors) == 1
    assert re.search(
        r"prompt and answer of \S+ in \w+ takes 20,\d+ tokens, and \S+ takes in 16,384", errors[0]
    )
    for chat in inputs.chats.values():
        chat.context = 10
    said = " ".join(_errors(inputs, tmp_path))
    assert "held-out item" in said
    assert "tokens, and the model takes in 10" in said


def _errors(inputs: Inputs, out: Path) -> list[str]:
    problems = preflight(inputs, out, time_it=False).problems
    return [problem.message for problem in problems if problem.level == "error"]
