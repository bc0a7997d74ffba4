from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.hostile_stub import HostileStub
from benchmarks.judge_stub import served
from polypinch.errors import PinchError
from polypinch.openai_server import CallFailed, Endpoint, Patience
from polypinch.server_replies import Chat

asked: list[str] = []
keys: list[str] = []


class _Proxy(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked.append(self.path)
        keys.append(self.headers["Authorization"].removeprefix("Bearer "))
        self.rfile.read(int(self.headers["Content-Length"]))
        reply = json.dumps(
            {"choices": [{"message": {"content": "by proxy"}, "finish_reason": "stop"}]}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    asked.clear()
    keys.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("http_proxy", address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    yield address
    server.shutdown()


async def _ask() -> str | None:
    endpoint = Endpoint("m", "http://nowhere.invalid/v1", patience=Patience(attempts=1, timeout_s=5))
    await endpoint.open()
    try:
        return (await endpoint.chat([{"role": "user", "content": "?"}], 5, {})).text
    finally:
        await endpoint.close()


def test_a_proxy_of_the_environment_is_asked(proxy: str) -> None:
    assert asyncio.run(_ask()) == "by proxy"
    assert asked == ["http://nowhere.invalid/v1/chat/completions"]


def test_but_not_for_hosts_that_it_is_not_for(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "nowhere.invalid")
    with pytest.raises(CallFailed):
        asyncio.run(_ask())
    assert asked == []


class _Hostile(BaseHTTPRequestHandler):
    """Answers as its server's ``answer`` says: status, headers, body."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(dict(self.headers))  # type: ignore[attr-defined]
        status, headers, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hostile() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    server.seen, server.answer = [], (200, {}, b"")  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def _completion(content: str, finish: Any = "stop", **usage: Any) -> bytes:
    choice = {"message": {"content": content}, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


def _reply(server: Any, status: int, headers: dict[str, str], body: bytes, **options: Any) -> Chat:
    async def ask() -> Chat:
        address = f"http://127.0.0.1:{server.server_address[1]}/v1"
        endpoint = Endpoint("m", address, patience=Patience(attempts=2, backoff_s=0.001), **options)
        await endpoint.open()
        try:
            return await endpoint.chat([{"role": "user", "content": "?"}], 5, {})
        finally:
            await endpoint.close()

    server.answer = (status, {"Content-Type": "application/json", **headers}, body)
    return asyncio.run(ask())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["http://localhost:1/v1", "/elsewhere", "file:///etc/passwd"])
def test_nothing_is_sent_on_to_where_a_server_points(hostile: Any, status: int, to: str) -> None:
    with pytest.raises(PinchError, match="sends us on"):
        _reply(hostile, status, {"Location": to}, b"")
    assert len(hostile.seen) == 1


def test_a_server_that_has_answered_and_then_points_elsewhere_fails_the_call_and_ends_no_run() -> None:
    async def ask(address: str) -> None:
        endpoint = Endpoint("m", address, patience=Patience(attempts=2, backoff_s=0.001))
        await endpoint.open()
        try:
            await endpoint.chat([{"role": "user", "content": "?"}], 5, {})
            with pytest.raises(CallFailed, match=r"HTTP 307: .* to localhost, where nothing is sent"):
                await endpoint.chat([{"role": "user", "content": "?"}], 5, {})
            await endpoint.chat([{"role": "user", "content": "?"}], 5, {})
        finally:
            await endpoint.close()

    stub = HostileStub()
    stub.script.extend([None, "another-host", "another-host", None])
    with served(stub) as address:
        asyncio.run(ask(address))


@pytest.mark.parametrize("packed", [True, False])
def test_a_reply_without_end_is_a_failure_and_is_never_held(hostile: Any, packed: bool) -> None:
    large = _completion("x" * (9 * 2**20))
    headers = {"Content-Encoding": "gzip"} if packed else {}
    with pytest.raises(CallFailed, match="larger than 8 MiB") as failed:
        _reply(hostile, 200, headers, gzip.compress(large) if packed else large)
    assert failed.value.attempts == 1


def test_packed_replies_are_read_and_broken_ones_are_not(hostile: Any) -> None:
    assert _reply(hostile, 200, {"Content-Encoding": "gzip"}, gzip.compress(_completion("yes"))).text == "yes"
    with pytest.raises(CallFailed, match="not gzip"):
        _reply(hostile, 200, {"Content-Encoding": "gzip"}, b"plain")
    with pytest.raises(CallFailed, match="packed as br"):
        _reply(hostile, 200, {"Content-Encoding": "br"}, b"plain")


@given(content=st.text(st.characters(), max_size=20), finish=st.one_of(st.none(), st.integers(), st.text()))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_reply_holds_can_be_stored(hostile: Any, content: str, finish: Any) -> None:
    cut = content + "\ud83d"
    chat = _reply(hostile, 200, {}, _completion(cut, finish, prompt_tokens=10**30, completion_tokens=7))
    assert chat.text is not None
    assert chat.text.encode()
    assert chat.text.endswith("\ufffd")
    assert (chat.finish_reason or "none").encode()
    assert (chat.prompt_tokens, chat.completion_tokens) == (None, 7)


def test_a_key_that_is_said_back_is_not_kept(hostile: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "unlikely-key")
    chat = _reply(hostile, 200, {}, _completion("it is unlikely-key", "unlikely-key"))
    assert hostile.seen[0]["Authorization"] == "Bearer unlikely-key"
    assert (chat.text, chat.finish_reason) == ("it is …", "…")


def test_a_file_of_others_cannot_name_the_variable_that_is_sent(
    hostile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_BANK", "secret")
    with pytest.raises(PinchError, match="MY_BANK, which nobody here has allowed"):
        _reply(hostile, 200, {}, _completion("x"), api_key_env="MY_BANK")
    assert not hostile.seen
    monkeypatch.setenv("POLYPINCH_KEY_VARIABLES", "OTHER, MY_BANK")
    _reply(hostile, 200, {}, _completion("x"), api_key_env="MY_BANK")
    assert hostile.seen[0]["Authorization"] == "Bearer secret"


def test_a_key_does_not_go_in_the_open_to_another_machine(
    proxy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "unlikely-key")
    assert asyncio.run(_ask()) == "by proxy"
    assert "unlikely-key" not in keys
    assert "is not sent to nowhere.invalid" in capsys.readouterr().err


@pytest.mark.parametrize("after", ["nan", "inf", "-1", "999999999", "x"])
def test_no_server_makes_us_wait_for_ever(hostile: Any, after: str) -> None:
    with pytest.raises(CallFailed, match="HTTP 429"):
        _reply(hostile, 429, {"Retry-After": after}, b"{}")


class _Picky(BaseHTTPRequestHandler):
    """Refuses what its server's ``refuse`` makes words of, given the request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(body)  # type: ignore[attr-defined]
        time.sleep(0.01)
        error = self.server.refuse(body)  # type: ignore[attr-defined]
        reply = _completion("yes") if error is None else json.dumps({"error": error}).encode()
        self.send_response(200 if error is None else 400)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def picky() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Picky)
    server.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


SETTINGS, OPTIONAL = {"temperature": 0.0, "top_p": 0.9}, {"response_format": {"type": "json_schema"}}


def _ask_many(server: Any, count: int) -> list[Chat]:
    async def ask() -> list[Chat]:
        endpoint = Endpoint("m", f"http://127.0.0.1:{server.server_address[1]}/v1", patience=Patience(2))
        await endpoint.open()
        try:
            chats = [
                endpoint.chat([{"role": "user", "content": "?"}], 5, dict(SETTINGS), dict(OPTIONAL))
                for _ in range(count)
            ]
            return await asyncio.gather(*chats)
        finally:
            await endpoint.close()

    return asyncio.run(ask())


def _new_limit(body: dict[str, Any]) -> dict[str, Any] | None:
    said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    return {"message": said, "param": "max_tokens"} if "max_tokens" in body else None


def _one_temperature(body: dict[str, Any]) -> dict[str, Any] | None:
    said = "Unsupported value: 'temperature' does not support 0.0. Only the default (1) is supported."
    return {"message": said} if "temperature" in body else None


def _one_of_two(body: dict[str, Any]) -> dict[str, Any] | None:
    said = "`temperature` and `top_p` cannot both be specified for this model."
    return {"message": said} if {"temperature", "top_p"} <= body.keys() else None


def _all_three(body: dict[str, Any]) -> dict[str, Any] | None:
    return _new_limit(body) or _one_temperature(body)


@pytest.mark.parametrize(
    ("refuse", "without"),
    [
        (_new_limit, {"max_tokens"}),
        (_one_temperature, {"temperature"}),
        (_one_of_two, {"top_p"}),
        (_all_three, {"max_tokens", "temperature"}),
    ],
)
@pytest.mark.parametrize("at_once", [1, 16])
def test_calls_under_way_leave_out_what_a_server_refuses_and_nothing_else(
    picky: Any, refuse: Any, without: set[str], at_once: int, capsys: pytest.CaptureFixture[str]
) -> None:
    picky.refuse = refuse
    assert [chat.text for chat in _ask_many(picky, at_once)] == ["yes"] * at_once
    taken = [body for body in picky.seen if refuse(body) is None]
    assert len(taken) == at_once
    limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
    for body in taken:
        assert body.keys() - {"model", "messages"} == ({*SETTINGS, *OPTIONAL} - without) | {limit}
    said = capsys.readouterr().err
    assert all((f"takes no {name} " in said) == (name in without) for name in SETTINGS)


def test_a_refusal_of_a_prompt_teaches_nothing_of_its_settings(picky: Any) -> None:
    picky.refuse = lambda _: {"message": "filtered by our policy", "code": "content_filter"}
    with pytest.raises(CallFailed, match="filtered by our policy"):
        _ask_many(picky, 1)
    picky.refuse = lambda _: None
    picky.seen.clear()
    _ask_many(picky, 1)
    assert OPTIONAL.keys() <= picky.seen[0].keys()


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "application/octet-stream", ""])
def test_a_completion_is_read_whatever_its_type_is_called(hostile: Any, kind: str) -> None:
    assert _reply(hostile, 200, {"Content-Type": kind}, _completion("yes")).text == "yes"


@pytest.mark.parametrize("code", [429, "429", None, "quota", True, 10**400])
def test_an_error_of_status_200_is_told_in_the_servers_words(hostile: Any, code: Any) -> None:
    body = json.dumps({"error": {"message": "upstream quota exceeded", "code": code}}).encode()
    with pytest.raises(CallFailed, match="upstream quota exceeded") as failed:
        _reply(hostile, 200, {}, body)
    assert failed.value.unreachable


@pytest.mark.parametrize("finish", ["stop", "STOP", "eos", "eos_token", "end_turn", ""])
def test_an_end_has_one_spelling(hostile: Any, finish: str) -> None:
    assert _reply(hostile, 200, {}, _completion("yes", finish)).finish_reason == "stop"
    assert _reply(hostile, 200, {}, _completion("yes", "MAX_TOKENS")).finish_reason == "length"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                {"type": "text", "text": "a"},
            ],
            "a",
        ),
        ([{"type": "text", "text": "a"}, {"type": "output_text", "text": "b"}], "ab"),
        ([{"type": "refusal", "refusal": "no"}], None),
        ([1, None, {"type": "text", "text": 3}], None),
        ([], None),
    ],
)
def test_content_in_parts_is_its_texts(hostile: Any, content: Any, text: str | None) -> None:
    assert _reply(hostile, 200, {}, _completion(content)).text == text
