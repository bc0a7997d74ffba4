"""Answers over HTTP, from a real server with faults before it, and from a stub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from benchmarks.judge_stub import FAULTS, Stub, completion, served
from polypinch.answer import ANSWER_SCHEMA, HttpEngine, Sampling, TransformersEngine, answer
from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.models.finding import find_model
from polypinch.openai_server import Patience
from polypinch.pool.table import POOL_SCHEMA
from polypinch.tune import load_tuned
from tests.pools import row
from tests.serving import Proxy, transformers_serve

QUICK = Patience(timeout_s=30, backoff_s=0.005)
ROWS = pa.Table.from_pylist([row(f"i{index}", "en") for index in range(5)], schema=POOL_SCHEMA)


class Echo(Stub):
    """Answers with what it was asked."""

    def reply(self, prompt: str) -> bytes:
        self.counts["good"] += 1
        return completion(f"{prompt}!" if self.content is None else self.content, prompt, **self.more)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with transformers_serve(tmp_path_factory.mktemp("served")) as served_at:
        yield served_at


def many(count: int) -> pa.Table:
    return pa.Table.from_pylist([row(f"i{index}", "en") for index in range(count)], schema=POOL_SCHEMA)


def asked(rows: pa.Table) -> list[str]:
    return [f"{messages[0]['content']}!" for messages in rows["messages"].to_pylist()]


def test_a_real_server_answers_like_the_same_model_in_this_process_whatever_happens_on_the_way(
    serving: tuple[str, str], tmp_path: Path
) -> None:
    address, name = serving
    sampling = Sampling(max_new_tokens=6, precision="fp32")
    proxy = Proxy(address)
    proxy.script.extend(fault for fault in FAULTS if fault != "slow")
    with served(proxy) as faulty:
        engine = HttpEngine(name, faulty, concurrency=2, patience=QUICK)
        table = answer(ROWS, engine, None, sampling, tmp_path / "http")
    assert (proxy.counts["good"], proxy.counts["requests"]) == (5, 5 + len(FAULTS) - 1)
    assert table.schema == ANSWER_SCHEMA
    assert table["item_id"].equals(ROWS["item_id"])
    assert set(table["engine"].to_pylist()) == {"http"}
    model = find_model(name)
    chat = ChatFormat.load(model)
    here = answer(
        ROWS, TransformersEngine(load_tuned(model, None, "fp32"), chat), chat, sampling, tmp_path / "here"
    )
    for column in ("text", "finish_reason", "prompt_tokens", "completion_tokens"):
        assert table[column].to_pylist() == here[column].to_pylist(), column


def test_an_answer_that_never_comes_stops_the_run_and_those_that_came_are_kept(tmp_path: Path) -> None:
    rows, stub = many(100), Echo()
    stub.script.extend([None] * 70 + ["500"] * 3)
    with served(stub) as address:
        engine = HttpEngine("m", address, concurrency=1, patience=Patience(attempts=3, backoff_s=0.001))
        with pytest.raises(PinchError, match=r"no answer to i70 \(en\) in 3 attempts: HTTP 500"):
            answer(rows, engine, None, Sampling(), tmp_path)
        assert not (tmp_path / "answers.parquet").exists()
        table = answer(rows, engine, None, Sampling(), tmp_path)
    assert stub.counts["good"] == 100
    assert table["item_id"].equals(rows["item_id"])
    assert table["text"].to_pylist() == asked(rows)


@pytest.mark.parametrize(
    ("content", "more"), [("", {"finish_reason": "content_filter"}), ("", {"message": {"content": None}})]
)
def test_what_a_server_withholds_is_no_empty_answer(
    tmp_path: Path, content: str, more: dict[str, Any]
) -> None:
    stub = Echo()
    stub.content, stub.more = content, more
    with served(stub) as address, pytest.raises(PinchError, match="withheld its answer to i"):
        answer(many(2), HttpEngine("m", address, patience=QUICK), None, Sampling(), tmp_path)


def test_samples_have_seeds_of_their_own_and_a_server_without_seeds_is_asked_without(
    tmp_path: Path,
) -> None:
    rows, stub, seeds = many(3), Echo(), []

    def seeing(prompt: str) -> bytes:
        seeds.append(stub.last["seed"])
        return Echo.reply(stub, prompt)

    stub.reply = seeing  # type: ignore[method-assign]
    sampling = Sampling(temperature=1.0, top_p=0.9, samples=2)
    with served(stub) as address:
        table = answer(rows, HttpEngine("m", address, patience=QUICK), None, sampling, tmp_path / "a")
        assert table["sample"].to_pylist() == [0, 1] * 3
        assert len(set(seeds)) == 6
        assert (stub.last["temperature"], stub.last["top_p"], stub.last["max_tokens"]) == (1.0, 0.9, 256)
        del stub.reply  # type: ignore[method-assign]
        stub.refused = {"seed"}
        engine = HttpEngine("m", address, concurrency=1, patience=QUICK)
        table = answer(rows, engine, None, sampling, tmp_path / "b")
    assert table.num_rows == 6
    assert stub.counts["refused"] == 1
