"""Locks where machines die and clocks are wrong: one holder at a time, and none for ever."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from polypinch import locks
from polypinch.locks import Busy, holder, locked
from polypinch.study import State, Store
from polypinch.study.running.here import run
from tests.study.test_store import graph, stage

HOUR = 3600.0


def left_by(lock: Path, host: str, age_s: float) -> Path:
    """Write a lock as its holder on another machine leaves it where the kernel's locks are not shared."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps({"host": host, "pid": os.getpid(), "since": "2026-01-01T00:00:00+00:00"}))
    at = time.time() - age_s
    os.utime(lock, (at, at))
    return lock


def is_free(lock: Path) -> bool:
    try:
        with locked(lock, lock.parent):
            return True
    except Busy:
        return False


@contextmanager
def beats(lock: Path, at: Callable[[], float]) -> Iterator[None]:
    stop = threading.Event()

    def go_on() -> None:
        while not stop.wait(0.02):
            os.utime(lock, (at(), at()))

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_BEAT_S", 0.2)


@pytest.mark.parametrize("age_s", [61.0, HOUR, 365 * 24 * HOUR])
def test_a_machine_that_died_holds_nothing_for_ever(tmp_path: Path, age_s: float) -> None:
    lock = left_by(tmp_path / ".lock", "gone", age_s)
    assert holder(lock) is None
    assert is_free(lock)


@pytest.mark.parametrize("age_s", [-50.0, 0.0, 50.0])
def test_a_machine_that_gave_a_sign_lately_is_not_disturbed(tmp_path: Path, age_s: float) -> None:
    lock = left_by(tmp_path / ".lock", "elsewhere", age_s)
    before = lock.read_bytes()
    assert not is_free(lock)
    assert lock.read_bytes() == before


@pytest.mark.parametrize("wrong_s", [-HOUR, HOUR, 1e6])
def test_our_own_wrong_clock_takes_nobodys_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong_s: float
) -> None:
    lock = left_by(tmp_path / ".lock", "elsewhere", 0.0)
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + wrong_s)
    assert not is_free(lock)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("back_s", [HOUR, 365 * 24 * HOUR])
def test_after_the_clock_was_set_back_the_living_keep_their_locks_and_the_dead_do_not(
    tmp_path: Path, back_s: float
) -> None:
    lock = left_by(tmp_path / ".lock", "elsewhere", -back_s)
    with beats(lock, time.time):
        assert not is_free(lock)
    lock = left_by(tmp_path / ".lock", "gone", -back_s)
    assert is_free(lock)


def test_a_step_that_a_dead_machine_began_is_made(tmp_path: Path) -> None:
    store, step = Store(tmp_path), stage(1)
    lock = left_by(tmp_path / "tune" / f".lock-{step.fingerprint[:12]}", "gone", HOUR)
    assert store.state(step) is not State.RUNNING
    assert store.make(step)
    assert Store(tmp_path).state(step) is State.DONE
    assert holder(lock) is None


def _work_with(wrong_s: float, root: Path, log: Path) -> None:
    right = time.time
    time.time = lambda: right() + wrong_s  # in a process of its own
    run(graph(12, log), Store(root), root.parent / "out")


def test_processes_whose_clocks_differ_share_the_steps_and_make_none_twice(tmp_path: Path) -> None:
    log, context = tmp_path / "log", multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_work_with, args=(wrong_s, tmp_path / "store", log))
        for wrong_s in (-HOUR, 0.0, HOUR)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {worker.exitcode for worker in workers} == {0}
    assert sorted(map(int, log.read_text().split())) == list(range(12))
