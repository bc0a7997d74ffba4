"""An OpenAI-compatible server: its key, its connections, and the patience that it takes."""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
import random
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from polypinch.errors import PinchError

if TYPE_CHECKING:
    from aiohttp import ClientSession

_LONGEST_WAIT = 30.0
_PASSING = frozenset({408, 409, 425, 429})
_KEY = re.compile(r"\b(?:sk|key|Bearer)[-_ ][\w*.-]{8,}")


class CallFailed(Exception):  # noqa: N818  (not the program's failure)
    """A call came to no reply; it is stored as a failure.

    Attributes:
        attempts: requests sent.
        unreachable: the server gave no answer of its own, or none but its own trouble.
    """

    def __init__(self, message: str, attempts: int, *, unreachable: bool) -> None:
        super().__init__(message)
        self.attempts, self.unreachable = attempts, unreachable


@dataclass(frozen=True)
class Patience:
    """How long one call is tried.

    Attributes:
        attempts: requests at most.
        timeout_s: of one request.
        deadline_s: of the call, with all its requests and waits.
        backoff_s: the first wait is up to this; each further one up to twice as long as the one before.
    """

    attempts: int = 8
    timeout_s: float = 120.0
    deadline_s: float = 600.0
    backoff_s: float = 0.5


@dataclass(frozen=True)
class Chat:
    """What a server sent back.

    Attributes:
        text: the message's text, or ``None`` where it holds none.
        finish_reason: ``stop``, ``length`` (cut off), a server's own word, or ``None``.
        prompt_tokens: as the server counts them, or ``None``.
        completion_tokens: the same.
        choice: all that it said of this reply.
        seconds: that the last request took.
        attempts: requests sent.
    """

    text: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    choice: dict[str, Any]
    seconds: float
    attempts: int


class Endpoint:
    """A model behind an OpenAI-compatible server (chat completions).

    The openai SDK says where to ask and with which headers; the HTTP client that it comes with asks. What
    lies between them costs as much as all else in a call, and does what is done here: retries, types, errors.
    Waits are exponential with full jitter (Brooker 2015, "Exponential Backoff And Jitter", AWS Architecture
    Blog), and never shorter than what ``Retry-After`` asks for.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        api_key_env: str = "OPENAI_API_KEY",
        patience: Patience = Patience(),
    ) -> None:
        """Name a server and a model; nothing is sent yet.

        Args:
            model: as the server names it.
            base_url: ending in ``/v1``; by default ``$OPENAI_BASE_URL``, or OpenAI itself.
            api_key_env: the environment variable that holds the key.
            patience: how long a call is tried.

        Raises:
            PinchError: OpenAI itself would be asked, and there is no key; or the address holds a secret.
        """
        self.model, self.patience = model, patience
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL")
        self._key = os.environ.get(api_key_env) or ""
        if self._base_url is not None:
            _check_address(self._base_url)
        elif not self._key:
            raise PinchError(
                f"no key: ${api_key_env} is not set",
                fix=f"export {api_key_env}=…, or name a server of your own with its base URL",
            )
        self._session: ClientSession | None = None
        self._address = ""
        self._untaken: set[str] = set()  # what this server has shown not to take

    @property
    def where(self) -> str:
        """The server, for messages."""
        return self._base_url or "api.openai.com"

    async def open(self) -> None:
        """Make the connection pool."""
        from aiohttp import ClientSession, ClientTimeout, TCPConnector  # noqa: PLC0415
        from openai import AsyncOpenAI  # noqa: PLC0415

        client = AsyncOpenAI(api_key=self._key or "none", base_url=self._base_url)
        said = {**client.default_headers, **client.auth_headers}
        self._address = f"{str(client.base_url).rstrip('/')}/chat/completions"
        # Looked up once: left to the session, it takes as long as the rest of a call, at every call.
        parts = urlsplit(self._address)
        proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
        self._session = ClientSession(
            connector=TCPConnector(limit=0),
            headers={name: value for name, value in said.items() if isinstance(value, str)},
            timeout=ClientTimeout(total=None),  # each request has its own
            proxy=proxy,
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def chat(
        self,
        messages: Sequence[dict[str, str]],
        max_tokens: int,
        settings: dict[str, Any],
        optional: dict[str, Any] | None = None,
    ) -> Chat:
        """Ask once, trying again where that can help.

        Args:
            messages: with ``role`` and ``content``.
            max_tokens: of the reply.
            settings: further fields of the request.
            optional: fields that are left out where the server refuses them.

        Raises:
            CallFailed: no reply came; the next call may fare better.
            PinchError: none will.
        """
        deadline = time.monotonic() + self.patience.deadline_s
        more = {name: value for name, value in (optional or {}).items() if name not in self._untaken}
        attempt = 0
        while True:
            attempt += 1
            limit = "max_completion_tokens" if "max_tokens" in self._untaken else "max_tokens"
            body = {"model": self.model, "messages": messages, limit: max_tokens, **more, **settings}
            try:
                reply = await self._once(body, attempt, deadline)
            except _Refused as refused:
                if more:  # some servers know no schema, or no seed: once without
                    more = {}
                    continue
                raise CallFailed(str(refused), attempt, unreachable=False) from None
            except _Passing as passing:
                wait = self._wait(attempt, passing.retry_after)
                if attempt >= self.patience.attempts or time.monotonic() + wait >= deadline:
                    raise CallFailed(str(passing), attempt, unreachable=True) from None
                await asyncio.sleep(wait)
                continue
            self._untaken.update(set(optional or {}) - set(more))
            return reply

    def _wait(self, attempt: int, retry_after: float | None) -> float:
        most = min(_LONGEST_WAIT, self.patience.backoff_s * 2 ** (attempt - 1))
        # On top of what the server asks for: it asks all at the same moment.
        return (retry_after or 0.0) + random.uniform(0, most)

    async def _once(self, body: dict[str, Any], attempt: int, deadline: float) -> Chat:
        from aiohttp import ClientError  # noqa: PLC0415

        assert self._session is not None
        started = time.monotonic()
        left = max(0.001, min(self.patience.timeout_s, deadline - started))
        try:
            async with (
                asyncio.timeout(left),
                self._session.post(self._address, data=json.dumps(body).encode()) as response,
            ):
                content = await response.read()
        except TimeoutError:
            raise _Passing(f"no reply within {left:.0f} s") from None
        except (ClientError, OSError) as error:
            raise _Passing(f"the connection failed ({type(error).__name__})") from None
        if response.status >= 400:
            raise self._classified(response.status, dict(response.headers), _loaded(content))
        seconds = time.monotonic() - started
        return _read(response.headers.get("content-type", ""), content, seconds, attempt)

    def _classified(self, status: int, headers: dict[str, str], body: Any) -> Exception:
        """Return what an HTTP error means: pass and try again, refused for this prompt, or hopeless."""
        said = self._said(body)
        message = f"HTTP {status}{': ' if said else ''}{said}"
        if status in (401, 403):
            return PinchError(f"{self.where} refuses the key: {message}", fix="set the right key for it")
        if status == 404:
            return PinchError(
                f"{self.where} does not know {self.model!r}, or no chat completions: {message}",
                fix="name a model that it serves, and a base URL that ends in /v1",
            )
        if "insufficient_quota" in said:
            return PinchError(f"{self.where}: the account is empty: {message}", fix="fill it, and run again")
        if status in _PASSING or status >= 500:
            return _Passing(message, _retry_after(headers))
        if "max_completion_tokens" in said and "max_tokens" not in self._untaken:
            self._untaken.add("max_tokens")
            return _Passing(message)
        return _Refused(message)

    def _said(self, body: Any) -> str:
        """Return a server's words, short and without anything like a key."""
        inner = body.get("error", body) if isinstance(body, dict) else body
        if isinstance(inner, dict):
            parts = [inner.get(name) for name in ("code", "message", "detail")]
            inner = " ".join(str(part) for part in parts if part)
        text = "" if inner is None else str(inner)
        if self._key:
            text = text.replace(self._key, "…")
        return _KEY.sub("…", " ".join(text.split()))[:300]


async def work_all(work: Callable[[], Coroutine[Any, Any, None]], concurrency: int) -> None:
    """Run so many of one coroutine at a time; where one fails, the others are cancelled and waited for."""
    workers = [asyncio.ensure_future(work()) for _ in range(concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def _loaded(content: bytes) -> Any:
    """Return an error's body: what its JSON holds, or its text."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode(errors="replace")


def _read(kind: str, content: bytes, seconds: float, attempts: int) -> Chat:
    if "json" not in kind:
        raise _Passing(f"the reply is {kind.partition(';')[0] or 'of no type'}, not JSON")
    try:
        whole = json.loads(content)
        choice = whole["choices"][0]
        text = choice["message"].get("content")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise _Passing("the reply is not a whole chat completion") from None
    usage = whole.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Chat(
        text=text if isinstance(text, str) else None,
        finish_reason=choice.get("finish_reason"),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        choice=choice,
        seconds=seconds,
        attempts=attempts,
    )


class _Passing(Exception):  # noqa: N818
    """Trouble that a later attempt may not meet."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class _Refused(Exception):  # noqa: N818
    """The server does not take this request."""


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PinchError("the base URL is none", fix="write one like http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise PinchError(
            f"the base URL of {parts.hostname} holds more than an address",
            fix="keys come from the environment, never from an address",
        )


def _retry_after(headers: dict[str, str]) -> float | None:
    """Return the seconds to wait by ``retry-after-ms``, or by ``Retry-After`` in seconds or as a date."""
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        if "retry-after-ms" in lower:
            return max(0.0, float(lower["retry-after-ms"]) / 1000)
        return max(0.0, float(lower["retry-after"]))
    except KeyError:
        return None
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(lower["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError, TypeError):
        return None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
