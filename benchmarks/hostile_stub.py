"""A judge's server that does its worst: every reply that was ever seen to harm a client, one by one.

Some hold the true verdict, and are to be read; of the others nothing may be taken for one.
"""

from __future__ import annotations

import json
import re
import zlib
from functools import cache
from typing import Any

from benchmarks.judge_stub import FAULTS, Stub

TRUE = (
    "ten-megabytes",
    "cookie",
    "html",
    "nul",
    "parts",
    "usage-past-64-bits",
    "usage-of-10^30",
    "echoed-key",
)
"""Replies whose verdict is the true one, whatever else they hold."""

FALSE = (
    "another-host",
    "bad-header",
    "bad-key",
    "bad-utf8",
    "choices-of-text",
    "deep",
    "endless",
    "escapes",
    "finish-of-3-megabytes",
    "garbage",
    "gzip-bomb",
    "half-a-surrogate",
    "integer-of-6000-digits",
    "newlines-after-a-fence",
    "no-message",
    "redirected-to-a-file",
    "redirected-to-itself",
    "retry-in-30-years",
    "retry-in-nan",
    "ten-megabytes",
    "two-winners",
)
"""Replies that hold no verdict, or one that must not count."""

_LARGE = 10_000_000


class HostileStub(Stub):
    """A stub that draws from all of them, and from a sick server's faults."""

    def fault(self) -> str | None:
        if self.script:
            return self.script.popleft()
        if self.chance.random() >= self.faults:
            return None
        return self.chance.choice((*FAULTS, *TRUE, *FALSE))

    def raw(self, fault: str, head: bytes, prompt: str) -> bytes | None:
        """Return a whole response as it goes over the wire; ``None`` of a fault that is not one of ours."""
        found = re.search(rb"authorization: ([^\r\n]*)", head, re.IGNORECASE)
        key = found[1].decode() if found else ""
        if fault in TRUE:
            return _http(_true(fault, key, json.loads(self.reply(prompt))), **_HEADERS.get(fault, {}))
        return _false(fault, key) if fault in FALSE else None


_HEADERS: dict[str, dict[str, str]] = {"cookie": {"set-cookie": "a=b; path=/"}}


def _true(fault: str, key: str, reply: dict[str, Any]) -> bytes:
    choice = reply["choices"][0]
    verdict = json.loads(choice["message"]["content"])
    reasons = {
        "ten-megabytes": "x" * _LARGE,
        "html": "<script>document.title=1</script><img src=x onerror=alert(1)>",
        "nul": "a\0b",
        "echoed-key": f"your key is {key}",
    }
    content = json.dumps({**verdict, "reason": reasons.get(fault, verdict["reason"])})
    choice["message"]["content"] = [{"type": "text", "text": content}] if fault == "parts" else content
    if fault == "usage-past-64-bits":
        reply["usage"] = {"prompt_tokens": 2**62, "completion_tokens": 2**62}
    if fault == "usage-of-10^30":
        reply["usage"] = {"prompt_tokens": 10**30, "completion_tokens": 5}
    return json.dumps(reply).encode()


@cache
def _false(fault: str, key: str) -> bytes:
    invented = '{"reason": "invented", "winner": "first"}'
    location = {
        "another-host": "http://localhost:1/v1/chat/completions",
        "redirected-to-itself": "/v1/chat/completions",
        "redirected-to-a-file": "file:///etc/passwd",
    }
    errors = {
        "bad-key": f"bad key {key}",
        "escapes": "\x1b]0;PWNED\x07\x1b[2J\x1b[31mAll fine, verdicts saved",
    }
    retries = {"retry-in-30-years": "999999999", "retry-in-nan": "nan"}
    digits = b'"usage":{"prompt_tokens":' + b"9" * 6000 + b"}"
    bodies = {
        "bad-utf8": b'{"choices":[{"message":{"content":"\xff\xfe"},"finish_reason":"stop"}]}',
        "choices-of-text": b'{"choices": ["x"]}',
        "deep": b"[" * 200_000,
        "finish-of-3-megabytes": _completion(invented, "x" * 3_000_000),
        "half-a-surrogate": b'{"choices":[{"finish_reason":"stop","message":{"content":"\\ud800 no"}}]}',
        "integer-of-6000-digits": b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],'
        + digits
        + b"}",
        "newlines-after-a-fence": _completion("```json\n" + "\n" * 20_000 + "x"),
        "no-message": b'{"choices": [{"message": null}]}',
        "ten-megabytes": _completion(json.dumps({"reason": "x" * _LARGE, "winner": "first"})),
        "two-winners": _completion('{"winner": "first", "winner": "second", "reason": "x"}'),
    }
    if fault in location:
        return _http(b"", "307 R", location=location[fault])
    if fault in errors:
        return _http(json.dumps({"error": {"message": errors[fault]}}).encode(), "500 B")
    if fault in retries:
        return _http(b"{}", "429 T", **{"retry-after": retries[fault]})
    if fault == "gzip-bomb":
        return _http(_bomb(), **{"content-encoding": "gzip"})
    return _http(bodies[fault]) if fault in bodies else _OTHERS[fault]


_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
_OTHERS = {
    "bad-header": _HEAD + b"X: \xff\xfe\r\ncontent-length: 2\r\n\r\n{}",
    "endless": _HEAD
    + b"transfer-encoding: chunked\r\n\r\n"
    + (b"100000\r\n" + b"x" * 0x100000 + b"\r\n") * 40,  # 40 MiB, and no end
    "garbage": b"\x00\x01\x02 not http\r\n\r\n",
}


def _completion(content: str, finish: str = "stop") -> bytes:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content}}
    return json.dumps({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice]}).encode()


def _http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


@cache
def _bomb() -> bytes:
    """Return a gigabyte of spaces, packed into a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b" " * 2**24) for _ in range(64)]
    return b"".join([*parts, packer.flush()])
