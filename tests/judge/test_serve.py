"""The OpenAI-compatible server that transformers ships, with a tiny model, and faults set in front of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.judge_stub import served
from polypinch.errors import PinchError
from polypinch.judge import HttpBackend, Limits, Sides, Spent, Terms, VerdictStore, judge_pairs, load_judge
from polypinch.openai_server import Patience
from tests.judge.pairs import pairs
from tests.serving import Proxy, transformers_serve


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Yield the server's base URL and its model's name."""
    with transformers_serve(tmp_path_factory.mktemp("served")) as served_at:
        yield served_at


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The judge pairwise, cut off early: a random model would ramble."""
    folder = tmp_path_factory.mktemp("judges") / "brief"
    shutil.copytree(load_judge("pairwise").path, folder)
    (folder / "settings.yaml").write_text("kind: pairwise\nmax_tokens: 6\n")
    return str(folder)


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
            Sides("a", "b"),
            Terms(limits=Limits(concurrency=2)),
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
                Sides("a", "b"),
            )
        assert store.totals()["calls"] == 0
    assert "--local" in str(caught.value)


def test_a_model_that_it_does_not_serve_is_said_at_once(
    serving: tuple[str, str], brief: str, tmp_path: Path
) -> None:
    with VerdictStore(tmp_path / "v.sqlite") as store:
        backend = HttpBackend("another", serving[0], patience=Patience(attempts=2, backoff_s=0.01))
        row = judge_pairs(pairs(1), load_judge(brief), backend, store, Sides("a", "b")).to_pylist()[0]
    assert "another" in row["error"]
