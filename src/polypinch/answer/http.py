"""Answers from a model behind any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from polypinch.answer.sampling import Sampling
from polypinch.conversation import Messages
from polypinch.errors import PinchError
from polypinch.openai_server import CallFailed, Endpoint, Patience, work_all


class Question(NamedTuple):
    """One answer wanted: what it is called in messages, the conversation, and a seed of its own."""

    name: str
    messages: Messages
    seed: int


class Reply(NamedTuple):
    """One answer, or a server's refusal of it.

    Attributes:
        text: it; ``None`` where the server withheld it.
        finish_reason: ``stop`` or ``length``; where it was withheld, the server's word or words for that.
        prompt_tokens: as the server counts them, its chat template included, or ``None``.
        completion_tokens: the same.
    """

    text: str | None
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

        A question that the server refuses is that question's failure, and is handed over as one. One that
        gets nothing in all its attempts is left for another run, and the others are still asked.

        Raises:
            PinchError: some questions got nothing, or the server cannot be reached. What was answered was
                handed over.
        """
        asyncio.run(self._all(questions, sampling, answered))

    async def _all(
        self, questions: Sequence[Question], sampling: Sampling, answered: Callable[[int, Reply], None]
    ) -> None:
        await self._endpoint.open()
        left = iter(enumerate(questions))
        missed = _Missed()
        try:
            await work_all(lambda: self._work(left, sampling, answered, missed), self.concurrency)
        finally:
            await self._endpoint.close()
        if missed.questions:
            raise self._without(missed, len(questions))

    def _without(self, missed: _Missed, of: int) -> PinchError:
        attempts = missed.last.attempts if missed.last else 0
        return PinchError(
            f"{self.model} at {self.where} gave no answer to {len(missed.questions):,} of {of:,} prompts;"
            f" to the last, {missed.questions[-1]}, in {attempts} attempts: {missed.last}",
            fix="see to the server, then run the same command: what was answered is kept",
        )

    async def _work(
        self,
        left: Iterator[tuple[int, Question]],
        sampling: Sampling,
        answered: Callable[[int, Reply], None],
        missed: _Missed,
    ) -> None:
        for place, question in left:
            try:
                answered(place, await self._ask(question, sampling))
                missed.in_a_row = 0
            except CallFailed as failed:
                missed.questions.append(question.name)
                missed.last = failed
                missed.in_a_row += 1
                if missed.in_a_row >= max(3, self.concurrency):
                    raise self._without(missed, len(missed.questions)) from None

    async def _ask(self, question: Question, sampling: Sampling) -> Reply:
        settings = {"temperature": sampling.temperature}
        if sampling.top_p < 1:  # some take one of the two alone
            settings["top_p"] = sampling.top_p
        messages = [{"role": one["role"], "content": one["content"]} for one in question.messages]
        optional = {"seed": question.seed} if sampling.temperature else {}
        try:
            chat = await self._endpoint.chat(messages, sampling.max_new_tokens, settings, optional)
        except CallFailed as failed:
            if failed.unreachable:
                raise
            return Reply(None, str(failed), None, None)
        reason = chat.finish_reason or "stop"
        withheld = chat.text is None or reason not in ("stop", "length")
        text = None if withheld or chat.text is None else chat.text.strip()
        return Reply(text, reason, chat.prompt_tokens, chat.completion_tokens)


@dataclass
class _Missed:
    """Questions that got nothing in all their attempts."""

    questions: list[str] = field(default_factory=list)
    last: CallFailed | None = None
    in_a_row: int = 0
