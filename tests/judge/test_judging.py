from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from benchmarks.judge_stub import FAULTS, Stub, chosen, served
from polypinch.errors import PinchError
from polypinch.judge import (
    PAIR_SCHEMA,
    VERDICT_SCHEMA,
    BudgetSpent,
    HttpBackend,
    Limits,
    Price,
    Sides,
    Spent,
    Terms,
    VerdictStore,
    estimate_pairs,
    judge_pairs,
    load_judge,
    outcomes,
)
from polypinch.openai_server import Patience
from tests.judge.pairs import expected, pair, pairs

PAIRWISE = load_judge("pairwise")
QUICK = Patience(timeout_s=5, backoff_s=0.005)
PRICES = {"m": Price(input=1.0, output=2.0)}


@pytest.fixture
def stub() -> Stub:
    return Stub()


@pytest.fixture
def address(stub: Stub) -> Iterator[str]:
    with served(stub) as address:
        yield address


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VerdictStore]:
    with VerdictStore(tmp_path / "v.sqlite") as store:
        yield store


def ask(
    table: pa.Table, address: str, store: VerdictStore, judge: str = "pairwise", **changes: Any
) -> pa.Table:
    patience, spent = changes.pop("patience", QUICK), changes.pop("spent", None)
    sides = changes.pop("sides", Sides("ours", "theirs", 1))
    how = Terms(**{"limits": Limits(concurrency=4), **changes})
    return judge_pairs(
        table, load_judge(judge), HttpBackend("m", address, patience=patience), store, sides, how, spent=spent
    )


def check(verdicts: pa.Table, table: pa.Table) -> None:
    """Every verdict is the one that the server gave, for the pair and order that it gave it."""
    of = {(row["item_id"], row["language"]): row for row in table.to_pylist()}
    for row in verdicts.to_pylist():
        assert row["winner"] == expected(row, of[row["item_id"], row["language"]]), row
        assert row["error"] is None


def test_each_pair_is_judged_in_both_orders(stub: Stub, address: str, store: VerdictStore) -> None:
    table = pairs(20)
    verdicts = ask(table, address, store, prices=PRICES)
    assert verdicts.schema == VERDICT_SCHEMA
    assert verdicts.num_rows == 40
    check(verdicts, table)
    assert set(verdicts["judge"].to_pylist()) == {"pairwise:m"}
    first = verdicts.to_pylist()[0]
    assert first["raw"] == f'{{"reason": "by its hash", "winner": "{first["winner"]}"}}'
    assert first["cost"] == pytest.approx((first["prompt_tokens"] + 2 * first["completion_tokens"]) / 1e6)
    assert (first["arm_length"], first["against_length"]) == (21, 26)
    assert stub.last["response_format"]["json_schema"]["schema"] == PAIRWISE.schema
    assert (stub.last["temperature"], stub.last["max_tokens"]) == (0, 400)


def test_what_is_stored_is_not_asked_again_whoever_is_compared(
    stub: Stub, address: str, store: VerdictStore
) -> None:
    table = pairs(5)
    first = ask(table, address, store)
    assert ask(table, address, store).equals(first)
    swapped = [
        {**row, "arm_text": row["against_text"], "against_text": row["arm_text"]} for row in table.to_pylist()
    ]
    other = pa.Table.from_pylist(swapped, schema=PAIR_SCHEMA)
    check(ask(other, address, store, sides=Sides("theirs", "ours", 1)), other)
    assert stub.counts["requests"] == 10


@pytest.mark.parametrize(
    "change", [{"prompt": "?"}, {"arm_text": "!"}, {"reference": "x"}, {"language": "sw"}]
)
def test_whatever_the_judge_would_see_otherwise_is_asked_anew(
    stub: Stub, address: str, store: VerdictStore, change: dict[str, str]
) -> None:
    ask(pairs(1), address, store)
    ask(pairs(1, **change), address, store)
    assert stub.counts["requests"] == 4


def test_identical_answers_are_a_tie_without_a_call(stub: Stub, address: str, store: VerdictStore) -> None:
    verdicts = ask(pairs(3, against_text=" same\n", arm_text="same"), address, store)
    assert verdicts["winner"].to_pylist() == ["tie"] * 6
    assert set(verdicts["reason"].to_pylist()) == {"identical answers"}
    assert stub.counts["requests"] == 0
    assert store.totals()["identical"] == 6
    assert store.totals()["calls"] == 0


def test_a_missing_answer_is_a_missing_verdict_and_an_empty_one_is_judged(
    stub: Stub, address: str, store: VerdictStore
) -> None:
    table = pa.Table.from_pylist([pair(0, arm_text=None), pair(1, against_text="")], schema=PAIR_SCHEMA)
    verdicts = ask(table, address, store).to_pylist()
    assert [row["winner"] for row in verdicts[:2]] == [None, None]
    assert [row["error"] for row in verdicts[:2]] == ["an answer is missing"] * 2
    assert all(row["winner"] for row in verdicts[2:])
    assert stub.counts["requests"] == 2


def test_the_same_answers_to_two_items_are_two_calls_and_the_same_pair_twice_is_refused(
    stub: Stub, address: str, store: VerdictStore
) -> None:
    ask(pairs(2, arm_text="a", against_text="b"), address, store)
    assert stub.counts["requests"] == 4
    with pytest.raises(PinchError, match="item 'i0' stands twice in 'en'"):
        ask(pa.concat_tables([pairs(1), pairs(1)]), address, store)


def test_one_order_is_drawn_by_item_and_decides_alone(stub: Stub, address: str, store: VerdictStore) -> None:
    table = pairs(40)
    verdicts = ask(table, address, store, orders="sampled")
    assert verdicts.num_rows == stub.counts["requests"] == 40
    check(verdicts, table)
    assert 8 < sum(order == "arm_first" for order in verdicts["order"].to_pylist()) < 32
    decided = outcomes(verdicts, "sampled")
    assert set(decided["outcome"].to_pylist()) == {0.0, 0.5, 1.0}
    assert set(decided["flipped"].to_pylist()) == {None}
    assert set(outcomes(verdicts)["outcome"].to_pylist()) == {None}
    assert ask(table, address, store, orders="sampled").equals(verdicts)


def test_grades_are_compared_and_asked_for_once(stub: Stub, address: str, store: VerdictStore) -> None:
    stub.content = '{"reason": "fair", "grade": 7}'
    verdicts = ask(pairs(1), address, store, "grade").to_pylist()
    assert [row["winner"] for row in verdicts] == ["tie", "tie"]
    assert stub.counts["requests"] == 2
    assert "[answer " in stub.last["messages"][0]["content"]
    stub.content = '{"reason": "good", "grade": 9}'
    verdicts = ask(pairs(1, arm_text="better"), address, store, "grade").to_pylist()
    assert [row["winner"] for row in verdicts] == ["first", "second"]
    assert verdicts[0]["reason"] == "grades 9 and 7"
    assert stub.counts["requests"] == 3
    stub.content = "no grade"
    verdicts = ask(pairs(1, arm_text="unread"), address, store, "grade").to_pylist()
    assert [row["winner"] for row in verdicts] == [None, None]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_costs_a_request_and_no_verdict(
    stub: Stub, address: str, store: VerdictStore, fault: str
) -> None:
    stub.script.extend([fault] * 3)
    stub.slow = 60.0
    table, spent = pairs(4), Spent()
    check(ask(table, address, store, spent=spent, patience=Patience(timeout_s=1.0, backoff_s=0.005)), table)
    assert (spent.calls, spent.failed) == (8, 0)
    assert spent.requests == stub.counts["requests"] >= 11  # more where this machine is slower than a second


def test_a_fault_that_stays_is_a_failure_which_is_asked_again_on_demand(
    stub: Stub, address: str, store: VerdictStore
) -> None:
    stub.script.extend(["500"] * 2)
    table = pairs(1)
    settings: dict[str, Any] = {
        "limits": Limits(concurrency=1),
        "patience": Patience(attempts=2, backoff_s=0.001),
    }
    verdicts = ask(table, address, store, **settings)
    assert verdicts["winner"].to_pylist()[0] is None
    assert verdicts["error"].to_pylist()[0].startswith("HTTP 500")
    assert outcomes(verdicts)["outcome"].to_pylist() == [None]
    assert ask(table, address, store, **settings).equals(verdicts)
    assert stub.counts["requests"] == 3
    check(ask(table, address, store, **settings, retry_failed=True), table)
    assert stub.counts["requests"] == 4


@pytest.mark.parametrize(
    ("content", "more", "error"),
    [
        ("The first is better.", {}, "not one JSON object"),
        ('{"reason": "x", "winner": "fir', {"finish_reason": "length"}, "cut off"),
        ("x" * 200_000, {}, "200000 characters"),
        ("", {"finish_reason": "content_filter"}, "content_filter"),
    ],
)
def test_a_reply_that_is_no_verdict_is_kept_and_never_counts(
    stub: Stub, address: str, store: VerdictStore, content: str, more: dict[str, str], error: str
) -> None:
    stub.content, stub.more = content, more
    row = ask(pairs(1), address, store).to_pylist()[0]
    assert row["winner"] is None
    assert error in row["error"]
    assert content.startswith(row["raw"])
    assert row["prompt_tokens"] > 0
    assert stub.counts["requests"] == 2


def test_a_judge_that_never_gives_a_verdict_is_stopped(stub: Stub, address: str, store: VerdictStore) -> None:
    stub.content = "I cannot decide."
    with pytest.raises(PinchError, match="none of 50 calls came to a verdict"):
        ask(pairs(200), address, store)
    assert stub.counts["requests"] < 60


@pytest.mark.parametrize("status", ["401", "403", "404"])
def test_what_no_further_call_can_mend_stops_at_once_without_telling_the_key(
    stub: Stub, address: str, store: VerdictStore, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-verysecretkey0123456789"
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    stub.says = f"Incorrect API key provided: {secret}. Bearer {secret}"
    stub.script.extend([status] * 100)
    with pytest.raises(PinchError) as caught:
        ask(pairs(50), address, store)
    assert stub.counts["requests"] <= 4
    assert secret not in str(caught.value)
    assert f"HTTP {status}" in str(caught.value)
    assert secret.encode() not in b"".join(path.read_bytes() for path in store.path.parent.iterdir())


def test_a_failure_tells_no_key_either(
    stub: Stub, address: str, store: VerdictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "plainsecret123")
    stub.says = "what is plainsecret123 or sk-othersecret-12345?"
    stub.script.extend(["500"] * 100)
    verdicts = ask(pairs(1), address, store, patience=Patience(attempts=1))
    assert verdicts["error"].to_pylist()[0] == "HTTP 500: what is … or …?"


def test_openai_itself_needs_a_key_and_an_address_holds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(PinchError, match="OPENAI_API_KEY is not set"):
        HttpBackend("gpt")
    with pytest.raises(PinchError, match="more than an address") as caught:
        HttpBackend("gpt", "https://user:hunter2@example.org/v1")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(PinchError, match="base URL"):
        HttpBackend("gpt", "example.org/v1")


def test_a_server_that_knows_no_schema_is_asked_without_one(
    stub: Stub, address: str, store: VerdictStore
) -> None:
    stub.refused = {"response_format"}
    table = pairs(6)
    check(ask(table, address, store, limits=Limits(concurrency=1)), table)
    assert stub.counts["refused"] == 1


def test_a_prompt_that_the_server_refuses_is_that_prompts_failure(
    stub: Stub, address: str, store: VerdictStore
) -> None:
    stub.says = "the context is too long"
    stub.script.extend(["400", "400"])  # with a schema, and without
    verdicts = ask(pairs(2), address, store, limits=Limits(concurrency=1))
    assert verdicts["error"].to_pylist() == ["HTTP 400: the context is too long", None, None, None]
    assert "response_format" in stub.last


def test_a_server_that_renamed_the_limit_is_understood(stub: Stub, address: str, store: VerdictStore) -> None:
    stub.refused = {"max_tokens"}
    stub.says = "Unsupported parameter: use max_completion_tokens"
    table = pairs(2)
    check(ask(table, address, store, limits=Limits(concurrency=1)), table)
    assert stub.counts["refused"] == 1


def test_a_judge_of_probabilities_reads_them_and_refuses_where_there_are_none(
    stub: Stub, address: str, store: VerdictStore
) -> None:
    with pytest.raises(PinchError, match="sends no log-probabilities") as caught:
        ask(pairs(50), address, store, "pairwise-token")
    assert "vLLM" in str(caught.value)
    assert stub.counts["requests"] <= 4
    assert not store.totals()["calls"]
    stub.content = "A"
    top = [{"token": "A", "logprob": -0.1}, {"token": " B", "logprob": -3.0}, {"token": "x", "logprob": -5.0}]
    stub.more = {"finish_reason": "length", "logprobs": {"content": [{"token": "A", "top_logprobs": top}]}}
    row = ask(pairs(1), address, store, "pairwise-token").to_pylist()[0]
    assert row["winner"] == "first"
    assert row["probabilities"]["first"] == pytest.approx(0.948, abs=1e-3)
    assert row["probabilities"]["tie"] == 0
    assert (stub.last["logprobs"], stub.last["max_tokens"]) == (True, 1)


def test_calls_stop_at_their_limit_and_go_on_later(stub: Stub, address: str, store: VerdictStore) -> None:
    table = pairs(10)
    for done in (8, 16):
        with pytest.raises(BudgetSpent, match=f"stopped at 8 calls.* {20 - done} calls are left"):
            ask(table, address, store, limits=Limits(4, max_calls=8))
        assert stub.counts["requests"] == store.totals()["calls"] == done
    check(ask(table, address, store, limits=Limits(4, max_calls=8)), table)
    assert stub.counts["requests"] == 20


def test_a_call_that_might_cross_the_cost_is_not_begun(stub: Stub, address: str, store: VerdictStore) -> None:
    with pytest.raises(PinchError, match="no price for m"):
        ask(pairs(1), address, store, limits=Limits(max_cost=1.0))
    whole = estimate_pairs(pairs(30), PAIRWISE, HttpBackend("m", address), store, Terms(prices=PRICES))
    assert whole.cost is not None
    spent = Spent()
    with pytest.raises(BudgetSpent, match="which the next call might cross"):
        ask(pairs(30), address, store, limits=Limits(4, max_cost=whole.cost / 6), prices=PRICES, spent=spent)
    assert 0 < spent.cost <= whole.cost / 6
    assert store.totals()["cost"] == pytest.approx(spent.cost)


def test_the_estimate_is_what_then_happens(stub: Stub, address: str, store: VerdictStore) -> None:
    table = pa.concat_tables(
        [
            pairs(6),
            pa.Table.from_pylist(
                [pair(6, arm_text=None), pair(7, arm_text="x", against_text="x")], PAIR_SCHEMA
            ),
        ]
    )
    backend = HttpBackend("m", address)
    before = estimate_pairs(table, PAIRWISE, backend, store, Terms(prices=PRICES))
    assert (before.verdicts, before.calls, before.missing, before.identical, before.stored) == (
        16,
        12,
        2,
        2,
        0,
    )
    assert before.seconds is None
    spent = Spent()
    ask(table, address, store, prices=PRICES, spent=spent)
    assert spent.calls == before.calls
    assert spent.prompt_tokens == pytest.approx(before.prompt_tokens, rel=0.05)
    assert before.cost is not None
    assert spent.cost <= before.cost
    after = estimate_pairs(table, PAIRWISE, backend, store, Terms(prices=PRICES))
    assert (after.calls, after.stored, after.identical, after.cost) == (0, 12, 2, 0)


def test_the_server_goes_and_comes_back(tmp_path: Path) -> None:
    table, stub = pairs(60), Stub(delay=0.02)
    with served(stub) as address, VerdictStore(tmp_path / "v.sqlite") as store:
        port = int(address.split(":")[2].split("/")[0])
        ask(table.slice(0, 5), address, store)
    found: list[pa.Table] = []

    def judge() -> None:
        with VerdictStore(tmp_path / "v.sqlite") as store:
            found.append(ask(table, address, store, patience=Patience(attempts=50, backoff_s=0.05)))

    asking = threading.Thread(target=judge)
    asking.start()
    time.sleep(0.5)
    assert asking.is_alive()
    with served(stub, port):
        asking.join(timeout=30)
    check(found[0], table)


def test_a_server_that_stays_away_stops_the_run_and_not_with_a_failure_for_each_pair(tmp_path: Path) -> None:
    with served(Stub()) as address:
        pass
    with VerdictStore(tmp_path / "v.sqlite") as store:
        with pytest.raises(PinchError, match="m cannot be reached: 4 calls in a row"):
            ask(pairs(500), address, store, patience=Patience(attempts=2, backoff_s=0.001))
        assert store.totals()["failed"] < 10


def test_no_sooner_than_the_server_asks(stub: Stub, address: str, store: VerdictStore) -> None:
    stub.retry_after = "0.3"
    stub.script.append("429")
    started = time.monotonic()
    ask(pairs(1), address, store, limits=Limits(concurrency=1))
    assert time.monotonic() - started >= 0.3


def test_a_judge_named_reference_asks_nobody(store: VerdictStore) -> None:
    table = pairs(2, reference="Koska valo siroaa.")
    verdicts = judge_pairs(table, load_judge("reference"), None, store, Sides("a", "b"))
    assert set(verdicts["judge"].to_pylist()) == {"reference"}
    assert verdicts.schema == VERDICT_SCHEMA
    with pytest.raises(PinchError, match="needs a model"):
        judge_pairs(table, PAIRWISE, None, store, Sides("a", "b"))


def test_the_stub_decides_by_both_answers_and_their_order() -> None:
    assert {chosen("a", str(index)) for index in range(20)} == {"first", "second", "tie"}


@pytest.mark.parametrize("error", [PinchError("the disk is full"), RuntimeError("of whatever kind")])
def test_a_store_that_cannot_write_stops_the_run_and_lets_nobody_wait(
    stub: Stub, address: str, store: VerdictStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def put(*_: Any) -> None:
        raise error

    monkeypatch.setattr(store, "put", put)
    with pytest.raises(type(error), match=str(error)):
        ask(pairs(6), address, store)
