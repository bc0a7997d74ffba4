"""A model in this process as a judge: it writes a reply, or one prefill gives a verdict's probabilities."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import torch
from transformers import GenerationConfig

from polypinch.answer import Sampling, TransformersEngine
from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.judge.folder import Judge
from polypinch.judge.replies import Reply
from polypinch.models import Precision, choose_dtype, find_model, load_model

_BATCH_TOKENS = 16_384


class LocalBackend:
    """A causal language model in this process; prompts that wait at the same time are asked in one batch."""

    def __init__(self, model: str, *, precision: Precision = "auto", batch_rows: int = 16) -> None:
        """Find a model; its weights are loaded by the first call.

        Args:
            model: built-in name, folder or Hub id.
            precision: of the weights.
            batch_rows: prompts in one batch, at most.

        Raises:
            PinchError: there is no such model.
        """
        found = find_model(model)
        self.model = model
        self.revision: str | None = found.fingerprint
        self._found, self._precision, self._batch_rows = found, precision, batch_rows
        self._chat = ChatFormat.load(found)
        self.special = self._chat.special
        self._loaded: Any = None
        self._engine: TransformersEngine | None = None
        self._waiting: asyncio.Queue[tuple[list[int], Judge, asyncio.Future[Reply]]] | None = None
        self._server: asyncio.Task[None] | None = None

    def count(self, text: str) -> int | None:
        """Return a prompt's tokens, those of the chat format included."""
        return len(self._encode(text))

    def _encode(self, text: str) -> list[int]:
        return self._chat.encode_prompt([{"role": "user", "content": text}])

    async def open(self) -> None:
        """Load the weights."""
        if self._loaded is None:
            self._loaded = load_model(self._found, choose_dtype(self._precision)).eval()
            self._engine = TransformersEngine(self._loaded, self._chat)
            # A prefill hands the head a strided slice, for which torch copies the whole weight, row by row,
            # on a CPU.
            head = self._loaded.get_output_embeddings()
            head.register_forward_pre_hook(lambda _, inputs: (inputs[0].contiguous(),))
        self._waiting = asyncio.Queue()
        self._server = asyncio.ensure_future(self._serve(self._waiting))

    async def close(self) -> None:
        """Stop taking prompts; the weights stay for the next pairs."""
        if self._server is not None:
            self._server.cancel()
            await asyncio.gather(self._server, return_exceptions=True)

    async def ask(self, prompt: str, judge: Judge) -> Reply:
        """Ask; see :class:`~polypinch.judge.backends.Backend`."""
        assert self._waiting is not None
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        await self._waiting.put((self._encode(prompt), judge, future))
        return await future

    async def _serve(self, waiting: asyncio.Queue[tuple[list[int], Judge, asyncio.Future[Reply]]]) -> None:
        while True:
            batch = [await waiting.get()]
            while len(batch) < self._batch_rows and not waiting.empty():
                batch.append(waiting.get_nowait())
            # One judge at a time is asked: the calls of a run share it.
            judge = batch[0][1]
            try:
                replies = await asyncio.to_thread(self._replies, [ids for ids, _, _ in batch], judge)
            except Exception as error:
                for _, _, future in batch:
                    if not future.done():
                        future.set_exception(_explained(error, self.model))
                continue
            for (_, _, future), reply in zip(batch, replies, strict=True):
                if not future.done():
                    future.set_result(reply)

    def _replies(self, prompts: list[list[int]], judge: Judge) -> list[Reply]:
        started = time.monotonic()
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        replies: dict[int, Reply] = {}
        for group in _groups(order, prompts, judge.settings.max_tokens):
            some = [prompts[index] for index in group]
            made = self._likely(some, judge) if judge.kind.reads_probabilities else self._drawn(some, judge)
            replies |= dict(zip(group, made, strict=True))
        each = (time.monotonic() - started) / len(prompts)
        return [replace(replies[index], seconds=each) for index in range(len(prompts))]

    def _drawn(self, prompts: list[list[int]], judge: Judge) -> list[Reply]:
        assert self._engine is not None
        settings = judge.settings
        sampling = Sampling(max_new_tokens=settings.max_tokens, temperature=settings.temperature or 0.0)
        return [
            Reply(one.text, one.finish_reason, one.prompt_tokens, one.completion_tokens)
            for one in self._engine.complete(prompts, sampling, 0)
        ]

    @torch.inference_mode()
    def _likely(self, prompts: list[list[int]], judge: Judge) -> list[Reply]:
        """Read the labels' log-probabilities from one prefill; spellings with a leading space count, too."""
        longest = max(len(prompt) for prompt in prompts)
        ids = torch.full((len(prompts), longest), self._chat.pad_id)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask[row, longest - len(prompt) :] = 1
        found = self._loaded.generate(
            input_ids=ids.to(self._loaded.device),
            attention_mask=mask.to(self._loaded.device),
            generation_config=GenerationConfig(
                max_new_tokens=1,
                do_sample=False,
                output_logits=True,
                return_dict_in_generate=True,
                pad_token_id=self._chat.pad_id,
            ),
        )
        logs = found.logits[0].float().log_softmax(-1).cpu()
        labels = self._label_ids(judge)
        best = logs.argmax(-1).tolist()
        return [
            Reply(
                text=self._chat.tokenizer.decode([best[row]]),
                finish_reason="length",
                prompt_tokens=len(prompt),
                completion_tokens=1,
                likely=tuple((label, float(logs[row, token])) for label, token in labels),
            )
            for row, prompt in enumerate(prompts)
        ]

    def _label_ids(self, judge: Judge) -> list[tuple[str, int]]:
        found: dict[int, str] = {}
        for label in judge.settings.labels.model_dump().values():
            own = 0
            for spelling in (label, f" {label}"):
                ids = self._chat.tokenizer.encode(spelling, add_special_tokens=False)
                if len(ids) == 1 and ids[0] not in found:
                    found[ids[0]] = label
                    own += 1
            if not own:
                raise PinchError(
                    f"{label!r} is not one token of {self.model}",
                    fix="set other labels in the judge's settings, or choose the judge pairwise",
                )
        return [(label, token) for token, label in found.items()]


def _groups(order: list[int], prompts: list[list[int]], drawn: int) -> list[list[int]]:
    """Divide prompts, from short to long, into batches under the token budget."""
    groups: list[list[int]] = []
    for index in order:
        wide = len(prompts[index]) + drawn
        if not groups or wide * (len(groups[-1]) + 1) > _BATCH_TOKENS:
            groups.append([])
        groups[-1].append(index)
    return groups


def _explained(error: Exception, model: str) -> Exception:
    if "out of memory" in str(error).lower():
        return PinchError(
            f"{model} does not fit in memory with these prompts", fix="judge fewer at a time: --concurrency 1"
        )
    return error
