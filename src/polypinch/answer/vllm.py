"""Answers by vLLM: one base in its memory, and every arm's adapter beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from polypinch.answer.engine import Completion, completion
from polypinch.answer.sampling import Sampling
from polypinch.chat import ChatFormat
from polypinch.files import read_json
from polypinch.models import Model, Precision, choose_dtype, runs_code

# A study holds the base for tuning and loss on the same device; vLLM would else take nine tenths of it.
_SHARE_OF_MEMORY = 0.45
_LENGTH = 4096  # of prompt and answer together, unless a prompt is longer
_RANKS = (16, 32, 64, 128, 256, 320, 512)  # that vLLM makes room for


class VllmEngine:
    """Answers by vLLM in this process.

    An adapter is applied beside the base's weights, not merged into them: in bf16 two tokens that tie may
    then be chosen otherwise than by :class:`~polypinch.answer.engine.TransformersEngine`; in fp32 they agree.
    """

    name = "vllm"

    def __init__(self, base: Model, tuned: Path | None, chat: ChatFormat, precision: Precision) -> None:
        """Name base and tuning; they are loaded with the first prompts, the base once for all tunings."""
        self._chat = chat
        self._dtype = str(choose_dtype(precision)).removeprefix("torch.")
        whole = tuned is not None and (tuned / "model").is_dir()
        self._model = Model(base.name, str(tuned / "model"), None, "") if tuned and whole else base
        self._adapter = tuned / "adapter" if tuned and not whole else None

    def complete(self, prompts: Sequence[list[int]], sampling: Sampling, seed: int) -> list[Completion]:
        """Answer n tokenised prompts together."""
        from vllm import SamplingParams

        longest = max(map(len, prompts)) + sampling.max_new_tokens
        # The turn ends where the template's does, and nowhere else: the configuration's end may be another.
        settings = SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p if sampling.temperature else 1.0,
            max_tokens=sampling.max_new_tokens,
            stop_token_ids=list(self._chat.stop_ids),
            ignore_eos=True,
            detokenize=False,
            seed=seed if sampling.temperature else None,
        )
        rank = _rank(self._adapter) if self._adapter else 0
        model = _HELD.loaded(self._model, self._dtype, max(longest, _LENGTH), rank)
        drawn = model.generate(
            [{"prompt_token_ids": prompt} for prompt in prompts],
            settings,
            use_tqdm=False,
            lora_request=_HELD.request(self._adapter) if self._adapter else None,
        )
        return [
            completion(self._chat, list(one.outputs[0].token_ids), len(prompt))
            for prompt, one in zip(prompts, drawn, strict=True)
        ]


class _Held:
    """The one model that vLLM holds for this process, loaded again where another or a larger is wanted."""

    def __init__(self) -> None:
        self._model: Any = None
        self._key: tuple[str, str] | None = None
        self._room = (0, 0)
        self._adapters: dict[Path, int] = {}

    def loaded(self, model: Model, dtype: str, length: int, rank: int) -> Any:
        key = (model.path, dtype)
        if key != self._key or length > self._room[0] or rank > self._room[1]:
            self._model = None  # two at a time may not fit
            self._room = (length, min((room for room in _RANKS if room >= rank), default=rank))
            self._model = _load(model, dtype, *self._room)
            self._key, self._adapters = key, {}
        return self._model

    def request(self, adapter: Path) -> Any:
        from vllm.lora.request import LoRARequest

        number = self._adapters.setdefault(adapter, len(self._adapters) + 1)
        return LoRARequest(f"adapter-{number}", number, str(adapter))


_HELD = _Held()


def _load(model: Model, dtype: str, length: int, rank: int) -> Any:
    # A second process would load torch and the weights anew, and outlive a kill of this one.
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")  # GiB
    from vllm import LLM

    return LLM(
        model=model.path,
        revision=model.revision,
        dtype=dtype,
        max_model_len=length,
        enable_lora=True,
        max_lora_rank=rank,
        generation_config="vllm",
        gpu_memory_utilization=_SHARE_OF_MEMORY,
        trust_remote_code=runs_code(),
    )


def _rank(adapter: Path) -> int:
    return int(read_json(adapter / "adapter_config.json")["r"])
