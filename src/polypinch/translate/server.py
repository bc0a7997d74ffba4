"""Translations by a language model behind an OpenAI-compatible server, instruction and response together."""

from __future__ import annotations

from collections.abc import Sequence

from polypinch.judge import Price
from polypinch.openai_server import CallFailed, Endpoint, Patience
from polypinch.translate.prompting import Glossary, TranslationPrompt, read_turns
from polypinch.translate.tries import Try
from polypinch.translate.wanted import Wanted

_BYTES_PER_TOKEN = 4


class ServerTranslator:
    """A model that is asked row by row.

    Attributes:
        name: the model and the prompt, as the rows' record names them.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None,
        prompt: TranslationPrompt,
        source: str,
        *,
        glossary: Glossary | None = None,
        price: Price | None = None,
        patience: Patience = Patience(),
    ) -> None:
        """Name a server and a model; nothing is sent yet.

        Args:
            model: as the server names it.
            base_url: ending in ``/v1``; by default ``$OPENAI_BASE_URL``, or OpenAI itself.
            prompt: how to ask.
            source: the language of what is translated.
            glossary: by language, terms and what they are in it.
            price: in dollars, for the record.
            patience: how long a call is tried.

        Raises:
            PinchError: as :class:`~polypinch.openai_server.Endpoint`.
        """
        self.name = f"{model}, prompt {prompt.name} {prompt.version[:12]}"
        self.prompt, self.source, self.price = prompt, source, price
        self._glossary = dict(glossary or {})
        self._endpoint = Endpoint(model, base_url, patience=patience)

    async def open(self) -> None:
        """Make the connection pool."""
        await self._endpoint.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()

    def most(self, row: Wanted) -> float:
        """Return the dollars that one try may cost, 0 where no price is known."""
        if self.price is None:
            return 0.0
        return self.price.of(self.prompt_tokens(row), self.prompt.most_tokens(row.messages))

    def prompt_tokens(self, row: Wanted) -> int:
        """Return about how many tokens a row's prompt takes."""
        return len(self._shown(row, ()).encode()) // _BYTES_PER_TOKEN

    def _shown(self, row: Wanted, doubts: Sequence[str]) -> str:
        terms = self._glossary.get(row.language, {})
        return self.prompt.render(row.messages, self.source, row.language, terms, doubts)

    async def translate(self, row: Wanted, doubts: Sequence[str] = ()) -> Try:
        """Ask once; a call that came to nothing is a try with an error.

        Raises:
            PinchError: no call can succeed.
        """
        settings = (
            {}
            if self.prompt.settings.temperature is None
            else {"temperature": self.prompt.settings.temperature}
        )
        schema = {"name": "translation", "strict": True, "schema": self.prompt.schema}
        optional = {"response_format": {"type": "json_schema", "json_schema": schema}}
        shown = [{"role": "user", "content": self._shown(row, doubts)}]
        try:
            chat = await self._endpoint.chat(shown, self.prompt.most_tokens(row.messages), settings, optional)
        except CallFailed as failed:
            if failed.unreachable:
                raise
            return Try(row.item_id, row.language, (), error=str(failed), translator=self.name)
        turns: tuple[str, ...] = ()
        error = None
        if chat.finish_reason == "length":
            error = "the reply was cut off"
        else:
            try:
                turns = tuple(read_turns(chat.text or ""))
            except (ValueError, RecursionError):
                error = "the reply is no translation"
        cost = None
        if self.price is not None:
            cost = self.price.of(chat.prompt_tokens or 0, chat.completion_tokens or 0)
        return Try(
            row.item_id,
            row.language,
            turns,
            error=error,
            translator=self.name,
            prompt_tokens=chat.prompt_tokens,
            completion_tokens=chat.completion_tokens,
            cost=cost,
        )
