from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polypinch.errors import PinchError
from polypinch.locks import Busy
from polypinch.study import Damaged, Kind, Stage, State, open_store
from polypinch.study.artifacts import SUMMARY
from polypinch.study.elsewhere import Bucket, StoreElsewhere
from tests.study.test_store import stage

KEYS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a real S3 server on loopback."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    pytest.importorskip("s3fs")
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["s3", "file"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "file":
        return f"file://{tmp_path / 'there'}"
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": request.getfixturevalue("s3")}.items():
        monkeypatch.setenv(name, value)
    bucket = f"bucket-{tmp_path.name[-40:].strip('_-').replace('_', '-').lower()}"
    import fsspec

    fsspec.filesystem("s3").mkdir(bucket)
    return f"s3://{bucket}/studies"


def opened(address: str, copy: Path) -> StoreElsewhere:
    store = open_store(address, copy)
    assert isinstance(store, StoreElsewhere)
    return store


def files_of(address: str, kind: str) -> list[str]:
    import fsspec

    files, path = fsspec.url_to_fs(f"{address}/{kind}", use_listings_cache=False)
    return sorted(files.find(path))


def test_what_one_machine_made_another_reads_and_does_not_make(address: str, tmp_path: Path) -> None:
    log, one = tmp_path / "log", stage(1, log=tmp_path / "log")
    first, second = opened(address, tmp_path / "a"), opened(address, tmp_path / "b")
    assert second.state(one) is State.TO_DO
    assert first.make(one)
    again = opened(address, tmp_path / "b")
    assert again.state(one) is State.DONE
    assert not again.make(one)
    assert again.read_json(one, SUMMARY) == {"number": 1}
    assert log.read_text() == "1\n"
    assert [path.read_bytes() for path in sorted(first.path(one).iterdir())] == [
        path.read_bytes() for path in sorted(again.path(one).iterdir())
    ]
    assert not [name for name in files_of(address, "tune") if "claim" in name]


def test_of_two_who_made_one_thing_the_first_is_everybodys(address: str, tmp_path: Path) -> None:
    def by(name: str) -> Stage:
        def work(directory: Path) -> None:
            if name == "late":
                opened(address, tmp_path / "early").make(by("early"))
            SUMMARY.write(directory, {"by": name})

        return Stage.of(Kind.TUNE, "step", {}, (), work, {})

    def unclaimed(store: StoreElsewhere) -> None:
        store.bucket.remove("tune", f".claim-{store.mark(by('late'))}.json")

    late = opened(address, tmp_path / "late")
    real = late.bucket.write

    def write(value: Any, *names: str, new: bool = False) -> bool:
        done = real(value, *names, new=new)
        if "claim" in names[-1]:
            unclaimed(late)  # as where a claim does not exclude
        return done

    late.bucket.write = write  # type: ignore[method-assign]
    assert late.make(by("late"))
    assert late.read_json(by("late"), SUMMARY) == {"by": "early"}


def test_a_step_that_was_cut_off_on_its_way_is_not_there_and_is_sent_by_the_next_run(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, here = stage(1, log=tmp_path / "log"), opened(address, tmp_path / "a")

    def cut(directory: Path, *names: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(here.bucket, "send", cut)
        with pytest.raises(KeyboardInterrupt):
            here.make(one)
    assert opened(address, tmp_path / "b").state(one) is State.TO_DO
    opened(address, tmp_path / "a").share([one])
    there = opened(address, tmp_path / "b")
    assert there.state(one) is State.DONE
    assert there.read_json(one, SUMMARY) == {"number": 1}
    assert (tmp_path / "log").read_text() == "1\n"


@pytest.mark.parametrize("harm", ["changed", "gone", "outside", "torn marker"])
def test_what_stands_there_damaged_is_made_again(address: str, tmp_path: Path, harm: str) -> None:
    import fsspec

    one = stage(1)
    opened(address, tmp_path / "a").make(one)
    files, _ = fsspec.url_to_fs(address)
    kept = next(path for path in files_of(address, "tune") if path.endswith(SUMMARY.name))
    marker = next(path for path in files_of(address, "tune") if "/data/" not in path)
    if harm == "changed":
        files.pipe_file(kept, b'{"number": 2}')
    elif harm == "gone":
        files.rm_file(kept)
    elif harm == "torn marker":
        files.pipe_file(marker, b'{"data": "')
    else:
        said = json.loads(files.cat_file(marker))
        said["done"]["files"]["../../../../evil"] = {"size": 1, "sha256": "x"}
        files.pipe_file(marker, json.dumps(said).encode())
    fresh = opened(address, tmp_path / "b")
    with pytest.raises(Damaged):
        fresh.read_json(one, SUMMARY)
    assert fresh.make(one)
    assert opened(address, tmp_path / "c").read_json(one, SUMMARY) == {"number": 1}
    assert not list(tmp_path.rglob("evil"))


def test_a_copy_that_was_damaged_here_is_fetched_again(address: str, tmp_path: Path) -> None:
    one, store = stage(1, log=tmp_path / "log"), opened(address, tmp_path / "a")
    store.make(one)
    (store.path(one) / SUMMARY.name).write_text("{}")
    fresh = opened(address, tmp_path / "a")
    for wrong in fresh.verify([one]):
        fresh.mend(wrong)
    assert fresh.state(one) is State.DONE
    assert fresh.read_json(one, SUMMARY) == {"number": 1}
    assert (tmp_path / "log").read_text() == "1\n"


def test_a_step_that_another_machine_is_at_is_left_to_it_and_a_dead_ones_is_taken(
    address: str, tmp_path: Path
) -> None:
    one, store = stage(1), opened(address, tmp_path / "a")
    holder = {"host": "another", "pid": 1, "since": "today"}
    claim = {"holder": holder, "at": time.time(), "own": "x"}
    name = f".claim-{store.mark(one)}.json"
    store.bucket.write(claim, "tune", name)
    with pytest.raises(Busy, match="process 1 on another"):
        store.make(one)
    store.bucket.write({**claim, "at": time.time() - 3600}, "tune", name)
    assert store.make(one)
    two = stage(2)
    store.bucket.write(["no claim"], "tune", f".claim-{store.mark(two)}.json")
    assert store.make(two)


def test_a_whole_copy_is_read_where_nothing_can_be_reached(tmp_path: Path) -> None:
    one, address = stage(1), f"file://{tmp_path / 'there'}"
    opened(address, tmp_path / "a").make(one)
    cut_off = opened("nowhere://bucket/studies", tmp_path / "a")
    assert cut_off.state(one) is State.DONE
    assert cut_off.read_json(one, SUMMARY) == {"number": 1}


def test_what_several_machines_spent_is_one_sum(address: str, tmp_path: Path) -> None:
    def spending(number: int, cost: float) -> Stage:
        def work(directory: Path) -> None:
            ledger = directory.parent / ".budget-k.json"
            before = json.loads(ledger.read_text()) if ledger.exists() else {}
            ledger.write_text(json.dumps({**before, f"s{number}": cost}))
            SUMMARY.write(directory, before)

        return Stage.of(Kind.VERDICTS, f"v{number}", {"number": number}, (), work, {"budget": True})

    one, two = spending(1, 3.0), spending(2, 4.0)
    opened(address, tmp_path / "a").make(one)
    other = opened(address, tmp_path / "b")
    other.make(two)
    assert other.read_json(two, SUMMARY) == {"s1": 3.0}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("s3://key:secret@bucket/x", "holds a name or a password"),
        ("nonsense://bucket/x", "no store at nonsense"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(wrong: str, said: str) -> None:
    with pytest.raises(PinchError, match=said) as error:
        Bucket(wrong)
    assert "secret" not in str(error.value)


def test_without_its_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    from fsspec.registry import _registry

    monkeypatch.delitem(_registry, "s3", raising=False)
    with pytest.raises(PinchError) as error:
        Bucket("s3://bucket/x")
    assert "polypinch[s3]" in str(error.value.fix)
