"""Answers from a model behind any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from polypinch.answer.sampling import Sampling
from polypinch.errors import PinchError
from polypinch.openai_server import CallFailed, Endpoint, Patience, work_all
from polypinch.pool import Messages


class Question(NamedTuple):
    """One answer wanted: what it is called in messages, the conversation, and a seed of its own."""

    name: str
    messages: Messages
    seed: int


class Reply(NamedTuple):
    """One answer.

    Attributes:
        text: it.
        finish_reason: ``stop`` or ``length``.
        prompt_tokens: as the server counts them, its chat template included, or ``None``.
        completion_tokens: the same.
    """

    text: str
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None


class HttpEngine:
    """Answers by a server's chat completions; chat template and precision are the server's.

    Attributes:
        name: ``http``.
        model: as the server names it.
        where: the server.
        concurrency: answers under way at a time.
    """

    name = "http"

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        concurrency: int = 16,
        patience: Patience = Patience(),
    ) -> None:
        """Name a server and a model; nothing is sent yet.

        Args:
            model: as the server names it.
            base_url: ending in ``/v1``; by default ``$OPENAI_BASE_URL``, or OpenAI itself.
            concurrency: answers under way at a time.
            patience: how long one answer is tried.

        Raises:
            PinchError: OpenAI itself would be asked, and there is no key; or the address holds a secret.
        """
        self._endpoint = Endpoint(model, base_url, patience=patience)
        self.model, self.where, self.concurrency = model, self._endpoint.where, concurrency

    def converse(
        self, questions: Sequence[Question], sampling: Sampling, answered: Callable[[int, Reply], None]
    ) -> None:
        """Ask each question once, several at a time.

        Args:
            questions: n of them.
            sampling: the settings; batches and precision are the server's own affair.
            answered: is called with a question's place and its answer, as they come.

        Raises:
            PinchError: a question got no answer in all its attempts. Those before were handed over.
        """
        asyncio.run(self._all(questions, sampling, answered))

    async def _all(
        self, questions: Sequence[Question], sampling: Sampling, answered: Callable[[int, Reply], None]
    ) -> None:
        await self._endpoint.open()
        left = iter(enumerate(questions))
        try:
            await work_all(lambda: self._work(left, sampling, answered), self.concurrency)
        finally:
            await self._endpoint.close()

    async def _work(
        self,
        left: Iterator[tuple[int, Question]],
        sampling: Sampling,
        answered: Callable[[int, Reply], None],
    ) -> None:
        for place, question in left:
            answered(place, await self._ask(question, sampling))

    async def _ask(self, question: Question, sampling: Sampling) -> Reply:
        settings = {"temperature": sampling.temperature, "top_p": sampling.top_p}
        messages = [{"role": one["role"], "content": one["content"]} for one in question.messages]
        optional = {"seed": question.seed} if sampling.temperature else {}
        again = "see to the server, then run the same command: what was answered is kept"
        try:
            chat = await self._endpoint.chat(messages, sampling.max_new_tokens, settings, optional)
        except CallFailed as failed:
            raise PinchError(
                f"{self.model} at {self.where} gave no answer to {question.name}"
                f" in {failed.attempts} attempts: {failed}",
                fix=again,
            ) from None
        reason = chat.finish_reason or "stop"
        if chat.text is None or reason not in ("stop", "length"):
            raise PinchError(
                f"{self.model} at {self.where} withheld its answer to {question.name}: {reason}",
                fix=f"leave that item out, or {again}",
            )
        return Reply(chat.text.strip(), reason, chat.prompt_tokens, chat.completion_tokens)
