from __future__ import annotations

from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.files import read_json
from polypinch.stats import Decision
from polypinch.study import DoseState, Graph, Looked, State, Store, read_looks, run_study, so_far
from tests.study.searched import graph, planted, record

WORKS = (0, 0, 0.06, 0.06, 0.06, 0.06)


def looked(folder: Path, means: tuple[float, ...]) -> tuple[Graph, list[Looked]]:
    store, what = Store(folder), record()
    _, wanted = run_study(what, graph(what, store, planted(means)), store)
    return wanted, read_looks(wanted, store)


def test_it_trains_what_is_open_until_the_smallest_dose_that_works_is_known(tmp_path: Path) -> None:
    store, what, trained = Store(tmp_path), record(), []
    whole = graph(what, store, planted(WORKS), lambda arm, seed: trained.append((arm, seed)))
    narrow, wanted = run_study(what, whole, store)
    looks = read_looks(wanted, store)
    assert set(trained[:6]) == {(arm, seed) for arm in ("english", "pinch-20", "pinch-80") for seed in (1, 2)}
    assert looks[0].trainings == 6
    assert looks[-1].decision is Decision.WORKS
    assert looks[-1].low == looks[-1].high == 10
    states = {one.dose: one.state for one in looks[-1].doses}
    assert states[10] is DoseState.BETTER
    assert states[5] is DoseState.OPEN
    # What was not asked for was not made, and is no part of what is read.
    assert len(trained) == looks[-1].trainings < looks[-1].most == 18
    assert {arm.name for arm in narrow.study.arms} == {arm for arm, _ in trained}
    assert narrow.study.seeds == (1, 2)
    assert looks[-1].untried == ("pinch-40",)
    assert {(run.arm, run.seed) for run in wanted.tuned} == set(trained)
    assert all(store.state(stage) is State.DONE for stage in wanted.stages())


def test_where_nothing_works_six_trainings_tell(tmp_path: Path) -> None:
    _, looks = looked(tmp_path, (0,) * 6)
    assert [one.decision for one in looks] == [Decision.NOTHING]
    assert looks[0].trainings == 6


def test_killed_at_any_training_it_goes_on_with_the_same_decisions(tmp_path: Path) -> None:
    wanted, looks = looked(tmp_path / "whole", WORKS)
    done = {run.checkpoint.name for run in wanted.tuned if run.checkpoint is not None}
    what, store = record(), Store(tmp_path / "killed")
    count = 0

    def dies(arm: str, seed: int) -> None:
        nonlocal count
        count += 1
        if count % 2:
            raise KeyboardInterrupt

    for _ in range(40):
        whole = graph(what, Store(store.root), planted(WORKS), dies)
        try:
            _, ended = run_study(what, whole, Store(store.root))
            break
        except KeyboardInterrupt:
            continue
    assert count > len(done)
    assert read_looks(ended, store) == looks
    assert {path.name.rpartition("-")[0] for path in (store.root / "tune").glob("[!.]*")} == done
    for made in (store.root / "look").glob("[!.]*"):
        twin = tmp_path / "whole" / "look" / made.name
        assert read_json(made / "look.json") == read_json(twin / "look.json")


def test_a_look_that_was_made_is_followed_and_one_that_is_damaged_made_again(tmp_path: Path) -> None:
    wanted, looks = looked(tmp_path, WORKS)
    file = tmp_path / "look" / wanted.looks[0].stage.name
    path = next((tmp_path / "look").glob(f"{file.name}-*")) / "look.json"
    path.write_text(path.read_text()[:-3])
    store, what = Store(tmp_path), record()
    open_, now = so_far(what, graph(what, store, planted(WORKS)), store)
    assert now.steps is not None
    assert open_ is what
    _, again = run_study(what, graph(what, store, planted(WORKS)), store)
    assert read_looks(again, store) == looks


def test_arms_beside_the_ladder_have_the_seeds_that_the_search_took(tmp_path: Path) -> None:
    arms = record().study.model_dump()["arms"]
    what = record(arms=[*arms, {"name": "low-rank", "tuning": {"rank": 4}},
                        {"name": "control", "control_of": "pinch-40"}])  # fmt: skip
    store = Store(tmp_path)
    values = planted((*WORKS,))
    whole = graph(what, store, values[[0, 1, 2, 3, 4, 5, 0, 0]])
    narrow, wanted = run_study(what, whole, store)
    seeds = {arm: {run.seed for run in wanted.tuned if run.arm == arm} for arm in ("low-rank", "control")}
    assert seeds == {"low-rank": {1, 2}, "control": set()}  # its dose was not trained either
    assert "control" not in {arm.name for arm in narrow.study.arms}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": [1]}, "two seeds"),
        ({"arms": [{"name": "english"}, {"name": "low-rank", "tuning": {"rank": 4}}]}, "without a dose"),
        ({"comparison": {"against": "pinch-5"}}, "may never be trained"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(PinchError, match=message):
        record(**changes)


def test_a_fixed_design_is_as_it_was(tmp_path: Path) -> None:
    what, store = record(design="fixed"), Store(tmp_path)
    whole = graph(what, store, planted(WORKS))
    assert so_far(what, whole, store) == (what, whole)
    assert "design" not in what.study.model_dump()
