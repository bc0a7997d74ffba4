from __future__ import annotations

import multiprocessing
import shutil
import time
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pytest

from polypinch import files
from polypinch.answer import Sampling
from polypinch.errors import PinchError
from polypinch.files import write_json
from polypinch.locks import Busy, Holder, holder, locked
from polypinch.mix import Budget, Dose, MixPlan
from polypinch.study import Damaged, Graph, Kind, Stage, State, Store
from polypinch.study.artifacts import SUMMARY
from polypinch.study.running.here import run
from polypinch.study.runs import Tuned
from polypinch.tune import TuneRecipe


def stage(number: int, needs: tuple[Stage, ...] = (), log: Path | None = None) -> Stage:
    def work(directory: Path) -> None:
        SUMMARY.write(directory, {"number": number})
        if log is not None:
            with log.open("a") as file:
                file.write(f"{number}\n")

    return Stage.of(Kind.TUNE, f"step-{number}", {"number": number}, needs, work, {})


def graph(count: int, log: Path) -> Graph:
    stages = [stage(number, log=log) for number in range(count)]
    return Graph(tuple(Tuned("m", "a", 1, (), None, None, None, one, one) for one in stages), ())


def _work(root: Path, log: Path, count: int) -> None:
    run(graph(count, log), Store(root))


def test_processes_share_the_steps_and_make_none_twice(tmp_path: Path) -> None:
    log, count = tmp_path / "log", 24
    context = multiprocessing.get_context("fork")
    others = [context.Process(target=_work, args=(tmp_path / "store", log, count)) for _ in range(4)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert {other.exitcode for other in others} == {0}
    assert sorted(map(int, log.read_text().split())) == list(range(count))


@pytest.mark.parametrize("harm", ["size", "content", "spec", "missing", "no done", "foreign"])
def test_a_damaged_step_is_told_set_aside_and_made_again(tmp_path: Path, harm: str) -> None:
    store, one = Store(tmp_path), stage(1)
    store.make(one)
    path = store.path(one)
    file = path / SUMMARY.name
    if harm == "size":
        file.write_text("{}")
    elif harm == "content":
        file.write_bytes(file.read_bytes().replace(b"1", b"2"))
    elif harm == "spec":
        (path / files.SPEC).write_bytes((path / files.SPEC).read_bytes().replace(b"1", b"7"))
    elif harm == "missing":
        file.unlink()
    elif harm == "no done":
        (path / files.DONE).unlink()
    else:
        other = stage(2)
        store.make(other)
        shutil.rmtree(path)
        shutil.copytree(store.path(other), path)
    fresh = Store(tmp_path)
    with pytest.raises(Damaged):
        fresh.verified(one)
    for wrong in fresh.verify([one]):
        fresh.mend(wrong)
    assert fresh.make(one)
    assert fresh.read_json(one, SUMMARY) == {"number": 1}
    assert [kept for kept in path.parent.iterdir() if kept.name.startswith(".aside-")]


def test_a_step_under_another_name_is_the_same_step(tmp_path: Path) -> None:
    store, one = Store(tmp_path), stage(1)
    store.make(one)
    store.path(one).rename(store.path(one).with_name(f"other-{one.fingerprint[:12]}"))
    assert Store(tmp_path).state(one) is State.DONE


def test_a_lock_says_who_holds_it_and_lets_nobody_else_in(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with locked(lock, tmp_path):
        assert holder(lock) is not None
        with pytest.raises(Busy, match="another process"), locked(lock, tmp_path):
            pass
    assert holder(lock) is None
    assert lock.exists()


def test_overwriting_replaces_nothing_but_what_is_ours_and_of_the_kind(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (victim / ".git").mkdir(parents=True)
    (victim / "thesis.tex").write_text("years")
    with (
        pytest.raises(PinchError, match="not replaced"),
        files.artifact(victim, {}, kind="mixture", overwrite=True),
    ):
        pass
    ours = tmp_path / "ours"
    with files.artifact(ours, {}, kind="mixture") as folder:
        files.write_table(folder / "x.parquet", pa.table({"x": [1]}))
    with pytest.raises(PinchError, match="not probe"), files.artifact(ours, {}, kind="probe", overwrite=True):
        pass
    (ours / "notes.txt").write_text("mine")
    with (
        pytest.raises(PinchError, match="which is not of what"),
        files.artifact(ours, {}, kind="mixture", overwrite=True),
    ):
        pass
    assert (victim / "thesis.tex").read_text() == "years"


def test_done_says_what_made_it(tmp_path: Path) -> None:
    store, one = Store(tmp_path), stage(1)
    store.make(one)
    made = store.made(one)
    assert made["versions"]["python"]
    assert set(made["files"]) == {files.SPEC, SUMMARY.name}
    assert {"host", "started", "seconds", "kind", "fingerprint"} <= set(made)


GOLDEN = {
    "recipe": (TuneRecipe(), {}),
    "another rank": (TuneRecipe(rank=8), {"rank": 8}),
    "answering": (Sampling(max_new_tokens=8), {"max_new_tokens": 8}),
    "plan": (
        MixPlan(
            pool="p", base="en", budget=Budget(examples=8), doses=(Dose(languages=("es",), count=2),), seed=1
        ),
        {
            "pool": "p",
            "base": "en",
            "budget": {"examples": 8},
            "doses": [{"languages": ["es"], "count": 2}],
            "seed": 1,
        },
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_setting_at_its_default_is_no_part_of_an_identity(name: str) -> None:
    spec, identity = GOLDEN[name]
    assert {**identity, **spec.identity()} == identity
    assert spec.identity(exclude=set(identity)) == {}


def test_fingerprints_stay_as_they_are() -> None:
    spec = {"recipe": TuneRecipe(rank=8).identity(), "sampling": Sampling(max_new_tokens=8).identity()}
    one = Stage.of(Kind.TUNE, "a", spec, (), lambda _: None, {})
    assert one.fingerprint == "e7bbcee332aea96823da77391a528ee4cc3f78dcc0cf0d320902220f317d116a"


def test_the_time_left_is_shared_by_all_who_work_on_the_study(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def slow(number: int) -> Stage:
        return Stage.of(Kind.TUNE, f"slow-{number}", {"slow": number}, (), lambda _: time.sleep(0.5), {})

    steps = [slow(number) for number in range(9)]
    whole = Graph(tuple(Tuned("m", "a", 1, (), None, None, None, one, one) for one in steps), ())
    other = {"holder": asdict(Holder.here()), "step": 0, "steps": 9, "doing": "", "left": ""}
    for number in range(3):
        write_json(tmp_path / "out" / "workers" / f"other-{number}.json", other)
    run(whole, Store(tmp_path / "store"), tmp_path / "out")
    lines = [line for line in capfd.readouterr().err.splitlines() if "slow-0" in line]
    assert "about 1 s left" in lines[0]


def test_what_another_made_under_its_own_name_is_found_whoever_looked_first(tmp_path: Path) -> None:
    def by(name: str) -> Stage:
        return Stage.of(Kind.TUNE, name, {}, (), lambda folder: SUMMARY.write(folder, {"by": name}), {})

    early, late = Store(tmp_path), Store(tmp_path)
    assert early.state(by("mine")) is State.TO_DO
    assert late.make(by("theirs"))
    assert early.state(by("mine")) is State.DONE
    assert not early.make(by("mine"))
    assert early.read_json(by("mine"), SUMMARY) == {"by": "theirs"}
    for named in tmp_path.glob("*/.name-*"):
        named.unlink()  # as in a store that an older release made, or a copy without hidden files
    assert Store(tmp_path).read_json(by("mine"), SUMMARY) == {"by": "theirs"}
