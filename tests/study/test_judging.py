from __future__ import annotations

import csv
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from benchmarks.judge_stub import Stub, chosen, served
from polypinch.errors import PinchError
from polypinch.files import read_json
from polypinch.judge import outcomes
from polypinch.publish import report
from polypinch.results.arms import read_results
from polypinch.specs import load_yaml
from polypinch.study import Store, Study, build, open_inputs, preflight, run
from tests.running import command, polypinch, started
from tests.studies import write_study


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts that these studies share: they differ in their judge alone."""
    return tmp_path_factory.mktemp("judged") / "store"


@pytest.fixture
def stub() -> Stub:
    return Stub()


@pytest.fixture
def address(stub: Stub) -> Iterator[str]:
    with served(stub) as address:
        yield address


def judged(path: Path, tiny_study: dict[str, Any], **judge: Any) -> Path:
    comparison = {"against": "english", "judge": {"concurrency": 2, **judge}}
    return write_study(path, tiny_study, arms=tiny_study["arms"][:2], seeds=[1], comparison=comparison)


def run_study(path: Path, out: Path, store: Path) -> str:
    inputs = open_inputs(load_yaml(path, Study))
    made = Store(store)
    graph = build(inputs, made)
    run(graph, made)
    return report(inputs, graph, made, out).read_text()


def test_a_study_is_judged_by_a_language_model_and_goes_on_where_the_money_ended(
    tiny_study: dict[str, Any], stub: Stub, address: str, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "prices.yaml").write_text("m: {input: 10, output: 20}")
    judge = {"model": "m", "base_url": address, "prices": str(tmp_path / "prices.yaml")}
    path = judged(tmp_path / "study.yaml", tiny_study, **judge)
    inputs = open_inputs(load_yaml(path, Study))
    foreseen = preflight(inputs, tmp_path, time_it=False).judging
    assert foreseen is not None
    assert foreseen["calls"] == 2 * 2 * 4 * 4  # two arms, two orders, four items in four languages
    short = judged(tmp_path / "short.yaml", tiny_study, **judge, max_cost=foreseen["cost"] / 8)
    with pytest.raises(PinchError, match="which the next call might cross"):
        run_study(short, tmp_path / "out", store)
    asked = stub.counts["requests"]
    assert 0 < asked < foreseen["calls"]
    with pytest.raises(PinchError, match="which the next call might cross"):
        run_study(short, tmp_path / "out", store)
    assert stub.counts["requests"] == asked  # what was spent before counts
    page = run_study(path, tmp_path / "out", store)
    identical = sum(read_json(found)["identical"] for found in store.glob("verdicts/*/judging.json"))
    assert stub.counts["requests"] == foreseen["calls"] - identical
    assert "pairwise by m, each pair in both orders" in page
    assert f"{stub.counts['requests']} calls" in page
    assert "reference”" not in page
    total = [read_json(found)["cost"] for found in store.glob("verdicts/*/judging.json")]
    assert sum(total) <= foreseen["cost"]
    for found in store.glob("verdicts/*/verdicts.parquet"):
        assert {row["judge"] for row in pq.read_table(found).to_pylist()} == {"pairwise:m"}
    assert run_study(path, tmp_path / "again", store)
    assert stub.counts["requests"] == foreseen["calls"] - identical


def test_a_judged_study_that_is_killed_at_random_ends_with_the_same_tables_and_asks_nothing_twice(
    tiny_study: dict[str, Any], stub: Stub, address: str, store: Path, tmp_path: Path
) -> None:
    stub.delay, chance, out = 0.05, random.Random(2), tmp_path / "out"
    path = judged(tmp_path / "study.yaml", tiny_study, model="killed", base_url=address)
    command_ = ("run", path, "--out", out, "--store", store)
    for kill in range(3):
        enough = 5 + 9 * kill + chance.randrange(4)
        child = started(command, *command_)
        while stub.counts["good"] < enough and child.is_alive():
            time.sleep(0.005)
        assert child.is_alive()
        child.kill()
        child.join()
    assert polypinch(*command_).returncode == 0
    asked = stub.counts["good"]
    whole = judged(tmp_path / "whole.yaml", tiny_study, model="whole", base_url=address)
    assert polypinch("run", whole, "--out", tmp_path / "whole", "--store", store).returncode == 0
    assert asked - (stub.counts["good"] - asked) <= 3 * 2  # two calls at a time were under way at each kill
    renamed = {name: text.replace("killed", "whole") for name, text in scores(out).items()}
    assert renamed == scores(tmp_path / "whole")


def scores(out: Path) -> dict[str, str]:
    return {name: (out / "tables" / name).read_text() for name in ("scores.csv", "judge.csv")}


def test_its_scores_are_the_servers_choices(
    tiny_study: dict[str, Any], stub: Stub, address: str, store: Path, tmp_path: Path
) -> None:
    path = judged(tmp_path / "study.yaml", tiny_study, model="other", base_url=address)
    run_study(path, tmp_path / "out", store)
    inputs = open_inputs(load_yaml(path, Study))
    made = Store(store)
    graph = build(inputs, made)
    one = next(compared for compared in graph.compared if compared.arm.arm == "pinch-4")
    texts = []
    for stage in one.verdicts.needs:
        rows = pq.read_table(made.path(stage) / "answers.parquet").to_pylist()
        texts.append({(row["item_id"], row["language"]): row["text"] for row in rows})
    for row in pq.read_table(made.path(one.verdicts) / "verdicts.parquet").to_pylist():
        ours, theirs = (side[row["item_id"], row["language"]] for side in texts)
        if ours.strip() != theirs.strip():
            shown = (ours, theirs) if row["order"] == "arm_first" else (theirs, ours)
            assert row["winner"] == chosen(*shown)
    result = next(result for result in read_results(inputs, graph, made) if result.arm == "pinch-4")
    assert result.outcome is not None
    assert result.outcome.shape == (1, 4, 4)


def test_adaptive_judging_leaves_out_what_is_settled_and_says_so(
    tiny_study: dict[str, Any], stub: Stub, address: str, store: Path, tmp_path: Path
) -> None:
    judge = {"model": "fourth", "base_url": address, "adaptive": {"half_width": 0.45}}
    path = judged(tmp_path / "study.yaml", tiny_study, **judge)
    page = run_study(path, tmp_path / "out", store)
    with (tmp_path / "out" / "tables" / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    left = {row["language"]: int(row["not_asked"]) for row in rows if row["arm"] == "pinch-4"}
    assert 0 < left["es"] < 4
    assert left["seen"] == left["es"] + left["fi"]
    assert {row["missing"] for row in rows} == {"0"}
    assert all(float(row["low"]) <= float(row["value"]) <= float(row["high"]) for row in rows)
    assert "Judging stopped in each language where its score was settled" in page
    assert "calls were not made, as the rest had settled it" in page
    before = stub.counts["requests"]
    for found in list(store.glob("verdicts/*/settled.json")):  # as after a kill: only the calls are there
        for name in ("settled.json", "verdicts.parquet", "judging.json", "done.json"):
            (found.parent / name).unlink()
        found.parent.rename(found.parent.with_name(f".partial-{found.parent.name.rpartition('-')[2]}"))
    run_study(path, tmp_path / "again", store)
    assert stub.counts["requests"] == before
    tables = [(tmp_path / out / "tables" / "scores.csv").read_text() for out in ("out", "again")]
    assert tables[0] == tables[1]


def test_scores_are_taken_apart_by_the_language_of_both_answers(
    tiny_study: dict[str, Any], stub: Stub, address: str, store: Path, tmp_path: Path
) -> None:
    path = judged(tmp_path / "study.yaml", tiny_study, model="fifth", base_url=address)
    page = run_study(path, tmp_path / "out", store)
    inputs = open_inputs(load_yaml(path, Study))
    made = Store(store)
    graph = build(inputs, made)
    one = next(compared for compared in graph.compared if compared.arm.arm == "pinch-4")
    flags = []
    for tuned in (one.arm, *one.others):
        rows = pq.read_table(made.path(tuned.fidelity) / "fidelity.parquet").to_pylist()
        flags.append({(row["item_id"], row["language"]): row["in_language"] for row in rows})
    decided = outcomes(pq.read_table(made.path(one.verdicts) / "verdicts.parquet")).to_pylist()
    expected: dict[str, list[float]] = {}
    for row in decided:
        if all(side[row["item_id"], row["language"]] for side in flags):
            expected.setdefault(row["language"], []).append(100 * row["outcome"])
    with (tmp_path / "out" / "tables" / "judge.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["arm"] == "pinch-4"]
    found = {(row["language"], row["measure"]): float(row["value"]) for row in rows}
    right = {
        tag: value for (tag, measure), value in found.items() if measure == "both_right" and tag != "all"
    }
    assert right == pytest.approx({tag: sum(each) / len(each) for tag, each in expected.items()})
    with (tmp_path / "out" / "tables" / "scores.csv").open() as file:
        scores = {
            row["language"]: float(row["value"]) for row in csv.DictReader(file) if row["arm"] == "pinch-4"
        }
    assert {tag: found[tag, "score"] for tag in ("en", "es", "fi", "ru")} == pytest.approx(
        {tag: scores[tag] for tag in ("en", "es", "fi", "ru")}
    )
    assert {"flips", "firsts", "longer", "length_controlled"} <= {measure for _, measure in found}
    assert '<section id="judge">' in page


def test_a_judge_that_mostly_fails_stops_the_study_and_is_asked_again(
    tiny_study: dict[str, Any], stub: Stub, address: str, store: Path, tmp_path: Path
) -> None:
    path = judged(tmp_path / "study.yaml", tiny_study, model="third", base_url=address)
    stub.content = "I had rather not."
    with pytest.raises(PinchError, match=r"\d+ of 32 verdicts are missing|came to a verdict"):
        run_study(path, tmp_path / "out", store)
    stub.content = None
    assert run_study(path, tmp_path / "out", store)


def test_a_model_in_this_process_judges_by_its_probabilities_in_one_order(
    tiny_study: dict[str, Any], store: Path, tmp_path: Path
) -> None:
    judge = {"name": "pairwise-token", "model": tiny_study["models"][0], "local": True, "orders": "sampled"}
    path = judged(tmp_path / "study.yaml", tiny_study, **judge)
    page = run_study(path, tmp_path / "out", store)
    assert "each pair in one order, drawn at random" in page
    scores = (tmp_path / "out" / "tables" / "scores.csv").read_text()
    assert "pinch-4" in scores
    with (tmp_path / "out" / "tables" / "judge.csv").open() as file:
        found = {row["measure"] for row in csv.DictReader(file)}
    assert {"score", "length_controlled", "firsts"} <= found
    assert "flips" not in found


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        ({"model": "m", "max_cost": 1.0}, "needs prices"),
        ({"model": "m", "local": True, "base_url": "http://x/v1"}, "has no server"),
        ({"model": "m", "name": "reference"}, "write judge: reference"),
        ({"name": "pairwise"}, "model"),
    ],
)
def test_a_judge_that_cannot_work_is_refused(
    tiny_study: dict[str, Any], tmp_path: Path, judge: dict[str, Any], message: str
) -> None:
    with pytest.raises(PinchError, match=message):
        load_yaml(judged(tmp_path / "study.yaml", tiny_study, **judge), Study)


def test_a_missing_key_stops_a_study_before_its_first_step(
    tiny_study: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    inputs = open_inputs(load_yaml(judged(tmp_path / "study.yaml", tiny_study, model="m"), Study))
    errors = [one for one in preflight(inputs, tmp_path, time_it=False).problems if one.level == "error"]
    assert [error.message for error in errors] == ["no key: $OPENAI_API_KEY is not set"]
