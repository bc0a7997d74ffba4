"""A judge's server that answers at once, or ill: for volume and for faults. It speaks just enough HTTP.

    python -m benchmarks.judge_stub --delay 0.05 --faults 0.3

It prints its address, and decides by a hash of the two answers that it is shown, so that anyone can tell
which verdict must have come back. ``GET /counts`` says what it did.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import re
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FAULTS = ("429", "500", "503", "slow", "dropped", "truncated", "content-type", "empty")
ILL = "the server is ill"
CHOICES = ("first", "second", "tie")
_SHOWN = re.compile(
    r"\[(?:first answer|answer A) (\w{16})\]\n(.*)\n\[end of (?:first answer|answer A) \1\]\n"
    r"\n\[(?:second answer|answer B) \1\]\n(.*)\n\[end of (?:second answer|answer B) \1\]\n",
    re.DOTALL,
)


def chosen(first: str, second: str) -> str:
    """Return what the stub says of two answers."""
    return CHOICES[hashlib.sha256(f"{first}\0{second}".encode()).digest()[0] % 3]


def completion(content: str, prompt: str, **more: object) -> bytes:
    """Return the body of a chat completion."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": max(1, len(content) // 4)}
    usage["total_tokens"] = sum(usage.values())
    whole = {"id": "c", "object": "chat.completion", "created": 0, "model": "stub", "usage": usage}
    return json.dumps({**whole, "choices": [{**choice, **more}]}).encode()


class Stub:
    """The server's state: how it answers, and what it has done."""

    def __init__(self, delay: float = 0.0, faults: float = 0.0, seed: int = 0, slow: float = 0.3) -> None:
        self.delay, self.faults, self.slow = delay, faults, slow
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.script: deque[str | None] = deque()  # what to do next, before chance decides
        self.refused: set[str] = set()  # fields that are answered with 400
        self.says = ILL
        self.retry_after = "0.02"  # seconds, with a 429
        self.content: str | None = None  # instead of the verdict
        self.more: dict[str, Any] = {}  # into the choice
        self.last: dict[str, Any] = {}

    def fault(self) -> str | None:
        """Draw a fault, or none."""
        if self.script:
            return self.script.popleft()
        return self.chance.choice(FAULTS) if self.chance.random() < self.faults else None

    def raw(self, fault: str, head: bytes, prompt: str) -> bytes | None:
        """Return a whole response for a fault that is not among :data:`FAULTS`; ``None`` for those."""
        return None

    def reply(self, prompt: str) -> bytes:
        """Return the body for a prompt."""
        if self.content is not None:
            self.counts["good"] += 1
            return completion(self.content, prompt, **self.more)
        found = _SHOWN.search(prompt)
        if found is None:
            self.counts["unread"] += 1
            return completion("I see no two answers.", prompt)
        self.counts["good"] += 1
        verdict = chosen(found[2], found[3])
        return completion(json.dumps({"reason": "by its hash", "winner": verdict}), prompt)


class _Connection(asyncio.Protocol):
    def __init__(self, stub: Stub) -> None:
        self.stub, self.buffer = stub, b""
        self.waiting: set[asyncio.TimerHandle] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            size = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            length = int(size[1]) if size else 0
            if len(rest) < length:
                return
            body, self.buffer = rest[:length], rest[length:]
            self.answer(head, body)

    def send(
        self, body: bytes, status: str = "200 OK", kind: str = "application/json", more: str = ""
    ) -> None:
        if self.transport.is_closing():
            return
        head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
        self.transport.write(head.encode() + body)

    def answer(self, head: bytes, body: bytes) -> None:
        stub, loop = self.stub, asyncio.get_running_loop()
        arrived = loop.time()
        if head.startswith(b"GET /counts"):
            self.send(json.dumps(stub.counts).encode())
            return
        if head.startswith(b"GET /v1/models"):
            self.send(json.dumps({"object": "list", "data": [{"id": "stub", "object": "model"}]}).encode())
            return
        stub.counts["requests"] += 1
        stub.last = json.loads(body)
        if stub.refused & set(stub.last):
            stub.counts["refused"] += 1
            self.send(json.dumps({"error": {"message": stub.says}}).encode(), "400 Bad Request")
            return
        fault = stub.fault()
        stub.counts[fault or "well"] += 1
        raw = stub.raw(fault or "", head, stub.last["messages"][-1]["content"])
        if raw is not None:
            self.transport.write(raw)
            return
        if fault in (None, "slow"):
            written = stub.reply(stub.last["messages"][-1]["content"])
            delay = stub.slow if fault else stub.delay
            if delay:
                loop.call_at(arrived + delay, self.send, written)  # its own work is part of the delay
            else:
                self.send(written)
            return
        if str(fault).isdigit():
            more = f"retry-after: {stub.retry_after}\r\n" if fault == "429" else ""
            self.send(json.dumps({"error": {"message": stub.says}}).encode(), f"{fault} Ill", more=more)
        elif fault == "dropped":
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{")
            self.transport.close()
        elif fault == "truncated":
            self.send(completion('{"reason": "cut", "winner": "first"}', "")[:-40])
        elif fault == "content-type":
            self.send(b"<html>the gateway is busy</html>", kind="text/html")
        else:
            self.send(b"")


async def serve(stub: Stub, port: int = 0) -> tuple[asyncio.Server, str]:
    """Start a stub on a loopback port; return the server and its base URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(stub), "127.0.0.1", port, backlog=512)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


@contextmanager
def served(stub: Stub, port: int = 0) -> Iterator[str]:
    """Run a stub in a thread of its own; yield its base URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server, address = asyncio.run_coroutine_threadsafe(serve(stub, port), loop).result()
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _forever(arguments: argparse.Namespace) -> None:
    stub = Stub(arguments.delay, arguments.faults, arguments.seed, arguments.slow)
    server, address = await serve(stub, arguments.port)
    print(address, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("delay", 0.0), ("faults", 0.0), ("seed", 0), ("slow", 0.3), ("port", 0)):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    asyncio.run(_forever(parser.parse_args()))
