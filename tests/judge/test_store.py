from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.judge import Record, VerdictStore

CALL = Record(
    key="k1",
    judge="pairwise",
    version="v",
    model="m",
    revision=None,
    sampling="{}",
    item_id="i",
    language="fi",
    first="a",
    second="b",
    prompt_tokens=10,
    completion_tokens=2,
    cost=0.5,
    seconds=1.0,
    attempts=1,
)
WON = replace(CALL, winner="first", raw='{"winner": "first"}', probabilities=(0.5, 0.25, 0.25))
FAILED = replace(CALL, error="HTTP 500", raw=None, attempts=8)


def test_what_was_put_comes_back(tmp_path: Path) -> None:
    with VerdictStore(tmp_path / "v.sqlite") as store:
        store.put(WON)
    with VerdictStore(tmp_path / "v.sqlite") as store:
        assert store.get(["k1", "k2"]) == {"k1": WON}
        assert store.seconds_per_call("m", "v") == 1.0
        assert store.seconds_per_call("m", "w") is None


def test_a_failure_gives_way_to_a_verdict_and_its_cost_stays(tmp_path: Path) -> None:
    with VerdictStore(tmp_path / "v.sqlite") as store:
        store.put(FAILED)
        store.put(WON)
        found = store.get(["k1"])["k1"]
        assert (found.winner, found.error) == ("first", None)
        assert (found.prompt_tokens, found.completion_tokens, found.cost, found.attempts) == (20, 4, 1.0, 9)


def test_a_verdict_gives_way_to_nothing(tmp_path: Path) -> None:
    with VerdictStore(tmp_path / "v.sqlite") as store:
        store.put(WON)
        store.put(FAILED)
        store.put(replace(WON, winner="second"))
        assert store.get(["k1"])["k1"] == WON


def test_more_keys_than_a_query_takes(tmp_path: Path) -> None:
    keys = [f"k{index}" for index in range(1203)]
    with VerdictStore(tmp_path / "v.sqlite") as store:
        for key in keys:
            store.put(replace(WON, key=key))
        assert set(store.get(keys)) == set(keys)
        assert store.totals() == {
            "calls": 1203,
            "requests": 1203,
            "failed": 0,
            "identical": 0,
            "prompt_tokens": 12030,
            "completion_tokens": 2406,
            "cost": 601.5,
        }


def test_two_may_write_at_once(tmp_path: Path) -> None:
    with VerdictStore(tmp_path / "v.sqlite") as one, VerdictStore(tmp_path / "v.sqlite") as other:
        for index in range(50):
            one.put(replace(WON, key=f"a{index}"))
            other.put(replace(WON, key=f"b{index}"))
        assert one.totals()["calls"] == 100


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("no database at all, but a text that is long enough" * 50)
    with pytest.raises(PinchError, match=r"text\.sqlite"):
        VerdictStore(tmp_path / "text.sqlite")
    with sqlite3.connect(tmp_path / "newer.sqlite") as newer:
        newer.execute("PRAGMA user_version = 9")
    with pytest.raises(PinchError, match="another format"):
        VerdictStore(tmp_path / "newer.sqlite")
