"""Answers over HTTP, from a real server with faults before it, and from a stub."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
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
from tests.running import command, polypinch, started
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


def test_answers_that_never_come_are_counted_and_only_they_are_asked_for_again(tmp_path: Path) -> None:
    rows, stub = many(100), Echo()
    stub.script.extend([None] * 70 + ["500"] * 3)
    with served(stub) as address:
        engine = HttpEngine("m", address, concurrency=1, patience=Patience(attempts=3, backoff_s=0.001))
        with pytest.raises(PinchError, match=r"no answer to 1 of 100 .*i70 \(en\), in 3 attempts: HTTP 500"):
            answer(rows, engine, None, Sampling(), tmp_path)
        assert not (tmp_path / "answers.parquet").exists()
        assert stub.counts["good"] == 99
        table = answer(rows, engine, None, Sampling(), tmp_path)
    assert stub.counts["good"] == 100
    assert table["item_id"].equals(rows["item_id"])
    assert table["text"].to_pylist() == asked(rows)


def test_a_server_that_is_gone_ends_the_run_at_once_and_what_came_is_kept(tmp_path: Path) -> None:
    rows, stub = many(100), Echo()
    stub.script.extend([None] * 70 + ["500"] * 1000)
    patience = Patience(attempts=2, backoff_s=0.001)
    with served(stub) as address:
        with pytest.raises(PinchError, match="gave no answer to 3 of 3"):
            answer(
                rows, HttpEngine("m", address, concurrency=1, patience=patience), None, Sampling(), tmp_path
            )
        assert stub.counts["good"] == 70
        stub.script.clear()
        answer(rows, HttpEngine("m", address, patience=patience), None, Sampling(), tmp_path)
    assert stub.counts["good"] == 100


@pytest.mark.parametrize(
    ("content", "more"), [("", {"finish_reason": "content_filter"}), ("", {"message": {"content": None}})]
)
def test_what_a_server_withholds_is_no_empty_answer_and_stops_no_other(
    tmp_path: Path, content: str, more: dict[str, Any]
) -> None:
    class Withholding(Echo):
        def reply(self, prompt: str) -> bytes:
            self.content, self.more = (content, more) if "i1" in prompt else (None, {})
            return super().reply(prompt)

    with served(Withholding()) as address:
        table = answer(many(3), HttpEngine("m", address, patience=QUICK), None, Sampling(), tmp_path)
    texts = table["text"].to_pylist()
    assert texts[1] is None
    assert [texts[0], texts[2]] == [asked(many(3))[0], asked(many(3))[2]]


def test_every_answer_is_on_the_disk_before_the_next_is_asked_for(tmp_path: Path) -> None:
    rows, stub = many(6), Echo()

    def seeing(prompt: str) -> bytes:
        log = tmp_path / "shards" / "answers.jsonl"
        assert len(log.read_bytes().splitlines()) == stub.counts["good"]
        return Echo.reply(stub, prompt)

    stub.reply = seeing  # type: ignore[method-assign]
    with served(stub) as address:
        answer(rows, HttpEngine("m", address, concurrency=1, patience=QUICK), None, Sampling(), tmp_path)
    assert stub.counts["good"] == 6


def test_a_line_torn_by_a_kill_is_asked_for_again(tmp_path: Path) -> None:
    from polypinch.answer.http import Reply
    from polypinch.answer.log import AnswerLog

    path = tmp_path / "log.jsonl"
    log = AnswerLog(path)
    with log.writing():
        log.append(0, 0, Reply("a\nb", "stop", 1, 2))
        log.append(1, 0, Reply("\u2028 c", "stop", None, 2))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        log = AnswerLog(path)
        with log.writing():
            left = log.places
            for row in {0, 1} - {row for row, _ in left}:
                log.append(row, 0, Reply("again", "stop", 1, 1))
        assert list(AnswerLog(path).read()) == [(0, 0), (1, 0)]


def test_killed_at_random_it_pays_again_for_what_was_under_way_alone(tmp_path: Path) -> None:
    prompts, chance = tmp_path / "prompts.jsonl", random.Random(1)
    rows = [{"prompt": f"Miksi {number}?"} for number in range(120)]
    prompts.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    stub, kills, calls = Echo(delay=0.05, faults=0.2, slow=0.1), 3, 4
    out = tmp_path / "answers"
    with served(stub) as address:
        asked = ("answer", prompts, "--language", "fi", "--out", out, "--model", "m")
        asked = (*asked, "--base-url", address, "--concurrency", calls)
        for kill in range(kills):
            enough, before = 25 * (kill + 1) + chance.randrange(20), stub.counts["good"]
            child = started(command, *asked)
            while stub.counts["good"] < enough and child.is_alive():
                time.sleep(0.005)
            assert child.is_alive()
            child.kill()
            child.join()
            assert stub.counts["good"] > before
        done = polypinch(*asked)
    assert done.returncode == 0, done.stderr
    found = pq.read_table(out / "answers.parquet").to_pylist()
    assert [row["text"] for row in found] == [f"{one['prompt']}!" for one in rows]
    assert stub.counts["good"] <= len(rows) + kills * (calls + 1)


def test_another_number_of_items_leaves_what_was_paid_for_on_the_disk(tmp_path: Path) -> None:
    prompts, out, stub = tmp_path / "prompts.jsonl", tmp_path / "answers", Echo(delay=0.05)
    lines = [json.dumps({"prompt": f"Miksi {number}?"}) for number in range(40)]
    prompts.write_text("\n".join(lines), encoding="utf-8")
    asked = ("answer", prompts, "--language", "fi", "--out", out, "--model", "m", "--concurrency", 1)
    with served(stub) as address:
        child = started(command, *asked, "--base-url", address)
        while stub.counts["good"] < 6 and child.is_alive():
            time.sleep(0.005)
        child.kill()
        child.join()
        done = polypinch(*asked, "--base-url", address, "--items", 3)
    assert done.returncode == 0, done.stderr
    assert pq.read_table(out / "answers.parquet").num_rows == 3
    assert "set aside" in done.stderr
    assert any(log.read_text().count("\n") >= 5 for log in tmp_path.rglob("answers.jsonl"))


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
