"""What an OpenAI-compatible server sent back: read, or told apart by what a further attempt may better."""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import ClientResponse

_MOST_BYTES = 8 * 2**20
"""Of one reply, unpacked: a hundred times what the longest answer takes."""

_MOST_TOKENS = 2**31 - 1
_LONGEST_REASON = 100
_ENDED = frozenset({"", "stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed"})
_CUT = frozenset({"length", "max_tokens", "model_length", "token_limit"})
# What a server says of a field of the request that it does not take.
_NOT_TAKEN = re.compile(
    r"support|permitted|allowed|unknown|unrecogni[sz]ed|unexpected|extra|cannot both|only one|default", re.I
)
_SAMPLING = ("top_p", "temperature", "seed", "response_format")


@dataclass(frozen=True)
class Chat:
    """What a server sent back.

    Attributes:
        text: the message's text, or ``None`` where it holds none.
        finish_reason: ``stop``, ``length`` (cut off), whatever the server calls them; else its own word, or
            ``None``.
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


class Passing(Exception):  # noqa: N818
    """Trouble that a later attempt may not meet."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Useless(Exception):  # noqa: N818
    """A reply that no further attempt would better."""


class Refused(Exception):  # noqa: N818
    """The server does not take this request.

    Attributes:
        param: the field that it names as the cause, or ``None``.
    """

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class Unwell(Exception):  # noqa: N818
    """An error within a reply of status 200.

    Attributes:
        status: the HTTP status that it would have had; 500, which may pass, where it says none.
        body: it.
    """

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__()
        self.body = body
        error = body["error"]
        code = error.get("code", error.get("status")) if isinstance(error, dict) else None
        if isinstance(code, str) and code.isdecimal() and len(code) == 3:
            code = int(code)
        self.status = code if type(code) is int and 400 <= code < 600 else 500


async def unpacked(response: ClientResponse) -> bytes:
    """Return a reply's bytes, unpacked as they come, so that none is larger than we hold.

    Raises:
        Useless: it is larger, or packed in a way that was not asked for.
    """
    packed = response.headers.get("content-encoding", "identity").lower()
    if packed not in ("identity", "", "gzip", "deflate"):
        raise Useless(f"the reply is packed as {packed[:40]}, which was not asked for")
    unpacker = None if packed in ("identity", "") else zlib.decompressobj(zlib.MAX_WBITS | 32)
    whole = bytearray()
    async for chunk in response.content.iter_any():
        try:
            whole += chunk if unpacker is None else unpacker.decompress(chunk, _MOST_BYTES + 1 - len(whole))
        except zlib.error:
            raise Passing(f"the reply is not {packed}, as it says") from None
        if len(whole) > _MOST_BYTES:
            raise Useless(f"the reply is larger than {_MOST_BYTES >> 20} MiB")
    return bytes(whole)


def loaded(content: bytes) -> Any:
    """Return an error's body: what its JSON holds, or its text."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode(errors="replace")


def read_chat(kind: str, content: bytes, seconds: float, attempts: int) -> Chat:
    """Read a chat completion, whatever its content type says.

    Raises:
        Passing: it is none.
        Unwell: it is an error.
    """
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        if "json" in kind:
            raise Passing("the reply is not a whole chat completion") from None
        raise Passing(f"the reply is {kind.partition(';')[0][:100] or 'of no type'}, not JSON") from None
    if isinstance(whole, dict) and whole.get("error") and not whole.get("choices"):
        raise Unwell(whole)
    try:
        choice = whole["choices"][0]
        message = choice["message"]
        text = _text(message.get("content"))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise Passing("the reply is not a whole chat completion") from None
    if text is None and choice.get("error"):
        raise Unwell(choice)
    usage = whole.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    reason = ending(choice.get("finish_reason"))
    return Chat(
        text=None if text is None else storable(text),
        finish_reason="refusal" if text is None and message.get("refusal") else reason,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        choice=choice,
        seconds=seconds,
        attempts=attempts,
    )


def _text(content: Any) -> str | None:
    """Return a message's text; of one in parts, those that are text, and not thoughts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    parts = [
        part["text"]
        for part in content
        if isinstance(part, dict)
        and part.get("type", "text") in ("text", "output_text")
        and isinstance(part.get("text"), str)
    ]
    return "".join(parts) if parts else None


def first_tokens(choice: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    """Return the tokens that could have stood first with their log-probabilities (base e), if any came."""
    try:
        first = choice["logprobs"]["content"][0]["top_logprobs"]
        return tuple((str(one["token"]), float(one["logprob"])) for one in first)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError):
        return ()


def field_not_taken(refused: Refused, body: dict[str, Any]) -> set[str]:
    """Return which field of a request its refusal names, or an empty set."""
    said = str(refused)
    if "max_tokens" in body and (
        "max_completion_tokens" in said
        or (
            re.search(r"\bmax_tokens\b", said)
            and re.search(r"permitted|unsupported|unknown|extra", said, re.I)
        )
    ):
        return {"max_tokens"}
    if refused.param in body and refused.param in _SAMPLING:
        return {refused.param}
    if not _NOT_TAKEN.search(said):
        return set()
    named = [name for name in _SAMPLING if name in body and re.search(rf"\b{name}\b", said)]
    return set(named[:1])  # of two that exclude each other, one


def wait_asked(headers: dict[str, str]) -> float | None:
    """Return the seconds to wait by ``retry-after-ms``, or by ``Retry-After`` in seconds or as a date."""
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        asked = (
            float(lower["retry-after-ms"]) / 1000
            if "retry-after-ms" in lower
            else float(lower["retry-after"])
        )
        return max(0.0, asked) if math.isfinite(asked) else None
    except KeyError:
        return None
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(lower["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError, TypeError):
        return None


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return value if is_count else None


def storable(text: str) -> str:
    """Return text with U+FFFD for each lone surrogate (half of a cut emoji): no file holds those."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def ending(value: Any) -> str | None:
    """Return how a reply ended, in one spelling for all servers' own: ``stop``, ``length``, or their word."""
    if not isinstance(value, str):
        return None
    known = value.strip().casefold()
    if known in _ENDED:
        return "stop"
    return "length" if known in _CUT else storable(value)[:_LONGEST_REASON]
