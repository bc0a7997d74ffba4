"""Who is asked: any OpenAI-compatible server. For a model in this process see ``local``."""

from __future__ import annotations

from typing import Protocol

from polypinch.errors import PinchError
from polypinch.judge.folder import Judge
from polypinch.judge.replies import Reply
from polypinch.openai_server import Endpoint, Patience
from polypinch.server_replies import first_tokens

_LIKELY = 20  # the most candidates that servers name for a token


class Backend(Protocol):
    """Anything that answers a judge's prompts.

    Attributes:
        model: its name, as prices and the record know it.
        revision: what tells its weights from others of that name, or ``None``.
        special: control tokens of its chat format, where they are known; broken up in what it is shown.
    """

    model: str
    revision: str | None
    special: tuple[str, ...]

    async def open(self) -> None:
        """Get ready, within the running event loop."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...

    async def ask(self, prompt: str, judge: Judge) -> Reply:
        """Ask once, trying again where that can help.

        Raises:
            CallFailed: no reply came; the next prompt may fare better.
            PinchError: none will.
        """
        ...

    def count(self, text: str) -> int | None:
        """Return a prompt's tokens, or ``None`` where nobody here can tell."""
        ...


class HttpBackend:
    """A model behind an OpenAI-compatible server; see :class:`~polypinch.openai_server.Endpoint`."""

    special: tuple[str, ...] = ()

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        revision: str | None = None,
        api_key_env: str = "OPENAI_API_KEY",
        patience: Patience = Patience(),
    ) -> None:
        """Name a server and a model; nothing is sent yet.

        Args:
            model: as the server names it.
            base_url: ending in ``/v1``; by default ``$OPENAI_BASE_URL``, or OpenAI itself.
            revision: of the model, where the user knows it.
            api_key_env: the environment variable that holds the key.
            patience: how long a call is tried.

        Raises:
            PinchError: OpenAI itself would be asked, and there is no key; or the address holds a secret.
        """
        self.model, self.revision = model, revision
        self._endpoint = Endpoint(model, base_url, api_key_env=api_key_env, patience=patience)

    def count(self, text: str) -> int | None:
        """Return ``None``: only the server has the tokenizer."""
        return None

    async def open(self) -> None:
        """Make the connection pool."""
        await self._endpoint.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()

    async def ask(self, prompt: str, judge: Judge) -> Reply:
        """Ask, with retries; see :class:`Backend`."""
        settings, optional = dict(judge.settings.extra), {}
        if judge.settings.temperature is not None:
            settings.setdefault("temperature", judge.settings.temperature)
        if judge.kind.reads_probabilities:
            settings = {"logprobs": True, "top_logprobs": _LIKELY, **settings}
        if judge.schema is not None:
            schema = {"name": "verdict", "strict": True, "schema": judge.schema}
            optional["response_format"] = {"type": "json_schema", "json_schema": schema}
        messages = [{"role": "user", "content": prompt}]
        chat = await self._endpoint.chat(messages, judge.settings.max_tokens, settings, optional)
        likely: tuple[tuple[str, float], ...] = ()
        if judge.kind.reads_probabilities:
            likely = first_tokens(chat.choice)
            if not likely:
                raise PinchError(
                    f"{self._endpoint.where} sends no log-probabilities, which the judge {judge.name} reads",
                    fix="serve the model with vLLM, or ask it in this process (--local); `transformers serve`"
                    " takes the request and leaves them out; or choose the judge pairwise",
                )
        return Reply(
            text=chat.text or "",
            finish_reason=chat.finish_reason,
            prompt_tokens=chat.prompt_tokens,
            completion_tokens=chat.completion_tokens,
            likely=likely,
            seconds=chat.seconds,
            attempts=chat.attempts,
        )


def choose_backend(
    judge: Judge,
    *,
    model: str | None = None,
    base_url: str | None = None,
    local: str | None = None,
    revision: str | None = None,
) -> Backend:
    """Return whom to ask: a model in this process (``local``), or one behind a server.

    Raises:
        PinchError: none is named, or two are; the model is not there; a key is missing.
    """
    if local is not None:
        if model is not None or base_url is not None:
            raise PinchError("a model in this process and one behind a server", fix="name one of the two")
        from polypinch.judge.local import LocalBackend  # noqa: PLC0415  (torch)

        return LocalBackend(local)
    named = model or judge.settings.model
    if named is None:
        raise PinchError(
            f"the judge {judge.name} needs a model to ask",
            fix="name one behind a server (--model, --base-url), or one for this process (--local)",
        )
    return HttpBackend(named, base_url, revision=revision, api_key_env=judge.settings.api_key_env)
