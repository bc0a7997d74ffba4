from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from polypinch.openai_server import CallFailed, Endpoint, Patience

asked: list[str] = []


class _Proxy(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked.append(self.path)
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
