"""What stands before every page of ours: whom it answers, how often, and what a browser may do with it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from polypinch.errors import PinchError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST_BODY = 64 * 1024
"""Bytes of a request; the longest that a page of ours sends is a form with a comment."""

HEADERS = {
    # Even a text that slipped through escaping could neither run, nor fetch, nor send anything.
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # An address holds a rater's secret: no other place is told it.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


def desk_hosts(host: str, url: str | None) -> frozenset[str]:
    """Return the names by which pages may be asked for.

    Args:
        host: where they listen.
        url: the address that others have, or ``None`` where only this machine asks.

    Raises:
        PinchError: others can ask, and nobody said by which address; or it is no address.
    """
    if url is None:
        if host not in LOOPBACK:
            raise PinchError(
                f"--host {host} can be reached from elsewhere: which address do raters have?",
                fix="name it with --url https://…; secret links belong behind https (docs/rating.md)",
            )
        return LOOPBACK
    known = urlsplit(url)
    if known.scheme not in ("http", "https") or not known.hostname or known.path.strip("/"):
        raise PinchError(f"--url {url}: not an address", fix="write https://rate.example.org")
    return frozenset({*LOOPBACK, known.hostname.lower()})


class Limiter:
    """So many requests at once, then so many a second, for each who asks (a token bucket).

    Args:
        burst: at once.
        rate: a second.
        most: callers that are remembered; the longest unheard-of are forgotten.
    """

    def __init__(self, burst: float = 60, rate: float = 2, most: int = 10_000) -> None:
        self.burst, self.rate, self.most = burst, rate, most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, who: str, now: float | None = None) -> bool:
        """Count a request, and tell whether it may pass.

        Args:
            who: asks.
            now: in seconds; the clock by default.
        """
        at = time.monotonic() if now is None else now
        left, before = self._left.pop(who, (self.burst, at))
        left = min(self.burst, left + (at - before) * self.rate)
        self._left[who] = (left - 1 if left >= 1 else left, at)
        while len(self._left) > self.most:
            self._left.popitem(last=False)
        return left >= 1


class Guard:
    """An ASGI application before another: it refuses strange hosts, sites and sizes, and sets headers.

    A page on this machine is also reachable for any site that is open in the same browser, by a name that is
    made to point here; so only our own names are answered, and only our own pages may send.

    Args:
        app: what is guarded.
        hosts: names by which it may be asked for.
    """

    def __init__(self, app: App, hosts: Collection[str] = LOOPBACK) -> None:
        self.app, self.hosts = app, {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered by what is guarded."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        if _host(f"//{headers.get('host', '')}") not in self.hosts:
            await _refuse(send, 421, "This is not the host that you asked for.")
        elif scope["method"] not in ("GET", "HEAD") and not self._is_ours(headers):
            await _refuse(send, 403, "Only our own pages may send.")
        elif not headers.get("content-length", "0").isdigit() or "transfer-encoding" in headers:
            await _refuse(send, 411, "Say how long it is.")
        elif int(headers.get("content-length", "0")) > LONGEST_BODY:
            await _refuse(send, 413, "Too long.")
        else:
            await self.app(scope, receive, _with_headers(send))

    def _is_ours(self, headers: dict[str, str]) -> bool:
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        return "origin" not in headers or _host(headers["origin"]) == _host(f"//{headers['host']}")


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message["headers"] = [*message.get("headers", ()), *ours]
        await send(message)

    return sending


async def _refuse(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await _with_headers(send)({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
