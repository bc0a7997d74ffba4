"""An OpenAI-compatible server: its key, its connections, and the patience that it takes."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import random
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from polypinch.errors import PinchError
from polypinch.progress import say
from polypinch.server_replies import (
    Chat,
    Passing,
    Refused,
    Unwell,
    Useless,
    field_not_taken,
    loaded,
    read_chat,
    storable,
    unpacked,
    wait_asked,
)

if TYPE_CHECKING:
    from aiohttp import ClientSession

_LONGEST_WAIT = 30.0
_PASSING = frozenset({408, 409, 425, 429})
KEY_VARIABLE = "OPENAI_API_KEY"
ALLOWED_VARIABLES = "POLYPINCH_KEY_VARIABLES"
"""The environment variable in which a user names, comma by comma, which others may be sent as keys."""

_allowed: set[str] = {KEY_VARIABLE}
_said: set[str] = set()
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


def allow_key_variable(name: str) -> None:
    """Let an environment variable be sent as a key, in this process.

    Files of others (a judge's folder, a study) may name a variable, but only its owner may hand it out.
    """
    _allowed.add(name)


def allowed_variables() -> set[str]:
    """Return the environment variables that may be sent as keys."""
    return _allowed | {name.strip() for name in os.environ.get(ALLOWED_VARIABLES, "").split(",")} - {""}


def _key_of(variable: str) -> str:
    allowed = allowed_variables()
    if variable not in allowed:
        raise PinchError(
            f"the key would be read from ${variable}, which nobody here has allowed",
            fix=f"polypinch --api-key-env {variable} …, or {ALLOWED_VARIABLES}={variable} in the environment,"
            " if it is yours to send",
        )
    return os.environ.get(variable) or ""


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
        api_key_env: str = KEY_VARIABLE,
        patience: Patience = Patience(),
    ) -> None:
        """Name a server and a model; nothing is sent yet.

        Args:
            model: as the server names it.
            base_url: ending in ``/v1``; by default ``$OPENAI_BASE_URL``, or OpenAI itself.
            api_key_env: the environment variable that holds the key; any but the default needs
                :func:`allow_key_variable`, or a place in ``$POLYPINCH_KEY_VARIABLES``.
            patience: how long a call is tried.

        Raises:
            PinchError: OpenAI itself would be asked, and there is no key; the address holds a secret; or the
                variable is not allowed.
        """
        self.model, self.patience = model, patience
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL")
        self._key, self._variable = _key_of(api_key_env), api_key_env
        if self._base_url is not None:
            check_address(self._base_url)
            if self._key and not _is_private(self._base_url):
                _say_once(
                    f"${api_key_env} is not sent to {urlsplit(self._base_url).hostname}: over plain http it"
                    " could be read on the way; use https if that server needs a key"
                )
                self._key = ""
        elif not self._key:
            raise PinchError(
                f"no key: ${api_key_env} is not set",
                fix=f"export {api_key_env}=…, or name a server of your own with its base URL",
            )
        self._session: ClientSession | None = None
        self._address = ""
        self._untaken: set[str] = set()  # what this server has shown not to take
        self._has_answered = False

    @property
    def where(self) -> str:
        """The server, for messages."""
        return self._base_url or "api.openai.com"

    async def open(self) -> None:
        """Make the connection pool."""
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector  # noqa: PLC0415
        from openai import AsyncOpenAI  # noqa: PLC0415

        if self._key:
            _say_once(f"the key in ${self._variable} goes to {urlsplit(self.where).hostname or self.where}")
        client = AsyncOpenAI(api_key=self._key or "none", base_url=self._base_url)
        said = {**client.default_headers, **client.auth_headers}
        self._address = f"{str(client.base_url).rstrip('/')}/chat/completions"
        # Looked up once: left to the session, it takes as long as the rest of a call, at every call.
        parts = urlsplit(self._address)
        proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
        self._session = ClientSession(
            connector=TCPConnector(limit=0),
            headers={name: value for name, value in said.items() if isinstance(value, str)}
            | {"Accept-Encoding": "gzip, deflate"},
            timeout=ClientTimeout(total=None),  # each request has its own
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,  # the client would unpack without an end
            proxy=proxy,
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def served(self) -> list[str]:
        """Return the models that the server lists; none where it lists them nowhere.

        Raises:
            PinchError: nobody answers at its address.
        """
        from aiohttp import ClientConnectorError, ClientError  # noqa: PLC0415

        assert self._session is not None
        address = self._address.removesuffix("/chat/completions") + "/models"
        try:
            async with (
                asyncio.timeout(min(10.0, self.patience.timeout_s)),
                self._session.get(address, allow_redirects=False) as response,
            ):
                whole = loaded(await unpacked(response)) if response.status == 200 else {}
        except ClientConnectorError as error:
            raise PinchError(
                f"nobody answers at {self.where} ({type(error).__name__})",
                fix="start the server, or mend its address",
            ) from None
        except (Passing, Useless, ClientError, OSError, TimeoutError):
            return []
        listed = whole.get("data") if isinstance(whole, dict) else None
        ids = [one.get("id") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return [storable(name) for name in ids if isinstance(name, str)]

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
            optional: fields that are left out where the server refuses the request, whatever it says.

        A sampling parameter that the server says it does not take is left out, here and from then on, and
        said once. What it refuses is judged by what this request held, not by what others under way taught.

        Raises:
            CallFailed: no reply came; the next call may fare better.
            PinchError: none will.
        """
        deadline = time.monotonic() + self.patience.deadline_s
        optional, left_out = optional or {}, set(self._untaken)
        attempt = 0
        while True:
            attempt += 1
            limit = "max_completion_tokens" if "max_tokens" in left_out else "max_tokens"
            asked = {limit: max_tokens, **optional, **settings}
            body = {name: value for name, value in asked.items() if name not in left_out}
            try:
                reply = await self._once(
                    {"model": self.model, "messages": messages, **body}, attempt, deadline
                )
            except Refused as refused:
                untaken = field_not_taken(refused, body) or (optional.keys() & body.keys())
                if untaken:
                    left_out |= untaken
                    continue
                raise CallFailed(str(refused), attempt, unreachable=False) from None
            except Useless as useless:
                raise CallFailed(str(useless), attempt, unreachable=False) from None
            except Passing as passing:
                wait = self._wait(attempt, passing.retry_after)
                if attempt >= self.patience.attempts or time.monotonic() + wait >= deadline:
                    raise CallFailed(str(passing), attempt, unreachable=True) from None
                await asyncio.sleep(wait)
                continue
            self._learn(left_out, settings)
            self._has_answered = True
            return reply

    def _learn(self, left_out: set[str], settings: dict[str, Any]) -> None:
        for name in sorted((left_out - self._untaken) & settings.keys()):
            _say_once(
                f"{self.model} at {self.where} takes no {name} of {settings[name]}: it is asked without"
            )
        self._untaken |= left_out

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
                self._session.post(
                    self._address, data=json.dumps(body).encode(), allow_redirects=False
                ) as response,
            ):
                content = await unpacked(response)
        except TimeoutError:
            raise Passing(f"no reply within {left:.0f} s") from None
        except (ClientError, OSError) as error:
            raise Passing(f"the connection failed ({type(error).__name__})") from None
        if 300 <= response.status < 400:
            to = urlsplit(response.headers.get("location", "")).hostname or "another address"
            message = f"{self.where} sends us on to {to[:100]}"
            if self._has_answered:  # then its address is right, and something before it is ill
                raise Passing(storable(f"HTTP {response.status}: {message}, where nothing is sent"))
            raise PinchError(
                f"{message}: prompts and keys go nowhere but where you say",
                fix="name the address that answers itself",
            )
        if response.status >= 400:
            raise self._classified(response.status, dict(response.headers), loaded(content))
        seconds = time.monotonic() - started
        kind = response.headers.get("content-type", "")
        try:
            chat = read_chat(kind, content, seconds, attempt)
        except Unwell as unwell:  # an error, though the status is 200
            raise self._classified(unwell.status, dict(response.headers), unwell.body) from None
        return self._masked(chat)

    def _masked(self, chat: Chat) -> Chat:
        """Return a reply without our key: some servers, and some models, say it back."""
        if not self._key:
            return chat
        text = None if chat.text is None else chat.text.replace(self._key, "…")
        reason = None if chat.finish_reason is None else chat.finish_reason.replace(self._key, "…")
        return replace(chat, text=text, finish_reason=reason)

    def _classified(self, status: int, headers: dict[str, str], body: Any) -> Exception:
        """Return what an HTTP error means: pass and try again, refused for this prompt, or hopeless."""
        said = storable(self._said(body))
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
            return Passing(message, wait_asked(headers))
        inner = body.get("error") if isinstance(body, dict) else None
        param = inner.get("param") if isinstance(inner, dict) else None
        return Refused(message, param if isinstance(param, str) else None)

    def _said(self, body: Any) -> str:
        """Return a server's words, short and without anything like a key."""
        inner = body.get("error", body) if isinstance(body, dict) else body
        parts, most = [inner], 300
        if isinstance(inner, dict):
            parts, most = [inner.get(name) for name in ("code", "message", "detail")], 200
        try:
            text = " ".join(str(part)[:most] for part in parts if part)
        except RecursionError:  # lists in lists, which were parsed where the stack was lower
            text = ""
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


def check_address(address: str) -> None:
    """Refuse what is no address of a server, or holds more.

    Raises:
        PinchError: it does; what it holds is not said.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PinchError("the base URL is none", fix="write one like http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise PinchError(
            f"the base URL of {parts.hostname} holds more than an address",
            fix="keys come from the environment, never from an address",
        )


def _is_private(address: str) -> bool:
    """Tell whether what goes to an address can be read by nobody on the way."""
    parts = urlsplit(address)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _say_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        say(text)
