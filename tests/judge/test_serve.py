"""The OpenAI-compatible server that transformers ships, with a tiny model, and faults set in front of it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from benchmarks.judge_stub import Stub, served
from polypinch.chat.templates import BUILT_IN
from polypinch.errors import PinchError
from polypinch.judge import HttpBackend, Limits, Patience, Spent, VerdictStore, judge_pairs, load_judge
from tests.judge.pairs import pairs
from tests.tiny import tiny_model


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Yield the server's base URL and its model's name."""
    folder = tmp_path_factory.mktemp("served")
    model = tiny_model(folder / "model")
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = BUILT_IN["gemma"]
    tokenizer.save_pretrained(model)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = "from transformers.cli.transformers import main; main()"
    options = ["serve", model, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, "-c", start, *options], stdout=log, stderr=log)
        try:
            for _ in range(600):
                assert server.poll() is None, (folder / "log").read_text()
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/v1", model
        finally:
            server.terminate()
            server.wait()


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The judge pairwise, cut off early: a random model would ramble."""
    folder = tmp_path_factory.mktemp("judges") / "brief"
    shutil.copytree(load_judge("pairwise").path, folder)
    (folder / "settings.yaml").write_text("kind: pairwise\nmax_tokens: 6\n")
    return str(folder)


class Proxy(Stub):
    """Faults in front of a real server."""

    def __init__(self, upstream: str, **settings: Any) -> None:
        super().__init__(**settings)
        self.upstream = upstream

    def reply(self, prompt: str) -> bytes:
        request = urllib.request.Request(
            f"{self.upstream}/chat/completions",
            json.dumps(self.last).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            body: bytes = response.read()
        self.counts["good"] += 1
        return body


def test_a_real_servers_replies_are_stored_as_they_are_and_babble_is_no_verdict(
    serving: tuple[str, str], brief: str, tmp_path: Path
) -> None:
    address, model = serving
    proxy, spent = Proxy(address), Spent()
    proxy.script.extend(["429", "500", "dropped", "truncated", "content-type", "empty"])
    with served(proxy) as faulty, VerdictStore(tmp_path / "v.sqlite") as store:
        backend = HttpBackend(model, faulty, patience=Patience(timeout_s=30, backoff_s=0.01))
        verdicts = judge_pairs(
            pairs(2),
            load_judge(brief),
            backend,
            store,
            arm="a",
            against="b",
            seed=None,
            limits=Limits(concurrency=2),
            spent=spent,
        ).to_pylist()
    assert (spent.calls, spent.requests, proxy.counts["good"]) == (4, 10, 4)
    for row in verdicts:
        assert row["winner"] is None
        assert row["error"] in ("the reply was cut off at max_tokens", "the reply is not one JSON object")
        assert row["raw"] is not None
        assert row["prompt_tokens"] > 200
        assert 0 < row["completion_tokens"] <= 6


def test_its_missing_log_probabilities_are_noticed(serving: tuple[str, str], tmp_path: Path) -> None:
    address, model = serving
    with VerdictStore(tmp_path / "v.sqlite") as store:
        with pytest.raises(PinchError, match="sends no log-probabilities") as caught:
            judge_pairs(
                pairs(1),
                load_judge("pairwise-token"),
                HttpBackend(model, address),
                store,
                arm="a",
                against="b",
                seed=None,
            )
        assert store.totals()["calls"] == 0
    assert "--local" in str(caught.value)


def test_a_model_that_it_does_not_serve_is_said_at_once(
    serving: tuple[str, str], brief: str, tmp_path: Path
) -> None:
    with VerdictStore(tmp_path / "v.sqlite") as store:
        backend = HttpBackend("another", serving[0], patience=Patience(attempts=2, backoff_s=0.01))
        row = judge_pairs(
            pairs(1), load_judge(brief), backend, store, arm="a", against="b", seed=None
        ).to_pylist()[0]
    assert "another" in row["error"]
