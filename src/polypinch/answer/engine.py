"""Engines turn prompts into answers; this one runs transformers' models in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from transformers import GenerationConfig

from polypinch.answer.decode import decodable, decode
from polypinch.answer.sampling import Sampling
from polypinch.chat import ChatFormat


@dataclass(frozen=True)
class Completion:
    """What an engine gives back for one prompt.

    Attributes:
        text: the answer, without a thought before it and without its end-of-turn token.
        finish_reason: ``stop`` (it ended its turn) or ``length`` (it was cut off).
        prompt_tokens: tokens of the prompt.
        completion_tokens: tokens drawn, an end-of-turn token and a thought's included.
        thought: what the model thought aloud before it answered; empty where it did not.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    thought: str = ""


class Engine(Protocol):
    """Anything that answers a batch of prompts."""

    name: str

    def complete(self, prompts: Sequence[list[int]], sampling: Sampling, seed: int) -> list[Completion]:
        """Answer n tokenised prompts; ``seed`` is this batch's own."""
        ...


class TransformersEngine:
    """Answers with a model in this process: in a loop of our own, or by generate() where that knows more."""

    name = "transformers"

    def __init__(self, model: Any, chat: ChatFormat) -> None:
        self._model, self._chat = model, chat
        self._ours = decodable(model)
        # generate() fills what a configuration leaves open from the model's own: a base model's repetition
        # penalty, say, would make greedy something else than greedy.
        model.generation_config = GenerationConfig()
        if not self._ours:
            # generate() hands the head a strided slice, for which torch copies the whole weight once per row
            # on a CPU: with a vocabulary of 262,144 that took 20 times as long as all else.
            model.get_output_embeddings().register_forward_pre_hook(
                lambda _, inputs: (inputs[0].contiguous(),)
            )

    def complete(self, prompts: Sequence[list[int]], sampling: Sampling, seed: int) -> list[Completion]:
        """Answer n tokenised prompts together."""
        if self._ours:
            drawn = decode(self._model, prompts, sampling, seed, set(self._chat.stop_ids))
        else:
            drawn = self._generated(prompts, sampling, seed)
        return [
            completion(self._chat, tokens, len(prompt)) for tokens, prompt in zip(drawn, prompts, strict=True)
        ]

    @torch.inference_mode()
    def _generated(self, prompts: Sequence[list[int]], sampling: Sampling, seed: int) -> list[list[int]]:
        """Draw by generate(), in one padded batch."""
        longest = max(len(prompt) for prompt in prompts)
        ids = torch.full((len(prompts), longest), self._chat.pad_id)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask[row, longest - len(prompt) :] = 1
        torch.manual_seed(seed)
        drawn = self._model.generate(
            input_ids=ids.to(self._model.device),
            attention_mask=mask.to(self._model.device),
            generation_config=self._settings(sampling),
        )
        tokens: list[list[int]] = drawn[:, longest:].tolist()
        return tokens

    def _settings(self, sampling: Sampling) -> GenerationConfig:
        drawing: dict[str, Any] = {"do_sample": False}
        if sampling.temperature > 0:
            drawing = {
                "do_sample": True,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": 0,
            }
        return GenerationConfig(
            max_new_tokens=sampling.max_new_tokens,
            eos_token_id=list(self._chat.stop_ids),
            pad_token_id=self._chat.pad_id,
            **drawing,
        )


def completion(chat: ChatFormat, tokens: list[int], prompt_tokens: int) -> Completion:
    """Return what tokens say: the text up to the first end of a turn, a thought before it apart."""
    ends = [tokens.index(stop) for stop in chat.stop_ids if stop in tokens]
    end = min(ends) if ends else len(tokens)
    said = chat.decode(tokens[:end])
    reason = "stop" if ends else "length"
    return Completion(said.answer, reason, prompt_tokens, end + bool(ends), said.thought)
